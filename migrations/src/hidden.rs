//! Responses that are in no view although no record says why.
//!
//! A response is *given* when a client submits it, when an imported assignment names it, or when a
//! migration links it. It is *in a view* if an entry carries its `responseId`. It may leave the
//! views for a reason that is on record: it was withdrawn or cleared, an import
//! removed it, or the client was erased.
//! A response that never belonged to a week is not given in this sense: the audit names it.
//!
//! [`Trail`] follows the responses of one series through its events.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::document::StoredAssignment;
use rollbook_domain::event::{LinkKind, Placement};
use rollbook_domain::series::{Item, LegacySeries, Series};
use rollbook_domain::{Collection, Content, Document, Event, Position, StreamId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a response is in no view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its assignment was withdrawn.
    Withdrawn,
    /// It was cleared.
    Cleared,
    /// An import removed it, or its assignment no longer names it.
    Removed,
    /// The client was erased.
    Erased,
    /// The correction that placed it was undone, and it belonged to no week before.
    Corrected,
}

/// A response that is in no view, and what hid it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenResponse {
    /// The response.
    pub response: String,
    /// The run that it was given for.
    pub run: u32,
    /// The week that it was given for.
    pub week: u32,
    /// The position of the event that hid it.
    pub position: Position,
    /// The name of that event.
    pub event: &'static str,
    /// The response that holds the week instead.
    pub holder: Option<String>,
}

/// The response that an event gives, with its run and week.
pub fn given_by(event: &Event) -> Option<(&str, u32, u32)> {
    match event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => {
            let stored = assignment_of(document)?;
            Some((stored.response_id()?, 1, stored.week()))
        }
        Event::ResponseSubmitted { response, run, week, .. } => Some((response, *run, *week)),
        Event::ResponseLinked { response, run, week, kind: LinkKind::Linked, .. }
        | Event::ResponsePlaced(Placement { response, run, week, .. }) => {
            Some((response, *run, *week))
        }
        _ => None,
    }
}

fn assignment_of(document: &Document) -> Option<&StoredAssignment> {
    match document.content() {
        Content::Assignment(stored) => Some(stored),
        _ => None,
    }
}

/// The responses of one series, followed through its events.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    series: Series,
    legacy: LegacySeries,
    /// The run and week of every response that was given.
    given: BTreeMap<String, (u32, u32)>,
    /// The response that each document names now.
    named: BTreeMap<String, String>,
    /// What the records say about responses that are in no view.
    recorded: BTreeMap<String, Reason>,
    /// The event since which a response is in no view.
    since: BTreeMap<String, (Position, &'static str)>,
    /// What was known of a response before a correction placed it, by correction.
    before_correction: BTreeMap<Uuid, BeforeCorrection>,
}

/// What was known of a response before a correction placed it.
#[derive(Clone, Debug)]
struct BeforeCorrection {
    response: String,
    given: Option<(u32, u32)>,
    recorded: Option<Reason>,
}

impl Trail {
    /// Follows one event of the stream.
    pub fn follow(&mut self, stream: &StreamId, position: Position, event: &Event) {
        if let Event::Erased(event) = event {
            return self.erase(event);
        }
        let before = Held::of(self);
        self.series.apply(stream, event);
        self.legacy.apply(stream, event);
        self.tell(event, &before);
        if let Some((response, run, week)) = given_by(event) {
            if self.recorded.get(response) == Some(&Reason::Removed) {
                self.recorded.remove(response);
            }
            self.given.insert(response.to_owned(), (run, week));
        }
        let shown = self.shown();
        let is_shown = |response: &String| shown.contains(response);
        self.recorded.retain(|response, _| !is_shown(response));
        self.since.retain(|response, _| !is_shown(response));
        for response in self.given.keys().filter(|response| !is_shown(response)) {
            let since = (position, event.name());
            self.since.entry(response.clone()).or_insert(since);
        }
    }

