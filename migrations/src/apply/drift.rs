//! Drift: whether a series still is what the batch was planned from.
//!
//! A series has drifted if planning it again yields anything other than the events of the batch
//! that it does not have yet. A response submitted in the meantime is therefore not drift; a base
//! that was moved, renamed or removed is.

use std::collections::HashSet;

use rollbook_domain::series::Series;
use rollbook_domain::{Actor, Event, NewEvent, StreamId};
use rollbook_projections::views;
use rollbook_projections::views::PrecreatedView;

use super::Run;
use crate::batch::short;
use crate::error::MigrationError;

/// How many drifted series an error lists.
const MOST_DRIFTED: usize = 20;

impl Run<'_> {
    /// Compares every series with the batch. Returns how many events of the batch the store lacks.
    pub(super) fn check_drift(&self) -> Result<u64, MigrationError> {
        let mut drifted = Vec::new();
        let mut missing = 0;
        let mut named = HashSet::new();
        let snapshot = self.runtime.snapshot()?;
        let (rows, _) = snapshot.rows::<PrecreatedView>()?;
        self.batch.each_stream(&mut |events| {
            let Some(stream) = events.first().map(|event| event.stream.clone()) else {
                return Ok(());
            };
            let row = rollbook_projections::rows::read_row(
                &rows,
                &rollbook_projections::views::keys::series(&stream),
            )?;
            if !named.insert(stream.clone()) {
                drifted.push(format!("{stream}: its events are in two places of the file"));
            }
            match self.remaining_of_row(&stream, &row.unwrap_or_default(), events)? {
                Ok(remaining) => missing += remaining,
                Err(reason) => drifted.push(format!("{stream}: {reason}")),
            }
            Ok(())
        })?;
        views::each_series(&rows, &mut |stream, series: Series| {
            if !named.contains(&stream) {
                let plan = self.definition.plan_series(&stream, &series);
                if !plan.events.is_empty() {
                    let count = plan.events.len();
                    drifted.push(format!(
                        "{stream}: lacks {count} events that the batch does not have"
                    ));
                }
            }
            Ok(())
        })?;
        if drifted.is_empty() {
            return Ok(missing);
        }
        let total = drifted.len();
        drifted.truncate(MOST_DRIFTED);
        Err(MigrationError::Drift { series: drifted, total })
    }

    /// How many events a series lacks, or why it has drifted.
    fn remaining_of_row(
        &self,
        stream: &StreamId,
        series: &Series,
        events: Vec<NewEvent>,
    ) -> Result<Result<u64, String>, MigrationError> {
        // Nothing is recorded for an erased client: their weeks are neither missing nor drift.
        if self.runtime.log().is_erased(stream) {
            return Ok(Ok(0));
        }
        if let Some(reason) = self.conflict_with_another(&events)? {
            return Ok(Err(reason));
        }
        Ok(self.remaining(stream, series, events).map(|remaining| remaining.len() as u64))
    }

    /// The first event that another batch recorded with the same id and different content, for
    /// example another due date.
    fn conflict_with_another(&self, events: &[NewEvent]) -> Result<Option<String>, MigrationError> {
        let digest = &self.batch.header.digest;
        if self.control.batches.iter().all(|batch| batch.digest == *digest) {
            return Ok(None);
        }
        for event in events {
            let Some(recorded) =
                event.id.map(|id| self.runtime.log().event(id)).transpose()?.flatten()
            else {
                continue;
            };
            let is_of_another =
                matches!(&recorded.actor, Actor::Migration(other) if other != digest);
            if is_of_another && recorded.event != event.event {
                return Ok(Some(format!(
                    "batch {} recorded it differently; this batch has {}",
                    short(&recorded.cause),
                    describe(event)
                )));
            }
        }
        Ok(None)
    }

    /// The events of a series' part of the batch that the series lacks, or why it has drifted.
    pub(super) fn remaining(
        &self,
        stream: &StreamId,
        series: &Series,
        events: Vec<NewEvent>,
    ) -> Result<Vec<NewEvent>, String> {
        let missing: Vec<NewEvent> = events
            .into_iter()
            .filter(|event| !self.definition.is_present(series, &event.event))
            .collect();
        let planned = self.definition.plan_series(stream, series).events;
        if missing == planned {
            return Ok(missing);
        }
        if let Some((run, week)) = missing.iter().find_map(|event| changed(event, &planned)) {
            return Err(format!("week {week} of run {run} changed after the plan"));
        }
        let differing = missing.iter().zip(&planned).find(|(batch, store)| batch != store);
        Err(match differing {
            Some((batch, store)) if batch.id == store.id => {
                format!("{} differs in its content", describe(batch))
            }
            Some((batch, store)) => {
                format!("the batch has {}, the store needs {}", describe(batch), describe(store))
            }
            None => format!(
                "the batch has {} events for it, the store needs {}",
                missing.len(),
                planned.len()
            ),
        })
    }
}

/// The week of an event that changes a week and is not planned any more: its id follows from what
/// the week was.
fn changed(event: &NewEvent, planned: &[NewEvent]) -> Option<(u32, u32)> {
    match event.event {
        Event::AssignmentRescheduled { run, week, .. } | Event::WindowChanged { run, week, .. }
            if planned.iter().all(|planned| planned.id != event.id) =>
        {
            Some((run, week))
        }
        _ => None,
    }
}

fn describe(event: &NewEvent) -> String {
    match &event.event {
        Event::AssignmentCreated { run, week, due, .. } => {
            format!("week {week} of run {run}, due {due}")
        }
        Event::ResponseLinked { response, week, .. } => {
            format!("response {response} linked to week {week}")
        }
        Event::AssignmentRescheduled { run, week, due } => {
            format!("week {week} of run {run} moved to {due}")
        }
        Event::WindowChanged { run, week, .. } => {
            format!("a window for week {week} of run {run}")
        }
        other => other.name().to_owned(),
    }
}
