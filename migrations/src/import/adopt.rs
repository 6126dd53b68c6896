//! Adoption: a document that an import brings for a week that was made before becomes that week.
//!
//! Without it, a client who answers in the old application after the migration would have the week
//! twice. Which weeks are adopted follows from the series as the import leaves it, so an import of
//! the same export again also adopts what an interrupted or an earlier import left.

use std::collections::BTreeMap;

use rollbook_domain::event::Origin;
use rollbook_domain::series::items::replaces;
use rollbook_domain::series::{Item, Series, event_id};
use rollbook_domain::{Event, NewEvent, StreamId, Timestamp};
use rollbook_projections::views::{self, PrecreatedView};
use rollbook_projections::{ProjectionError, Runtime, Snapshot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ImportPlan;
use crate::error::MigrationError;

/// A document that an import made the week that was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// The stream of the series.
    pub series: String,
    /// The week.
    pub week: u32,
    /// The id of the document.
    pub document: String,
    /// The id of the assignment that it became.
    pub assignment: String,
}

impl Adoption {
    /// The adoption that an event of a series records, if it records one.
    pub(super) fn of(stream: &StreamId, event: &Event) -> Option<Self> {
        let Event::DocumentAdopted { assignment, week, document, .. } = event else { return None };
        Some(Self {
            series: stream.to_string(),
            week: *week,
            document: document.clone(),
            assignment: assignment.to_string(),
        })
    }
}

/// Why an assignment was created, by its id; `None` if no event created it.
pub type OriginOf<'a> = &'a dyn Fn(Uuid) -> Result<Option<Origin>, ProjectionError>;

/// The events that adopt the documents of a series. A document is adopted by a week that was made
/// for the same run; of several documents for one week, it is the one that represents the week. If
/// the client answered both here, they stay two.
///
/// A run that a coach allocated here adopts nothing: the old application then has an allocation of
/// its own, and the week is a duplicate.
///
/// # Errors
/// If an origin cannot be read.
pub fn adoptions(series: &Series, origin: OriginOf<'_>) -> Result<Vec<Event>, ProjectionError> {
    let mut events = Vec::new();
    for run in series.run_numbers() {
        let items: Vec<&Item> = series.items.iter().filter(|item| item.run == run).collect();
        if is_allocated(&items, origin)? {
            continue;
        }
        for week in items.chunk_by(|a, b| a.week() == b.week()) {
            let made = week.iter().find_map(|item| Some((made(item)?, item.answered_here())));
            let document = (week.iter().copied())
                .filter(|item| item.imported && item.alias.is_none())
                .reduce(|held, item| if replaces(item, held) { item } else { held });
            if let (Some((assignment, made_is_answered)), Some(item)) = (made, document)
                && !(made_is_answered && item.answered_here())
            {
                let (week, document) = (item.week(), item.stored.document.clone());
                events.push(Event::DocumentAdopted { assignment, run, week, document });
            }
        }
    }
    Ok(events)
}

/// The id of a week that was not imported.
fn made(item: &Item) -> Option<Uuid> {
    if item.imported { None } else { item.stored.document.parse().ok() }
}

/// Whether week 1 of a run was allocated here.
fn is_allocated(items: &[&Item], origin: OriginOf<'_>) -> Result<bool, ProjectionError> {
    for assignment in items.iter().filter(|item| item.week() == 1).filter_map(|item| made(item)) {
        if origin(assignment)? == Some(Origin::Allocation) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Why an assignment was created; `None` if no event created it.
pub(super) fn origin_of(runtime: &Runtime, id: Uuid) -> Result<Option<Origin>, ProjectionError> {
    match runtime.log().event(id)?.map(|found| found.event) {
        Some(Event::AssignmentCreated { origin, .. }) => Ok(Some(origin)),
        _ => Ok(None),
    }
}

/// Adds the events to a plan that adopt what the plan brings, and what was not adopted before.
///
/// # Errors
/// If the rows or the log cannot be read.
pub(super) fn add_adoptions(
    plan: &mut ImportPlan,
    runtime: &Runtime,
    snapshot: &Snapshot,
) -> Result<Vec<Adoption>, MigrationError> {
    let mut planned: BTreeMap<&StreamId, Vec<&NewEvent>> = BTreeMap::new();
    for event in &plan.events {
        planned.entry(&event.stream).or_default().push(event);
    }
    let origin = |assignment| origin_of(runtime, assignment);
    let mut found: BTreeMap<StreamId, Vec<Event>> = BTreeMap::new();
    let (rows, _) = snapshot.rows::<PrecreatedView>()?;
    views::each_series(&rows, &mut |stream, mut series: Series| {
        if series.items.iter().all(|item| item.imported) || runtime.log().is_erased(&stream) {
            return Ok(());
        }
        for event in planned.get(&stream).into_iter().flatten() {
            series.apply(&stream, &event.event);
        }
        let events = adoptions(&series, &origin)?;
        if !events.is_empty() {
            found.insert(stream, events);
        }
        Ok(())
    })?;
    let adopted = found.iter().flat_map(|(stream, events)| {
        events.iter().filter_map(move |event| Adoption::of(stream, event))
    });
    let adopted = adopted.collect();
    plan.insert_after_documents(found);
    Ok(adopted)
}

/// An event of an adoption, with its id. The number of the import is part of the id, because a
/// document may be adopted, removed and adopted again.
pub(super) fn new_event(
    stream: &StreamId,
    event: Event,
    (imports_before, occurred_at): (u64, Timestamp),
) -> NewEvent {
    let number = (imports_before + 1).to_string();
    let id = match &event {
        Event::DocumentAdopted { assignment, document, .. } => {
            event_id(stream, &["adopted", document, &assignment.to_string(), &number])
        }
        other => event_id(stream, &[other.name(), &number]),
    };
    NewEvent { stream: stream.clone(), id: Some(id), occurred_at, event }
}

impl ImportPlan {
    /// Inserts events behind those of their streams.
    fn insert_after_documents(&mut self, mut added: BTreeMap<StreamId, Vec<Event>>) {
        if added.is_empty() {
            return;
        }
        let place = (self.imports_before, self.completed_at);
        let new = |stream: &StreamId, event: Event| new_event(stream, event, place);
        let mut events = Vec::with_capacity(self.events.len() + added.len());
        let mut documents = std::mem::take(&mut self.events).into_iter().peekable();
        while let Some(document) = documents.next() {
            let stream = document.stream.clone();
            events.push(document);
            if documents.peek().is_none_or(|next| next.stream != stream) {
                let of_stream = added.remove(&stream).unwrap_or_default();
                events.extend(of_stream.into_iter().map(|event| new(&stream, event)));
            }
        }
        for (stream, of_stream) in added {
            events.extend(of_stream.into_iter().map(|event| new(&stream, event)));
        }
        self.digest = super::events_digest(&events);
        self.events = events;
    }
}
