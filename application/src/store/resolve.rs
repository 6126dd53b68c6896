//! Resolves the id of a week or a response. An id that once named something resolves forever. This
//! module defines the order in which the possible meanings are tried.

use rollbook_domain::{Event, StreamId};
use rollbook_projections::names::{self, Meaning, Names};
use uuid::Uuid;

use super::reading::{FoldedSeries, Reading};
use super::{Store, StoreError};

/// One week of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekRef {
    /// The stream of the series.
    pub stream: StreamId,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
}

impl Store {
    /// Folds a series from its whole stream, without the cache.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn fold_series(&self, stream: &StreamId) -> Result<FoldedSeries, StoreError> {
        self.counts.series_fold();
        let mut folded = FoldedSeries::default();
        for recorded in self.log().stream(stream, 0)? {
            folded.apply(stream, &recorded.event, recorded.version);
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
    /// Returns the week that an id names: the id of an assignment, a document id, a legacy id, or
    /// `<base>_week_<n>`.
    ///
    /// # Errors
    /// [`StoreError::UnknownAssignment`] if the id names no week.
    pub fn assignment(&self, id: &str) -> Result<WeekRef, StoreError> {
        Ok(self.named_assignment(id)?.0)
    }

    /// Returns the week that an id names, and the id of the stored assignment; `None` if the week
    /// is not stored.
    ///
    /// # Errors
    /// As [`Reading::assignment`].
    pub fn named_assignment(&self, id: &str) -> Result<(WeekRef, Option<String>), StoreError> {
        if let Some(named) = self.assignment_named(id)? {
            return Ok(named);
        }
        if let Some((base, week)) =
            id.rsplit_once("_week_").and_then(|(base, week)| Some((base, week.parse().ok()?)))
            && let Some((base, _)) = self.assignment_named(base)?
        {
            return Ok((WeekRef { week, ..base }, None));
        }
        Err(StoreError::UnknownAssignment(id.to_owned()))
    }

    fn assignment_named(&self, id: &str) -> Result<Option<(WeekRef, Option<String>)>, StoreError> {
        let uuid = id.parse::<Uuid>().ok();
        if let Some(uuid) = uuid
            && let Some(recorded) = self.store().log().event(uuid)?
            && let Event::AssignmentCreated { run, week, .. } = recorded.event
        {
            let week = WeekRef { stream: recorded.stream, run, week };
            return Ok(Some((week, Some(uuid.to_string()))));
        }
        let (rows, _) = self.snapshot()?.rows::<Names>()?;
        let documents: Vec<(String, u32, String)> = names::meanings(&rows, id)?
            .into_iter()
            .filter_map(|meaning| match meaning {
                Meaning::Assignment { week, document, stream }
                | Meaning::LegacyId { week, document, stream } => Some((stream, week, document)),
                Meaning::Response { .. } => None,
            })
            .collect();
        for (name, week, document) in &documents {
            let Ok(stream) = name.parse::<StreamId>() else { continue };
            let items = &self.series(&stream)?.series.items;
            // A later import may have given the document another week.
            let (run, week) =
                items.document(document).map_or((1, *week), |item| (item.run, item.week()));
            // Several documents of a week may share an id. The views show the one that represents
            // the week.
            let shown = items.week(run, week).filter(|item| {
                documents.iter().any(|(other, _, document)| other == name && item.has_id(document))
            });
            let meant = if document == id { items.document(document) } else { shown };
            let meant = meant.map_or(document, |item| &item.stored.document).clone();
            return Ok(Some((WeekRef { stream, run, week }, Some(meant))));
        }
        Ok(None)
    }

    /// Returns the stream of the series that a response belongs to.
    ///
    /// # Errors
    /// [`StoreError::UnknownResponse`] if no response has this id.
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
