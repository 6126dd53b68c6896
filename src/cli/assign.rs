//! `rollbook assign`: allocates a form to a client. This module turns the arguments into an
//! [`AllocationRequest`] and prints the result.

use std::fmt::Write;

use chrono::{NaiveDate, NaiveTime};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rollbook_application::operations::{AllocationOutcome, AllocationRequest, allocate};
use rollbook_domain::{Event, JsonText, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::Context;
use super::arguments::{self, WriteOptions};
use super::output::{BOLD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook assign --client ada --form weekly --coach robin --weeks 12 --start 2026-03-02
  rollbook assign --client ada --form weekly --coach robin --weeks 4 --extend

The first due is --first-due, moved to the next Monday unless it is one; else the Monday after --start, or after today. Due
times are local, in the zone that the import kept.";

/// Allocate a form to a client for a number of weeks.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AssignArguments {
    /// The client, by any id.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    client: String,
    /// The form.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    form: String,
    /// The coach.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    coach: String,
    /// How many weeks; with --extend, how many more.
    #[arg(long, value_name = "N", default_value_t = 4)]
    weeks: u32,
    /// The first due date; the next Monday is taken unless it is one.
    #[arg(long, value_name = "DATE", conflicts_with = "start")]
    first_due: Option<NaiveDate>,
    /// The first due is the Monday after this date. Default today.
    #[arg(long, value_name = "DATE")]
    start: Option<NaiveDate>,
    /// The local time of day at which every week is due.
    #[arg(long, value_name = "HH:MM", default_value = "09:00", value_parser = arguments::time_of_day)]
    due_time: (u32, u32),
    /// One week only.
    #[arg(long, conflicts_with_all = ["weeks", "extend"])]
    once: bool,
    /// Where the latest run still has open weeks, make it longer instead of refusing.
    #[arg(long)]
    extend: bool,
    /// The title. Default the form's.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The description.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Who assigned it: a coach's id, or a name. Unset shows as Coach.
    #[arg(long, value_name = "WHO")]
    assigned_by: Option<String>,
    /// The check-in window, any JSON.
    #[arg(long, value_name = "JSON", value_parser = arguments::json)]
    window: Option<JsonText>,
    /// Take a client, a form and a coach that no import brought.
    #[arg(long)]
    allow_unknown: bool,
    #[command(flatten)]
    writing: WriteOptions,
}

impl AssignArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let wanted = self.wanted()?;
        let store = context.open()?;
        let allocated = allocate(&store.reading(), &wanted, &self.writing.request())?;
        context.fold(&store)?;
        let allocated = AllocationReport::of(&allocated);
        context.output.either(&allocated, || allocated.text())
    }

    fn wanted(&self) -> Result<AllocationRequest, CliError> {
        let (hour, minute) = self.due_time;
        let due_time = NaiveTime::from_hms_opt(hour, minute, 0)
            .ok_or_else(|| CliError::Usage(format!("{hour}:{minute} is not a time of day")))?;
        Ok(AllocationRequest {
            client: self.client.clone(),
            form: self.form.clone(),
            coach: self.coach.clone(),
            first_due: self.first_due,
            start: self.start,
            due_time,
            weeks: self.weeks,
            once: self.once,
            extend: self.extend,
            status: None,
            title: self.title.clone(),
            description: self.description.clone(),
            assigned_by: self.assigned_by.clone(),
            window: self.window.clone(),
            allow_unknown: self.allow_unknown,
        })
    }
}

#[derive(Serialize)]
struct AllocationReport {
    series: String,
    run: u32,
    position: Option<u64>,
    repeated: bool,
    assignments: Vec<AllocatedWeek>,
}

#[derive(Serialize)]
struct AllocatedWeek {
    id: Uuid,
    week: u32,
    due: Timestamp,
}

impl AllocationReport {
    fn of(AllocationOutcome { stream, outcome }: &AllocationOutcome) -> Self {
        let events = outcome.events();
        let mut allocated = Self {
            series: stream.to_string(),
            run: 0,
            position: events.first().map(|written| written.position),
            repeated: outcome.is_repeated(),
            assignments: Vec::new(),
        };
        for written in events {
            if let Event::AssignmentCreated { assignment, run, week, due, .. } = &written.event {
                allocated.run = *run;
                allocated.assignments.push(AllocatedWeek {
                    id: *assignment,
                    week: *week,
                    due: *due,
                });
            }
        }
        allocated
    }

    fn text(&self) -> String {
        let Self { series, run, assignments, .. } = self;
        let before = if self.repeated { " (done before under this key)" } else { "" };
        let mut text =
            format!("{} run {run}, {} weeks{before}\n", styled(BOLD, series), assignments.len());
        if let (Some(first), Some(last)) = (assignments.first(), assignments.last()) {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "first due {}, last due {}", first.due, last.due);
        }
        for AllocatedWeek { id, week, due } in assignments {
            let _written = writeln!(text, "{week:>4}  {due}  {id}");
        }
        text
    }
}