    /// What remains known of the responses of an erased client: the ids.
    fn erase(&mut self, event: &Event) {
        let document = match event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                (document.collection == Collection::FormResponses).then_some(&document.id)
            }
            _ => None,
        };
        let given = given_by(event).map(|(response, ..)| response.to_owned());
        if let Some(response) = given.or_else(|| document.cloned()) {
            self.recorded.insert(response, Reason::Erased);
        }
    }

    /// The reasons that an event records.
    fn tell(&mut self, event: &Event, before: &Held) {
        match event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                let Some(stored) = assignment_of(document) else { return };
                let names = stored.response_id();
                let earlier = self.named.remove(&document.id);
                if let Some(names) = names {
                    self.named.insert(document.id.clone(), names.to_owned());
                }
                if let Some(earlier) = earlier.filter(|earlier| names != Some(earlier)) {
                    self.recorded.insert(earlier, Reason::Removed);
                }
            }
            Event::DocumentRemoved { collection: Collection::CheckInAssignments, id } => {
                if let Some(earlier) = self.named.remove(id) {
                    self.recorded.insert(earlier, Reason::Removed);
                }
            }
            Event::DocumentRemoved { collection: Collection::FormResponses, id } => {
                self.recorded.insert(id.clone(), Reason::Removed);
            }
            Event::SeriesWithdrawn { .. }
            | Event::AssignmentWithdrawn { .. }
            | Event::DuplicateWithdrawn { .. } => {
                let now = Held::of(self);
                for gone in before.ids.difference(&now.ids) {
                    if let Some(named) = self.named.get(gone) {
                        self.recorded.insert(named.clone(), Reason::Withdrawn);
                    }
                }
                for response in before.responses.difference(&now.responses) {
                    self.recorded.insert(response.clone(), Reason::Withdrawn);
                }
            }
            Event::ResponsePlaced(Placement { correction, response, .. }) => {
                let known = BeforeCorrection {
                    response: response.clone(),
                    given: self.given.get(response).copied(),
                    recorded: self.recorded.get(response).copied(),
                };
                self.before_correction.insert(*correction, known);
            }
            Event::CorrectionUndone { correction, .. } => {
                let known = self.before_correction.remove(correction);
                let now = Held::of(self).responses;
                if let Some(known) = known.filter(|known| !now.contains(&known.response)) {
                    self.uncorrect(known);
                }
            }
            Event::ResponseCleared { response, .. } | Event::DuplicateCleared { response, .. } => {
                self.recorded.insert(response.clone(), Reason::Cleared);
            }
            _ => {}
        }
    }

    /// Returns what is known of a response to what it was before a correction that is undone: a
    /// response that was in no view without a record is a finding again.
    fn uncorrect(&mut self, known: BeforeCorrection) {
        let reason = match known.given {
            Some(place) => {
                self.given.insert(known.response.clone(), place);
                known.recorded
            }
            None => Some(Reason::Corrected),
        };
        if let Some(reason) = reason {
            self.recorded.insert(known.response, reason);
        }
    }

    /// The responses that the entries of either view carry, as far as one series decides.
    fn shown(&self) -> BTreeSet<String> {
        let legacy = &self.legacy.stored.items;
        // The legacy view lists every document that is not part of a series.
        let single = |item: &&Item| !(item.stored.recurring && item.stored.total_weeks > 1);
        let entries =
            self.series.items.shown().chain(legacy.shown()).chain(legacy.iter().filter(single));
        entries.filter_map(|item| item.stored.response_id()).map(str::to_owned).collect()
    }

    /// Every response that was given, in order.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Whether an entry of either view carries a response, as far as this series decides.
    pub fn is_shown(&self, response: &str) -> bool {
        self.given.contains_key(response) && !self.since.contains_key(response)
    }

    /// What the records say about a response that is in no view.
    pub fn reason(&self, response: &str) -> Option<Reason> {
        self.recorded.get(response).copied()
    }

    /// The given responses for which `is_shown` is false and no record says why.
    pub fn hidden(&self, is_shown: impl Fn(&str) -> bool) -> Vec<HiddenResponse> {
        let untold = self
            .given
            .iter()
            .filter(|(response, _)| !is_shown(response) && !self.recorded.contains_key(*response));
        untold
            .map(|(response, (run, week))| {
                let (position, event) = self.since.get(response).copied().unwrap_or_default();
                HiddenResponse {
                    response: response.clone(),
                    run: *run,
                    week: *week,
                    position,
                    event,
                    holder: self.holder(*run, *week),
                }
            })
            .collect()
    }

    /// The response that the entry of a week carries.
    fn holder(&self, run: u32, week: u32) -> Option<String> {
        let mut shown = self.series.items.shown().chain(self.legacy.stored.items.shown());
        let holds = |item: &&Item| item.run == run && item.week() == week;
        shown.find_map(|item| Some(item).filter(holds)?.stored.response_id().map(str::to_owned))
    }

    /// The series as it is in the pre-created view.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// The series as it is in the legacy view.
    pub fn legacy(&self) -> &LegacySeries {
        &self.legacy
    }
}

/// What the items of a series hold, in either view.
struct Held {
    /// The ids of the items, with their aliases.
    ids: BTreeSet<String>,
    responses: BTreeSet<String>,
}

impl Held {
    fn of(trail: &Trail) -> Self {
        let items = || trail.series.items.iter().chain(trail.legacy.stored.items.iter());
        let ids = items().flat_map(|item| {
            [Some(item.stored.document.as_str()), item.alias()]
                .into_iter()
                .flatten()
                .map(str::to_owned)
        });
        let responses = items().filter_map(|item| item.stored.response_id()).map(str::to_owned);
        Self { ids: ids.collect(), responses: responses.collect() }
    }
}
