//! `rollbook diff`: the changes of a client's list between two positions, and the events behind
//! them.

use clap::Args;
use rollbook_application::reports::check_ins::Which;
use rollbook_application::reports::moment::Moment;
use rollbook_application::store::{Diff, DiffEvent, EntryChange, FieldChange, Side, Store};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Actor, Timestamp};
use rollbook_projections::entry::ListParameters;
use serde_json::Value;

use super::arguments;
use super::context::Context;
use super::format::{Format, md_head, md_row};
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook diff --from 812 --to 1530 --client ada
  rollbook diff --from 2026-01-05T09:00:00Z --to 2026-01-12T09:00:00Z --client ada --view legacy
  rollbook diff --from 812 --to 1530 --client ada --at 2026-01-15T09:30:00Z --format md

An instant means the last position recorded by then. Both lists are for the same instant (--at), so that no difference comes from the
passing of time alone.";

/// Show how a client's list changed between two positions, and which events changed it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DiffArguments {
    /// Before: a position, or an instant (RFC 3339).
    #[arg(long, value_name = "POSITION|TIME")]
    from: Moment,
    /// After: a position, or an instant (RFC 3339).
    #[arg(long, value_name = "POSITION|TIME")]
    to: Moment,
    /// The client, by document id or authUid.
    #[arg(long, value_name = "ID")]
    client: String,
    /// The view. `live` is the view that the switch selected for the client at each position.
    #[arg(long, value_parser = arguments::view_or_live(), default_value = "live")]
    view: Which,
    /// The instant of both lists (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The grace before a week is overdue, such as 3d or 0s. The legacy view always has 3d.
    #[arg(long, value_name = "SPAN", value_parser = arguments::milliseconds)]
    overdue_after: Option<i64>,
    /// The format.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl DiffArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        context.fold(&store)?;
        let query = ListParameters {
            now: self.at.unwrap_or_else(Store::now),
            overdue_after_milliseconds: self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS),
        };
        let (from, to) = (self.from.position(&store)?, self.to.position(&store)?);
        let diff = store.diff(&self.client, self.view.into(), query, from, to)?;
        match Format::of(self.format, context.output) {
            Format::Json => context.output.json(&diff),
            Format::Md => context.output.text(&markdown(&diff)),
            Format::Table => context.output.text(&text(&diff)),
        }
    }
}

fn side(side: &Side) -> String {
    let recorded = side
        .recorded_at
        .map_or_else(|| "before the first event".to_owned(), |at| format!("recorded {at}"));
    let of = |name: &str| side.summary.get(name).and_then(Value::as_u64).unwrap_or_default();
    format!(
        "position {} ({recorded}), {} view: {} check-ins, {} pending, {} completed, {} overdue",
        side.position,
        side.view.name(),
        of("total"),
        of("pending"),
        of("completed"),
        of("overdue")
    )
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// The fields to print for an entry that was added or removed.
const IDENTIFYING: [&str; 4] = ["title", "dueDate", "status", "score"];

fn fields(entry: &EntryChange) -> Vec<String> {
    let one = |(name, FieldChange { from, to }): (&String, &FieldChange)| match (from, to) {
        (Some(_), Some(_)) | (None, None) => {
            format!("{name}: {} → {}", cell(from.as_ref()), cell(to.as_ref()))
        }
        _ => format!("{name}: {}", cell(from.as_ref().or(to.as_ref()))),
    };
    let added_or_removed =
        entry.fields.get("id").is_some_and(|id| id.from.is_none() || id.to.is_none());
    entry
        .fields
        .iter()
        .filter(|(name, _)| !added_or_removed || IDENTIFYING.contains(&name.as_str()))
        .map(one)
        .collect()
}

fn positions(entry: &EntryChange) -> String {
    let positions: Vec<String> = entry.events.iter().map(u64::to_string).collect();
    positions.join(", ")
}

fn who(actor: &Actor) -> String {
    super::history::who(actor)
}

fn text(diff: &Diff) -> String {
    let mut text = format!(
        "{} of {} at {}\n{} {}\n{} {}\n",
        styled(BOLD, "list"),
        diff.client,
        diff.at,
        styled(BOLD, "from"),
        side(&diff.from),
        styled(BOLD, "to  "),
        side(&diff.to)
    );
    for (sign, style, entries) in
        [("+", GOOD, &diff.added), ("-", BAD, &diff.removed), ("~", BOLD, &diff.changed)]
    {
        for entry in entries {
            let by = styled(FAINT, format!("[{}]", positions(entry)));
            text.push_str(&format!(
                "{} week {} of form {}, {} {by}\n",
                styled(style, sign),
                entry.week,
                entry.form_id,
                entry.id
            ));
            fields(entry).iter().for_each(|field| text.push_str(&format!("    {field}\n")));
        }
    }
    if diff.events.is_empty() {
        text.push_str("nothing changed\n");
    }
    for DiffEvent { position, recorded_at, actor, event, stream, cause, .. } in &diff.events {
        text.push_str(&format!(
            "{position:>8}  {recorded_at}  {:28}  {event:20}  {stream} [{}]\n",
            who(actor),
            super::history::short(cause)
        ));
    }
    text
}

fn markdown(diff: &Diff) -> String {
    let mut text = format!("# What changed for `{}`\n\n", diff.client);
    text.push_str(&format!(
        "At {}.\n\n- from {}\n- to {}\n\n",
        diff.at,
        side(&diff.from),
        side(&diff.to)
    ));
    if diff.events.is_empty() {
        text.push_str("Nothing changed.\n");
        return text;
    }
    text.push_str("## Check-ins\n\n");
    text.push_str(&md_head(&["what", "week", "form", "id", "fields", "events"]));
    for (what, entries) in
        [("added", &diff.added), ("removed", &diff.removed), ("changed", &diff.changed)]
    {
        for entry in entries {
            let (week, fields, positions) =
                (entry.week.to_string(), fields(entry).join("; "), positions(entry));
            text.push_str(&md_row([what, &week, &entry.form_id, &entry.id, &fields, &positions]));
        }
    }
    text.push_str("\n## Events\n\n");
    text.push_str(&md_head(&[
        "position", "recorded", "happened", "who", "what", "stream", "cause",
    ]));
    for event in &diff.events {
        let (position, recorded, happened) = (
            event.position.to_string(),
            event.recorded_at.to_string(),
            event.occurred_at.to_string(),
        );
        let (who, stream) = (who(&event.actor), event.stream.to_string());
        text.push_str(&md_row([
            position.as_str(),
            &recorded,
            &happened,
            &who,
            &event.event,
            &stream,
            super::history::short(&event.cause),
        ]));
    }
    text
}
