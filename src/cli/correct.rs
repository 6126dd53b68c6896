//! `rollbook correct`: corrections of what is stored wrongly, their list, and undoing them.

use clap::{ArgGroup, Args, Subcommand};
use rollbook_application::operations::{
    CorrectionReport, CorrectionRequest, RecordedEvent, correct, stream_of,
};
use rollbook_application::reports::corrections::{HeldCorrection, corrections};
use rollbook_application::store::{EntryChange, FieldChange};
use uuid::Uuid;

use super::Context;
use super::arguments::WriteOptions;
use super::output::{BOLD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook correct move-response 2tOmF32nl0g8Dh76Gz1n --week 5 --reason 'answered the wrong week' --dry-run
  rollbook correct move-response 2tOmF32nl0g8Dh76Gz1n --week 5 --reason 'answered the wrong week'
  rollbook correct adopt-response pQ7rTn5mXc2vBz8kLw4d --week 2 --reason 'its week was stored twice'
  rollbook correct set-week 3fKp9QmZsx7Tq2LrVb0W --week 7 --reason 'the export has no number'
  rollbook correct list --client ada
  rollbook correct undo --position 812 --reason 'it was right before'

A correction is an event. Both views change, history shows it with its reason, and undoing it is another event. An import of
a document that still has the old content does not undo it.";

/// Correct what is stored wrongly: move or adopt a response, set the number of a week, or undo a
/// correction.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct CorrectArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    MoveResponse(PlaceArguments),
    AdoptResponse(AdoptArguments),
    SetWeek(SetWeekArguments),
    Undo(UndoArguments),
    List(ListArguments),
}

/// Move a response to another week. The week it leaves is unanswered, the week it goes to is
/// completed by it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook correct move-response 2tOmF32nl0g8Dh76Gz1n --week 5 --reason 'answered the wrong week'"
)]
struct PlaceArguments {
    #[command(flatten)]
    place: Place,
}

/// Bind a response that no week holds to a week.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook correct adopt-response pQ7rTn5mXc2vBz8kLw4d --week 2 --reason 'its week was stored twice'"
)]
struct AdoptArguments {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// The response.
    #[arg(value_name = "RESPONSE_ID")]
    response: String,
    /// The week of the response's series.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    week: u32,
    /// The run. Default that of the week that holds the response, or else the first.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    run: Option<u32>,
    #[command(flatten)]
    because: Because,
}

/// Set the number of a stored document's week. The week must be free: no other document stands for
/// it, and nobody answered it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook correct set-week 3fKp9QmZsx7Tq2LrVb0W --week 7 --reason 'the export has no number'"
)]
struct SetWeekArguments {
    /// The document, by any of its ids.
    #[arg(value_name = "ASSIGNMENT_ID")]
    document: String,
    /// The week that the document stands for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    week: u32,
    #[command(flatten)]
    because: Because,
}

/// Undo a correction: what it changed is as without it.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["correction", "position"]),
    after_help = "Examples:\n  rollbook correct undo --position 812 --reason 'it was right before'\n  rollbook correct undo 7c0f9f5e-4c1b-5d6e-8f3a-2b1c0d9e8f7a --reason 'it was right before'"
)]
struct UndoArguments {
    /// The id of the correction.
    #[arg(value_name = "CORRECTION_ID")]
    correction: Option<Uuid>,
    /// The position of the correction.
    #[arg(long, value_name = "N")]
    position: Option<u64>,
    #[command(flatten)]
    because: Because,
}

/// List the corrections that hold.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rollbook correct list --client ada")]
struct ListArguments {
    /// Only those of this client, by any id.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
}

#[derive(Debug, Args)]
struct Because {
    /// Why. It is sealed like everything personal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Write nothing; show what would change in both views.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    writing: WriteOptions,
}

