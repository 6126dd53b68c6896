//! Sample data: a made-up export of the old application, for the demo, the tests and the benches. Owns what is asked for and what came
//! out of it. Which series there are is `shape`'s, how a document looks is `documents`', names and ids are `people`'s, the files are
//! `files`'. Everything follows from the options alone: the same options write the same bytes on every machine.

mod documents;
mod files;
mod people;
mod shape;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use chrono::NaiveDate;

use shape::{Series, Shape};

/// What to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// What names, ids, answers and scores are drawn from.
    pub seed: u64,
    /// The day of the export: dates of series lie around it, and nothing is submitted on it or later.
    pub today: NaiveDate,
    /// How many series of which kind.
    pub size: SampleSize,
}

/// How many series of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleSize {
    /// 26 clients and 36 responses with the peculiarities of a real tracker: weeks answered ahead, answers filed under the wrong week,
    /// answers without a week, two forms that collide. 28 series, 691 weeks to create, 2 responses to link.
    Demo,
    /// Any number of series of which only the first week is stored, as for measuring.
    Scaled {
        /// Clients.
        clients: u32,
        /// Series of each client, each with a form of its own.
        series_per_client: u32,
        /// Weeks of each series.
        total_weeks: u32,
    },
}

/// What has been written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleSummary {
    /// Client documents.
    pub clients: u64,
    /// Assignment documents.
    pub assignments: u64,
    /// Response documents.
    pub responses: u64,
    /// Recurring series of more than one week: the ones a migration is about.
    pub series: u64,
    /// Weeks that the migration will create.
    pub weeks_to_create: u64,
    /// Responses that the migration will link to their week.
    pub responses_to_link: u64,
    /// The first series in which a week answered ahead hides open weeks before it from the old view.
    pub gap: Option<SampleGap>,
    /// The first series in which the old system filed an answer under week 1 that belongs to a later week.
    pub late_link: Option<SampleGap>,
}

/// A series worth showing, and the week that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleGap {
    /// The client's document id.
    pub client_id: String,
    /// The form's id.
    pub form_id: String,
    /// The week that was answered.
    pub answered_week: u32,
    /// The first week of the series that no stored document has.
    pub first_missing_week: u32,
}

impl SampleOptions {
    /// The sample of the demo, as of a day.
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
        let worth = |answered_week| SampleGap {
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
        self.gap = self.gap.take().or_else(|| ahead.map(|answer| worth(answer.week)));
        self.late_link =
            self.late_link.take().or_else(|| misfiled.map(|answer| worth(answer.week)));
    }
}

/// Writes an export of the old application: one file a collection and `BACKUP_SUMMARY.json`, one document a line.
///
/// The directory is created when it does not exist; files of these names in it are overwritten. Documents go straight to disk, so
/// memory does not grow with their number.
///
/// # Errors
/// What creating the directory or writing the files answers.
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
