//! Reviewing a batch: what it does to each series, series by series, before anybody applies it.
//!
//! Batches can be large. One series is in memory at a time; only the names of the series that keep
//! something as it is are kept longer. Reports are made of the results elsewhere.

use std::collections::BTreeSet;
use std::io;

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::LinkKind;
use rollbook_domain::series::Series;
use rollbook_domain::{Event, JsonText, NewEvent, StreamId, Timestamp};
use rollbook_projections::Runtime;
use rollbook_projections::rows::{RowSource, read_row};
use rollbook_projections::views::{self, PrecreatedView, keys};
use serde::Serialize;
use uuid::Uuid;

use crate::batch::Batch;
use crate::definition::{Definition, Obstacle};
use crate::error::MigrationError;
use crate::kinds;
use crate::plan::zone;

/// What a batch does to one series, and what it leaves as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeriesReview {
    /// The stream of the series.
    pub series: StreamId,
    /// The weeks that it makes, in file order.
    pub weeks: Vec<WeekReview>,
    /// The responses that it links, in file order.
    pub links: Vec<LinkReview>,
    /// The weeks that it changes, in file order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeReview>,
    /// What stays as it is, and why. Empty when no store was read.
    pub left_out: Vec<Obstacle>,
}

/// A week that a batch makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeekReview {
    /// The run.
    pub run: u32,
    /// The number of the week.
    pub week: u32,
    /// When it is due.
    pub due: Timestamp,
    /// The id of the new assignment.
    pub assignment: Uuid,
}

/// A week that a batch changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeReview {
    /// The run.
    pub run: u32,
    /// The number of the week.
    pub week: u32,
    /// The new due date, if it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The new check-in window, if it changes; null removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Option<JsonText>>,
}

/// A response that a batch links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkReview {
    /// The response.
    pub response: String,
    /// The run of its week.
    pub run: u32,
    /// The week that it is linked to.
    pub week: u32,
    /// Why it is linked to this week.
    pub reason: LinkReason,
    /// The assignment that the response names.
    pub named: String,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
}

/// Why a response is linked to a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkReason {
    /// The response states the week.
    StatesTheWeek,
    /// The response states no week, and only this week names it.
    NamedByTheWeek,
}

/// Which part of a batch is reviewed, and against which store.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    /// One series; without it every series.
    pub series: Option<&'a StreamId>,
    /// A store, for what stays as it is: the file does not say that.
    pub store: Option<&'a Runtime>,
}

/// Why a review failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The batch or the store cannot be read, or they have different zones.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The report cannot be written.
    #[error("the report cannot be written")]
    Output(#[source] io::Error),
}

/// Passes each series to `visit`: first those of the file, in file order, then those that the batch
/// leaves entirely as they are, in order of their names. Returns how many there were.
///
/// # Errors
/// When the batch or the store cannot be read, when they have different zones, or when `visit`
/// fails.
pub fn review(
    batch: &Batch,
    scope: Scope<'_>,
    visit: &mut dyn FnMut(&SeriesReview) -> io::Result<()>,
) -> Result<u64, ReviewError> {
    let wanted = |stream: &StreamId| scope.series.is_none_or(|series| series == stream);
    let mut reviewed = 0;
    let mut shown = Ok(());
    let mut show = |review: &SeriesReview| {
        if shown.is_ok() {
            reviewed += 1;
            shown = visit(review);
        }
    };
    let snapshot = scope.store.map(|store| store.snapshot()).transpose();
    let snapshot = snapshot.map_err(MigrationError::from)?;
    let rows = match (&snapshot, scope.store) {
        (Some(snapshot), Some(store)) => {
            let (rows, _) = snapshot.rows::<PrecreatedView>().map_err(MigrationError::from)?;
            Some((rows, Planner::of(batch, zone(snapshot)?, store)?))
        }
        _ => None,
    };
    // The series of the file with something left out; the second pass must not repeat them.
    let mut told = BTreeSet::new();
    batch.each_stream(&mut |events| {
        let Some(stream) = events.first().map(|event| event.stream.clone()) else {
            return Ok(());
        };
        if !wanted(&stream) {
            return Ok(());
        }
        let mut review = SeriesReview::of(stream, events);
        if let Some((rows, planner)) = &rows {
            review.left_out = planner.left_out_of_row(rows, &review.series)?;
            if !review.left_out.is_empty() {
                told.insert(review.series.clone());
            }
        }
        show(&review);
        Ok(())
    })?;
    if let Some((rows, planner)) = &rows {
        views::each_series(rows, &mut |series, row: Series| {
            if wanted(&series) && !told.contains(&series) {
                let left_out = planner.left_out(&series, &row);
                if !left_out.is_empty() {
                    show(&SeriesReview { left_out, ..SeriesReview::new(series) });
                }
            }
            Ok(())
        })
        .map_err(MigrationError::from)?;
    }
    shown.map_err(ReviewError::Output)?;
    Ok(reviewed)
}

/// Plans series again by the rules of a batch.
struct Planner {
    definition: Box<dyn Definition>,
}

impl Planner {
    fn of(batch: &Batch, zone: Zone, store: &Runtime) -> Result<Self, MigrationError> {
        let header = &batch.header;
        if header.rules.zone != zone.to_string() {
            let (batch, store) = (header.rules.zone.clone(), zone.to_string());
            return Err(MigrationError::Zone { batch, store });
        }
        Ok(Self { definition: kinds::definition(&header.rules.options, zone, store)? })
    }

    fn left_out(&self, stream: &StreamId, series: &Series) -> Vec<Obstacle> {
        self.definition.plan_series(stream, series).obstacles
    }

    fn left_out_of_row(
        &self,
        rows: &dyn RowSource,
        stream: &StreamId,
    ) -> Result<Vec<Obstacle>, MigrationError> {
        let row: Option<Series> = read_row(rows, &keys::series(stream))?;
        Ok(row.map(|series| self.left_out(stream, &series)).unwrap_or_default())
    }
}

impl SeriesReview {
    fn new(series: StreamId) -> Self {
        let (weeks, links, changes, left_out) = Default::default();
        Self { series, weeks, links, changes, left_out }
    }

    fn of(series: StreamId, events: Vec<NewEvent>) -> Self {
        let mut review = Self::new(series);
        for new in events {
            match new.event {
                Event::AssignmentCreated { assignment, run, week, due, .. } => {
                    review.weeks.push(WeekReview { run, week, due, assignment });
                }
                Event::ResponseLinked {
                    response, run, week, named, kind, completed_at, ..
                } => {
                    let reason = match kind {
                        LinkKind::Linked => LinkReason::StatesTheWeek,
                        LinkKind::Adopted => LinkReason::NamedByTheWeek,
                    };
                    let submitted_at = completed_at;
                    review.links.push(LinkReview {
                        response,
                        run,
                        week,
                        reason,
                        named,
                        submitted_at,
                    });
                }
                Event::AssignmentRescheduled { run, week, due } => {
                    let (due, window) = (Some(due), None);
                    review.changes.push(ChangeReview { run, week, due, window });
                }
                Event::WindowChanged { run, week, window } => {
                    let (due, window) = (None, Some(window));
                    review.changes.push(ChangeReview { run, week, due, window });
                }
                // A batch contains no other events: `wire` can neither write nor read them.
                _ => {}
            }
        }
        review
    }
}
