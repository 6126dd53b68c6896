//! Resolves the id of a week or a response. Every id that ever named something resolves for ever.
//! This module defines the order in which the possible meanings are tried.

use rollbook_domain::{Event, StreamId};
use rollbook_projections::names::{self, Meaning, Names};
use uuid::Uuid;

use super::reading::{FoldedSeries, Reading};
use super::{Store, StoreError};

/// One week of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekRef {
    /// The series' stream.
    pub stream: StreamId,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
}

impl Store {
    /// Folds a series from its stream.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn fold_series(&self, stream: &StreamId) -> Result<FoldedSeries, StoreError> {
        self.counts.series_fold();
        let mut folded = FoldedSeries::default();
        for recorded in self.log().stream(stream, 0)? {
            folded.series.apply(stream, &recorded.event);
            folded.version = recorded.version;
        }
        Ok(folded)
    }

    /// As [`Reading::assignment`], with a snapshot of its own.
    ///
    /// # Errors
    /// As [`Reading::assignment`].
    pub fn assignment(&self, id: &str) -> Result<WeekRef, StoreError> {
        self.reading().assignment(id)
    }
}

impl Reading<'_> {
    /// The week that an id names: the assignment's own id, a document id, a legacy id, or
    /// `<base>_week_<n>`.
    ///
    /// # Errors
    /// [`StoreError::UnknownAssignment`] when it names none.
    pub fn assignment(&self, id: &str) -> Result<WeekRef, StoreError> {
        if let Some(named) = self.assignment_named(id)? {
            return Ok(named);
        }
        if let Some((base, week)) =
            id.rsplit_once("_week_").and_then(|(base, week)| Some((base, week.parse().ok()?)))
            && let Some(base) = self.assignment_named(base)?
        {
            return Ok(WeekRef { week, ..base });
        }
        Err(StoreError::UnknownAssignment(id.to_owned()))
    }

    fn assignment_named(&self, id: &str) -> Result<Option<WeekRef>, StoreError> {
        if let Some(recorded) =
            id.parse::<Uuid>().ok().map(|id| self.store().log().event(id)).transpose()?.flatten()
            && let Event::AssignmentCreated { run, week, .. } = recorded.event
        {
            return Ok(Some(WeekRef { stream: recorded.stream, run, week }));
        }
        let (rows, _) = self.snapshot()?.rows::<Names>()?;
        for meaning in names::meanings(&rows, id)? {
            if let Meaning::Assignment { week, document, stream }
            | Meaning::LegacyId { week, document, stream } = meaning
                && let Ok(stream) = stream.parse::<StreamId>()
            {
                // The document may have been imported again with another week.
                let folded = self.series(&stream)?;
                let (run, week) = folded
                    .series
                    .items
                    .document(&document)
                    .map_or((1, week), |item| (item.run, item.week()));
                return Ok(Some(WeekRef { stream, run, week }));
            }
        }
        Ok(None)
    }

    /// The series stream where a response is answered.
    ///
    /// # Errors
    /// [`StoreError::UnknownResponse`] when no response has this id.
    pub fn response(&self, id: &str) -> Result<StreamId, StoreError> {
        if let Some(recorded) =
            id.parse::<Uuid>().ok().map(|id| self.store().log().event(id)).transpose()?.flatten()
            && matches!(recorded.event, Event::ResponseSubmitted { .. })
        {
            return Ok(recorded.stream);
        }
        let (rows, _) = self.snapshot()?.rows::<Names>()?;
        let stream = names::meanings(&rows, id)?.into_iter().find_map(|meaning| match meaning {
            Meaning::Response { stream, .. } => stream.parse().ok(),
            Meaning::Assignment { .. } | Meaning::LegacyId { .. } => None,
        });
        stream.ok_or_else(|| StoreError::UnknownResponse(id.to_owned()))
    }
}
