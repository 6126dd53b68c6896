//! The checks of every series: links between responses and assignments, weeks, and completeness.

use rollbook_domain::StreamId;
use rollbook_domain::document::StoredResponse;
use rollbook_domain::series::{Item, Series};
use rollbook_projections::Snapshot;
use rollbook_projections::names::{self, Names};
use rollbook_projections::rows::RowSource;
use rollbook_projections::views::{self, PrecreatedView};

use super::finding::Checked;
use crate::error::MigrationError;

/// The figures and findings of one pass over all series.
#[derive(Default)]
pub(super) struct Weeks {
    pub(super) assignments: u64,
    pub(super) responses: u64,
    series: u64,
    expected_weeks: u64,
    response_links: Vec<String>,
    assignment_links: Vec<String>,
    week_consistency: Vec<String>,
    without_week_1: Vec<String>,
    duplicates: Vec<String>,
    incomplete: Vec<String>,
}

/// Reads every series of a snapshot, one at a time.
pub(super) fn read(snapshot: &Snapshot) -> Result<Weeks, MigrationError> {
    let (rows, _) = snapshot.rows::<PrecreatedView>()?;
    let (known, _) = snapshot.rows::<Names>()?;
    let mut weeks = Weeks::default();
    views::each_series(&rows, &mut |stream, series: Series| {
        weeks.assignments += series.items.iter().count() as u64;
        weeks.responses += series.responses.len() as u64 + u64::from(series.submitted);
        for response in series.responses.values() {
            weeks.response(&stream, &series, response, &known)?;
        }
        for item in series.items.iter() {
            weeks.item(&stream, &series, item, &known)?;
        }
        for run in series.run_numbers() {
            weeks.run(&stream, &series, run);
        }
        Ok(())
    })?;
    Ok(weeks)
}

/// The week a response belongs to here: the one it was linked to, or the week it names.
fn week_of(series: &Series, response: &StoredResponse) -> Option<u32> {
    match series.linked.get(&response.document) {
        Some((_, week, _)) => Some(*week),
        // A legacy id may be shared by several weeks: the response's own week decides, where it has
        // one among them.
        None => {
            let mut named =
                series.items.iter().filter(|item| item.is_named(&response.named)).map(Item::week);
            let first = named.next()?;
            Some(if named.any(|week| Some(week) == response.week) {
                response.week.unwrap_or(first)
            } else {
                first
            })
        }
    }
}

impl Weeks {
    fn response(
        &mut self,
        stream: &StreamId,
        series: &Series,
        response: &StoredResponse,
        known: &dyn RowSource,
    ) -> Result<(), rollbook_projections::ProjectionError> {
        let id = &response.document;
        match week_of(series, response) {
            None if names::meanings(known, &response.named)?
                .iter()
                .any(|meaning| !matches!(meaning, names::Meaning::Response { .. })) => {}
            None => self.response_links.push(format!(
                "response {id} of {stream} names {:?}, which is not an assignment",
                response.named
            )),
            // A person said which week it belongs to.
            Some(_) if series.corrections.of_response(id).is_some() => {}
            Some(week) => match response.week {
                Some(own) if own != week => {
                    self.week_consistency.push(format!(
                        "response {id} of {stream} says week {own} and belongs to week {week}"
                    ));
                }
                _ => {}
            },
        }
        Ok(())
    }

    fn item(
        &mut self,
        stream: &StreamId,
        series: &Series,
        item: &Item,
        known: &dyn RowSource,
    ) -> Result<(), rollbook_projections::ProjectionError> {
        let Some(id) = item.stored.response_id() else { return Ok(()) };
        let (week, document) = (item.week(), &item.stored.document);
        match series.responses.get(id) {
            Some(response) => {
                let belongs = week_of(series, response);
                if belongs != Some(week) {
                    let belongs = belongs.map_or("no week".to_owned(), |week| format!("week {week}"));
                    let found = format!("assignment {document} (week {week} of {stream}) has response {id}, which belongs to {belongs}");
                    self.assignment_links.push(found);
                }
            }
            None if given_here(stream, series, id) || !names::meanings(known, id)?.is_empty() => {}
            None => self
                .assignment_links
                .push(format!("assignment {document} (week {week} of {stream}) has response {id}, which does not exist")),
        }
        Ok(())
    }

    fn run(&mut self, stream: &StreamId, series: &Series, run: u32) {
        let weeks: Vec<&Item> = series.items.iter().filter(|item| item.run == run).collect();
        for double in weeks.chunk_by(|a, b| a.week() == b.week()).filter(|double| double.len() > 1)
        {
            let documents: Vec<&str> =
                double.iter().map(|item| item.stored.document.as_str()).collect();
            let week = double.first().map_or(0, |item| item.week());
            self.duplicates.push(format!(
                "week {week} of {stream} is stored {} times: {}",
                documents.len(),
                documents.join(", ")
            ));
        }
        let Some(base) = series.items.base(run) else { return };
        self.series += 1;
        if base.week() != 1 && !series.is_withdrawn(run, 1) {
            self.without_week_1
                .push(format!("{stream} run {run} begins with week {}", base.week()));
        }
        if !base.stored.recurring {
            return;
        }
        let total = base.stored.total_weeks;
        self.expected_weeks += u64::from(total);
        let is_missing = |week: &u32| {
            series.items.of_week(run, *week).next().is_none() && !series.is_withdrawn(run, *week)
        };
        let missing: Vec<u32> = (1..=total).filter(is_missing).collect();
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            let why =
                if base.stored.due.value().is_none() { "; its base has no due date" } else { "" };
            self.incomplete.push(format!(
                "{stream} run {run} lacks {} of {total} weeks, from {first} to {last}{why}",
                missing.len()
            ));
        }
    }

    pub(super) fn checks(&mut self) -> Vec<Checked> {
        let take = std::mem::take::<Vec<String>>;
        vec![
            Checked::new(
                "response-links",
                format!("{} responses name an assignment", self.responses),
                take(&mut self.response_links),
            ),
            Checked::new(
                "assignment-links",
                format!("{} assignments and their responses agree", self.assignments),
                take(&mut self.assignment_links),
            ),
            Checked::new(
                "week-consistency",
                "each response belongs to the week it says".to_owned(),
                take(&mut self.week_consistency),
            ),
            Checked::new(
                "series-have-week-1",
                format!("{} series begin with week 1", self.series),
                take(&mut self.without_week_1),
            ),
        ]
    }

    pub(super) fn completeness(&mut self) -> Vec<Checked> {
        let take = std::mem::take::<Vec<String>>;
        vec![
            Checked::new(
                "no-duplicate-weeks",
                format!("{} weeks, each stored once", self.assignments),
                take(&mut self.duplicates),
            ),
            Checked::new(
                "weeks-complete",
                format!("{} weeks expected of recurring series", self.expected_weeks),
                take(&mut self.incomplete),
            ),
        ]
    }
}

/// Whether a response is one of those that were given here: their ids follow from the week's.
fn given_here(stream: &StreamId, series: &Series, id: &str) -> bool {
    let StreamId::Series { client, form } = stream else { return false };
    series.items.iter().any(|item| {
        let assignment =
            rollbook_domain::series::assignment_id(client, form, item.run, item.week());
        (1..=series.submitted).any(|ordinal| {
            rollbook_domain::series::response_id(assignment, ordinal).to_string() == id
        })
    })
}
