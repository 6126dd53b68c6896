//! Sample data: a made-up export of the old application for the demo, the tests and the benches.
//! This module has the options and the summary. `shape` decides which series exist, `documents` has
//! the form of the documents, `people` the names and ids, `files` the files. The same options write
//! the same bytes on every machine.

mod documents;
mod files;
mod people;
mod rows;
mod shape;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use chrono::NaiveDate;

use shape::{Series, Shape};

/// The options of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// The seed of names, ids, answers and scores.
    pub seed: u64,
    /// The day of the export. The dates of series are around it; all responses are earlier.
    pub today: NaiveDate,
    /// The number and the kind of series.
    pub size: SampleSize,
}

/// The number and the kind of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleSize {
    /// 26 clients and 36 responses with the inconsistencies of real data: weeks answered early,
    /// responses stored under the wrong week, responses without a week, two forms due at the same
    /// time. A migration of its 28 series creates 691 weeks and links 2 responses.
    Demo,
    /// Any number of series with only the first week stored, for benches.
    Scaled {
        /// The number of clients.
        clients: u32,
        /// The number of series per client; each has its own form.
        series_per_client: u32,
        /// The number of weeks per series.
        total_weeks: u32,
    },
}

/// A summary of a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleSummary {
    /// The number of client documents.
    pub clients: u64,
    /// The number of assignment documents.
    pub assignments: u64,
    /// The number of response documents.
    pub responses: u64,
    /// The number of series with more than one week: those that a migration changes.
    pub series: u64,
    /// The number of weeks that a migration creates.
    pub weeks_to_create: u64,
    /// The number of responses that a migration links to their week.
    pub responses_to_link: u64,
    /// The first series in which a week answered early hides earlier open weeks in the old view.
    pub gap: Option<SampleGap>,
    /// The first series in which the old system stored the response to a later week under week 1.
    pub late_link: Option<SampleGap>,
}

/// A series with an inconsistency, and the week that causes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleGap {
    /// The client's document id.
    pub client_id: String,
    /// The form's id.
    pub form_id: String,
    /// The answered week.
    pub answered_week: u32,
    /// The first week without a stored document.
    pub first_missing_week: u32,
}

impl SampleOptions {
    /// The sample of the demo, exported on a day.
    pub fn demo(today: NaiveDate) -> Self {
        Self { seed: 26, today, size: SampleSize::Demo }
    }
}

impl SampleSummary {
    fn count(&mut self, series: &Series) {
        self.assignments += u64::from(series.stored_weeks());
        self.responses += series.answers.len() as u64;
        if !series.is_recurring() {
            return;
        }
        self.series += 1;
        self.weeks_to_create += u64::from(series.total_weeks - series.stored_weeks());
        self.responses_to_link +=
            series.answers.iter().filter(|answer| answer.is_misfiled()).count() as u64;
        let Some(first_missing_week) = series.first_missing_week() else { return };
        let gap = |answered_week| SampleGap {
            client_id: series.client.id.clone(),
            form_id: series.form.id.clone(),
            answered_week,
            first_missing_week,
        };
        let ahead = series
            .answers
            .iter()
            .find(|answer| answer.is_stored_under_its_week() && answer.week > first_missing_week);
        let misfiled = series.answers.iter().find(|answer| answer.is_misfiled());
        self.gap = self.gap.take().or_else(|| ahead.map(|answer| gap(answer.week)));
        self.late_link = self.late_link.take().or_else(|| misfiled.map(|answer| gap(answer.week)));
    }
}

/// Writes an export of the old application: one file per collection with one document per line, and
/// `BACKUP_SUMMARY.json`.
///
/// Creates the directory if it does not exist, and overwrites files of these names. Memory does not
/// grow with the number of documents.
///
/// # Errors
/// If the directory cannot be created or a file cannot be written.
pub fn write_export(directory: &Path, options: &SampleOptions) -> io::Result<SampleSummary> {
    let shape = Shape::new(options);
    let mut summary =
        SampleSummary { clients: u64::from(shape.client_count()), ..SampleSummary::default() };
    shape.series().for_each(|series| summary.count(&series));

    let mut export = files::Export::create(directory, options.today)?;
    export.collection(
        "clients",
        summary.clients,
        shape.clients().map(|client| documents::client(&client)),
    )?;
    export.collection(
        "coaches",
        u64::from(shape.coach_count()),
        shape.coaches().map(|coach| documents::coach(&coach)),
    )?;
    export.collection(
        "users",
        u64::from(shape.coach_count()),
        shape.coaches().map(|coach| documents::user(&coach)),
    )?;
    export.collection(
        "forms",
        u64::from(shape.form_count()),
        shape.forms().map(|form| documents::form(&form)),
    )?;
    let assignments = shape.series().flat_map(|series| documents::assignments(&series));
    export.collection("check_in_assignments", summary.assignments, assignments)?;
    let responses = shape.series().flat_map(|series| documents::responses(&series));
    export.collection("formResponses", summary.responses, responses)?;
    export.collection("coachFeedback", 0, std::iter::empty())?;
    export.collection("check_in_extensions", 0, std::iter::empty())?;
    export.finish()?;
    Ok(summary)
}