impl CorrectArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        match &self.what {
            What::MoveResponse(PlaceArguments { place }) => {
                let Place { response, week, run, because } = place;
                let request = CorrectionRequest::MoveResponse {
                    response: response.clone(),
                    week: *week,
                    run: *run,
                    reason: because.reason.clone(),
                };
                because.run(context, &request)
            }
            What::AdoptResponse(AdoptArguments { place }) => {
                let Place { response, week, run, because } = place;
                let request = CorrectionRequest::AdoptResponse {
                    response: response.clone(),
                    week: *week,
                    run: *run,
                    reason: because.reason.clone(),
                };
                because.run(context, &request)
            }
            What::SetWeek(SetWeekArguments { document, week, because }) => {
                let (document, reason) = (document.clone(), because.reason.clone());
                let request = CorrectionRequest::SetWeek { document, week: *week, reason };
                because.run(context, &request)
            }
            What::Undo(UndoArguments { correction, position, because }) => {
                let reason = because.reason.clone();
                let request = match (*correction, *position) {
                    (Some(correction), _) => CorrectionRequest::Undo { correction, reason },
                    (None, position) => {
                        let position = position.unwrap_or_default();
                        CorrectionRequest::UndoAt { position, reason }
                    }
                };
                because.run(context, &request)
            }
            What::List(arguments) => arguments.run(context),
        }
    }
}

impl Because {
    fn run(&self, context: &Context, wanted: &CorrectionRequest) -> Result<(), CliError> {
        let store = context.open()?;
        let reading = store.reading();
        let stream = stream_of(&reading, wanted)?;
        let request = self.writing.request();
        let report = correct(&reading, &stream, wanted, &request, self.dry_run)?;
        if !self.dry_run {
            context.fold(&store)?;
        }
        context.output.either(&report, || text(&report))
    }
}

impl ListArguments {
    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        let held = corrections(&store.reading(), self.client.as_deref())?;
        context.output.either(&held, || list_text(&held))
    }
}

fn text(report: &CorrectionReport) -> String {
    let series = styled(BOLD, &report.series);
    if report.events.is_empty() {
        return format!("{series}: it is so already, nothing written\n");
    }
    let before = if report.repeated { " (done before under this key)" } else { "" };
    let mut text = String::new();
    for RecordedEvent { position, event, content } in &report.events {
        let at = position
            .map_or_else(|| "not written".to_owned(), |position| format!("position {position}"));
        let detail = super::history::detail(content, false);
        text.push_str(&format!("{series}: {event} {detail}, {at}{before}\n"));
    }
    if report.dry_run {
        text.push_str(&changes_text("legacy", &report.legacy));
        text.push_str(&changes_text("precreated", &report.precreated));
    }
    text
}

/// The fields to print of an entry that is only in one of both lists.
const IDENTIFYING: [&str; 4] = ["dueDate", "responseId", "score", "status"];

fn changes_text(view: &str, changes: &[EntryChange]) -> String {
    let mut text = format!("{}\n", styled(BOLD, format!("changes in the {view} view")));
    if changes.is_empty() {
        text.push_str("  none in the list that the client would see now\n");
    }
    for change in changes {
        text.push_str(&format!(
            "  week {} of form {}, {}\n",
            change.week, change.form_id, change.id
        ));
        let came_or_went =
            change.fields.get("id").is_some_and(|id| id.from.is_none() || id.to.is_none());
        let shown = |name: &str| !came_or_went || IDENTIFYING.contains(&name);
        for (name, FieldChange { from, to }) in change.fields.iter().filter(|(name, _)| shown(name))
        {
            let value = |value: &Option<serde_json::Value>| {
                value.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)
            };
            text.push_str(&format!("    {name}: {} → {}\n", value(from), value(to)));
        }
    }
    text
}

fn list_text(held: &[HeldCorrection]) -> String {
    if held.is_empty() {
        return "no correction holds\n".to_owned();
    }
    let mut text = String::new();
    for held in held {
        let position =
            held.position.map_or_else(String::new, |position| format!("position {position}, "));
        let left: Vec<String> = held.left.iter().map(|week| format!("week {week}")).collect();
        let how = match &held.document {
            Some(document) => format!("document {document} moved from {} to", left.join(" and ")),
            None if left.is_empty() => format!("response {} adopted by", held.response),
            None => format!("response {} moved from {} to", held.response, left.join(" and ")),
        };
        text.push_str(&format!(
            "{}: {how} week {} of run {}, {position}correction {}\n",
            styled(BOLD, &held.series),
            held.week,
            held.run,
            held.correction
        ));
        for document in &held.overtaken {
            text.push_str(&format!(
                "  an import changed {document} since; the correction stays in force\n"
            ));
        }
    }
    text
}
