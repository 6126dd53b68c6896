//! The other commands on a series: miss, extend, reopen, pause, resume, withdraw, feedback. All of
//! them print the events that they wrote. The rules are in the domain.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rollbook_application::operations::{FeedbackRequest, give_feedback};
use rollbook_application::store::{Outcome, SeriesCommand, Store, WeekRef};
use rollbook_domain::StreamId;
use rollbook_domain::event::MissedReason;
use serde::Serialize;

use super::arguments::{self, WriteOptions};
use super::naming::SeriesName;
use super::output::{BOLD, styled};
use super::{Context, Output};
use crate::cli::error::CliError;

/// Mark a week missed.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook miss base42_week_3 --reason sick\n\nA week can be marked missed from three days after its due on."
)]
pub(super) struct MissArguments {
    /// Any id of the assignment.
    #[arg(value_name = "ID")]
    id: String,
    /// Why.
    #[arg(long, value_parser = arguments::missed_reason())]
    reason: MissedReason,
    /// In the client's words; needed with `other`.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Grant more time for a week.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook extend base42_week_3 --reason 'moving house this week'"
)]
pub(super) struct ExtendArguments {
    /// Any id of the assignment.
    #[arg(value_name = "ID")]
    id: String,
    /// Why, in at least 10 characters.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Open a closed week.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rollbook reopen base42_week_3 --as coach:robin")]
pub(super) struct ReopenArguments {
    /// Any id of the assignment.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Pause a series: its unanswered weeks due from now on move.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook pause series/ada/weekly --weeks 2\n  rollbook pause --client ada --form weekly --weeks 2"
)]
pub(super) struct PauseArguments {
    #[command(flatten)]
    series: SeriesName,
    /// By how many weeks.
    #[arg(long, value_name = "N")]
    weeks: u32,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Take back the latest pause of a series.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rollbook resume --client ada --form weekly")]
pub(super) struct ResumeArguments {
    #[command(flatten)]
    series: SeriesName,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Take a series, or one week, away from a client.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollbook withdraw series/ada/weekly --reason 'left the programme'
  rollbook withdraw --assignment base42_week_3 --reason 'sent twice'

An answered week is set back to pending. Nothing is deleted: history shows it all, for ever.")]
pub(super) struct WithdrawArguments {
    /// The series: series/<client>/<form>.
    #[arg(value_name = "SERIES", required_unless_present_any = ["client", "assignment"], conflicts_with_all = ["client", "form", "assignment"])]
    series: Option<String>,
    /// The client, by any id.
    #[arg(long, value_name = "ID", requires = "form", conflicts_with = "assignment")]
    client: Option<String>,
    /// The form.
    #[arg(long, value_name = "ID", requires = "client")]
    form: Option<String>,
    /// One week, by any id of its assignment.
    #[arg(long, value_name = "ID")]
    assignment: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Take answered weeks out of the views too.
    #[arg(long, conflicts_with = "assignment")]
    drop_answered: bool,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Answer a client's response as their coach.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook feedback 2tOmF32nl0g8Dh76Gz1n --coach robin --text 'well done'"
)]
pub(super) struct FeedbackArguments {
    /// The response.
    #[arg(value_name = "RESPONSE_ID")]
    response: String,
    /// The coach.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    coach: String,
    /// The coach's words.
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// Take a coach that no import brought.
    #[arg(long)]
    allow_unknown: bool,
    #[command(flatten)]
    writing: WriteOptions,
}

impl MissArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let reason = self.reason;
        let comment = self.comment.clone();
        on_week(context, &self.id, &self.writing, |run, week| SeriesCommand::Miss {
            run,
            week,
            reason,
            comment,
        })
    }
}

impl ExtendArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let reason = self.reason.clone();
        on_week(context, &self.id, &self.writing, |run, week| SeriesCommand::Extend {
            run,
            week,
            reason,
        })
    }
}

impl ReopenArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        on_week(context, &self.id, &self.writing, |run, week| SeriesCommand::Reopen { run, week })
    }
}

impl PauseArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let command = SeriesCommand::Pause { weeks: self.weeks };
        on_series(context, &self.series, &command, &self.writing)
    }
}

impl ResumeArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        on_series(context, &self.series, &SeriesCommand::Resume, &self.writing)
    }
}

impl WithdrawArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let reason = self.reason.clone();
        if let Some(assignment) = &self.assignment {
            let store = context.open()?;
            let reading = store.reading();
            let (WeekRef { stream, run, week }, assignment) =
                reading.named_assignment(assignment)?;
            let command = SeriesCommand::WithdrawWeek { run, week, assignment, reason };
            let outcome = reading.command(&stream, &command, &self.writing.request())?;
            return report(context, &store, &stream, &outcome);
        }
        let name = SeriesName {
            series: self.series.clone(),
            client: self.client.clone(),
            form: self.form.clone(),
        };
        let command = SeriesCommand::Withdraw { keep_answered: !self.drop_answered, reason };
        on_series(context, &name, &command, &self.writing)
    }
}

impl FeedbackArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        let reading = store.reading();
        let stream = reading.response(&self.response)?;
        let feedback = FeedbackRequest {
            response: self.response.clone(),
            coach: self.coach.clone(),
            text: self.text.clone(),
            allow_unknown: self.allow_unknown,
        };
        let outcome = give_feedback(&reading, &stream, feedback, &self.writing.request())?;
        report(context, &store, &stream, &outcome)
    }
}

fn on_week(
    context: &Context,
    id: &str,
    writing: &WriteOptions,
    command: impl FnOnce(u32, u32) -> SeriesCommand,
) -> Result<(), CliError> {
    let store = context.open()?;
    let reading = store.reading();
    let WeekRef { stream, run, week } = reading.assignment(id)?;
    let outcome = reading.command(&stream, &command(run, week), &writing.request())?;
    report(context, &store, &stream, &outcome)
}

fn on_series(
    context: &Context,
    name: &SeriesName,
    command: &SeriesCommand,
    writing: &WriteOptions,
) -> Result<(), CliError> {
    let store = context.open()?;
    let reading = store.reading();
    let stream = name.resolve(&reading)?;
    let outcome = reading.command(&stream, command, &writing.request())?;
    report(context, &store, &stream, &outcome)
}

fn report(
    context: &Context,
    store: &Store,
    stream: &StreamId,
    outcome: &Outcome,
) -> Result<(), CliError> {
    context.fold(store)?;
    Done::of(stream, outcome).print(context.output)
}

/// The events that a command wrote, as each of these commands prints them.
#[derive(Serialize)]
struct Done {
    series: String,
    events: Vec<DoneEvent>,
    repeated: bool,
}

#[derive(Serialize)]
struct DoneEvent {
    position: u64,
    event: &'static str,
    #[serde(skip)]
    detail: String,
}

impl Done {
    fn of(stream: &StreamId, outcome: &Outcome) -> Self {
        let events = outcome.events().iter().map(|written| DoneEvent {
            position: written.position,
            event: written.event.name(),
            detail: super::history::detail(&written.event, false),
        });
        let repeated = outcome.is_repeated();
        Self { series: stream.to_string(), events: events.collect(), repeated }
    }

    fn print(&self, output: Output) -> Result<(), CliError> {
        output.either(self, || {
            let series = styled(BOLD, &self.series);
            if self.events.is_empty() {
                return format!("{series}: it is so already, nothing written\n");
            }
            let before = if self.repeated { " (done before under this key)" } else { "" };
            let lines: Vec<String> = (self.events.iter())
                .map(|done| {
                    format!(
                        "{series}: {} {}, position {}{before}\n",
                        done.event, done.detail, done.position
                    )
                })
                .collect();
            lines.concat()
        })
    }
}
