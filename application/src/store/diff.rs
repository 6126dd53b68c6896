//! Compares a client's list at two positions: pairs the entries of both lists, and finds the events
//! that caused each difference.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_domain::event::View;
use rollbook_domain::{Actor, EventRecord, Position, StreamId, Timestamp};
use rollbook_projections::as_of;
use rollbook_projections::entry::ListParameters;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Store, ViewAnswer, ViewChoice};
use crate::store::StoreError;

/// The differences between two lists of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Diff {
    /// The client's id, as given.
    pub client: String,
    /// The time for which both lists are rendered, so that the passage of time causes no
    /// difference.
    pub at: Timestamp,
    /// The earlier side.
    pub from: Side,
    /// The later side.
    pub to: Side,
    /// Check-ins that only the later list has.
    pub added: Vec<EntryChange>,
    /// Check-ins that only the earlier list has.
    pub removed: Vec<EntryChange>,
    /// Check-ins that differ between the lists.
    pub changed: Vec<EntryChange>,
    /// The events that caused the differences, in the order of the log.
    pub events: Vec<DiffEvent>,
}

/// One of the two lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Side {
    /// The position.
    pub position: Position,
    /// The time at which the position was recorded; `None` for position 0.
    pub recorded_at: Option<Timestamp>,
    /// The view of the list.
    pub view: View,
    /// The summary of the list.
    pub summary: Value,
}

/// A check-in that was added, removed or changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryChange {
    /// The id of the check-in: in the later list if it is there.
    pub id: String,
    /// The form.
    pub form_id: String,
    /// The week.
    pub week: u64,
    /// The fields that differ, by name. An added or removed check-in has all its fields.
    pub fields: BTreeMap<String, FieldChange>,
    /// The positions of the events that caused it.
    pub events: Vec<Position>,
}

/// A field in both lists; `None` if a list does not have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The earlier side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The later side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// An event that changed the client's list, without personal content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DiffEvent {
    /// The position of the event.
    pub position: Position,
    /// The time of recording.
    pub recorded_at: Timestamp,
    /// The time of the event.
    pub occurred_at: Timestamp,
    /// The actor.
    pub actor: Actor,
    /// The cause: a request id, or the digest of a batch.
    pub cause: String,
    /// The stream.
    pub stream: StreamId,
    /// The name of the event.
    pub event: String,
}

impl Store {
    /// Compares a client's lists at two positions, rendered for the same time.
    ///
    /// # Errors
    /// If a position is beyond the head, if the second is before the first, or if the store cannot
    /// be read.
    pub fn diff(
        &self,
        client: &str,
        asking: ViewChoice,
        asked: ListParameters,
        from: Position,
        to: Position,
    ) -> Result<Diff, StoreError> {
        if from > to {
            return Err(StoreError::Range(format!(
                "position {from} comes after {to}; give the earlier position first"
            )));
        }
        let mut search = Search { store: self, client, asking, asked, answers: HashMap::new() };
        let (before, after) = (search.answer(from)?, search.answer(to)?);
        let mut changes = pair(&before, &after);
        let candidates = search.candidates(from, to)?;
        let mut effective = Vec::new();
        search.find(from, &candidates, &mut effective)?;
        for (earlier, position) in &effective {
            let step = pair(&search.answer(*earlier)?, &search.answer(*position)?);
            let touched: BTreeSet<&String> = step.iter().flat_map(|change| &change.ids).collect();
            for change in
                changes.iter_mut().filter(|change| change.ids.iter().any(|id| touched.contains(id)))
            {
                change.events.push(*position);
            }
        }
        let mut diff = Diff {
            client: client.to_owned(),
            at: asked.now,
            from: self.side(from, &before)?,
            to: self.side(to, &after)?,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            events: effective
                .iter()
                .map(|(_, position)| self.diff_event(*position))
                .collect::<Result<_, _>>()?,
        };
        for change in changes {
            match change.kind() {
                Kind::Added => diff.added.push(change.into_entry()),
                Kind::Removed => diff.removed.push(change.into_entry()),
                Kind::Changed => diff.changed.push(change.into_entry()),
            }
        }
        Ok(diff)
    }

    fn side(&self, position: Position, list: &List) -> Result<Side, StoreError> {
        Ok(Side {
            position,
            recorded_at: self.recorded_at(position)?,
            view: list.view,
            summary: list.summary.clone(),
        })
    }

    fn diff_event(&self, position: Position) -> Result<DiffEvent, StoreError> {
        let found = self.log().at(position)?;
        let beyond = || rollbook_log::LogError::BeyondHead { position, head: self.log().head() };
        let EventRecord { recorded_at, occurred_at, actor, cause, stream, event, .. } =
            found.ok_or_else(beyond)?;
        Ok(DiffEvent {
            position,
            recorded_at,
            occurred_at,
            actor,
            cause,
            stream,
            event: event.name().to_owned(),
        })
    }
}

/// A check-in of a list.
type Entry = Map<String, Value>;

/// The form and the week of a check-in.
type Place = (String, u64);

/// A client's list at one position.
#[derive(Clone)]
struct List {
    view: View,
    body: String,
    summary: Value,
    entries: Vec<Entry>,
}

impl List {
    fn of(view: View, body: String) -> Result<Self, StoreError> {
        let value: Value = serde_json::from_str(&body).map_err(StoreError::Body)?;
        let entries =
            value.pointer("/data/checkins").and_then(Value::as_array).into_iter().flatten();
        let entries = entries.filter_map(Value::as_object).cloned().collect();
        let summary = value.pointer("/data/summary").cloned().unwrap_or_default();
        Ok(Self { view, body, summary, entries })
    }
}

/// Compares two rendered lists of one view.
pub(super) fn between(
    view: View,
    before: String,
    after: String,
) -> Result<Vec<EntryChange>, StoreError> {
    let changes = pair(&List::of(view, before)?, &List::of(view, after)?);
    Ok(changes.into_iter().map(Change::into_entry).collect())
}

/// The search for the events that caused a difference.
struct Search<'s> {
    store: &'s Store,
    client: &'s str,
    asking: ViewChoice,
    asked: ListParameters,
    /// The lists that were rendered already, by position.
    answers: HashMap<Position, List>,
}

impl Search<'_> {
    fn answer(&mut self, position: Position) -> Result<List, StoreError> {
        if let Some(list) = self.answers.get(&position) {
            return Ok(list.clone());
        }
        let ViewAnswer { view, body, .. } =
            self.store.check_ins(self.asking, self.client, self.asked, Some(position))?;
        let list = List::of(view, body)?;
        self.answers.insert(position, list.clone());
        Ok(list)
    }

    /// Returns the positions between both sides of all events that can have changed the list.
    fn candidates(&self, from: Position, to: Position) -> Result<Vec<Position>, StoreError> {
        let mut streams = BTreeSet::new();
        for view in [View::Legacy, View::Precreated] {
            for position in [from, to] {
                streams.extend(
                    as_of::client(self.store.runtime(), view, self.client, position)?.streams,
                );
            }
        }
        let mut positions = BTreeSet::new();
        for stream in streams {
            let events = self.store.log().stream_until(&stream, 0, to)?;
            positions.extend(
                events.iter().map(|recorded| recorded.position).filter(|position| *position > from),
            );
        }
        Ok(positions.into_iter().collect())
    }

    /// Finds the events that changed the list by bisection of the candidates after `before`. Each
    /// one goes to `found`, with the candidate before it. A half whose ends have equal lists is
    /// skipped: its changes cancel each other.
    fn find(
        &mut self,
        before: Position,
        candidates: &[Position],
        found: &mut Vec<(Position, Position)>,
    ) -> Result<(), StoreError> {
        let Some(last) = candidates.last() else { return Ok(()) };
        let (at_start, at_end) = (self.answer(before)?, self.answer(*last)?);
        if at_start.view == at_end.view && at_start.body == at_end.body {
            return Ok(());
        }
        let (first_half, second_half) = candidates.split_at(candidates.len() / 2);
        match first_half.last() {
            None => found.push((before, *last)),
            Some(middle) => {
                self.find(before, first_half, found)?;
                self.find(*middle, second_half, found)?;
            }
        }
        Ok(())
    }
}

enum Kind {
    Added,
    Removed,
    Changed,
}

/// A difference that is not reported yet.
struct Change {
    before: Option<Entry>,
    after: Option<Entry>,
    /// Every id of the check-in on either side.
    ids: BTreeSet<String>,
    events: Vec<Position>,
}

fn field<'a>(entry: &'a Entry, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn place(entry: &Entry) -> Place {
    (
        field(entry, "formId").to_owned(),
        entry.get("recurringWeek").and_then(Value::as_u64).unwrap_or_default(),
    )
}

impl Change {
    fn of(before: Option<&Entry>, after: Option<&Entry>) -> Self {
        let ids = before
            .into_iter()
            .chain(after)
            .flat_map(|entry| [field(entry, "id"), field(entry, "documentId")]);
        let ids = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Self { before: before.cloned(), after: after.cloned(), ids, events: Vec::new() }
    }

    fn kind(&self) -> Kind {
        match (&self.before, &self.after) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        }
    }

    fn into_entry(self) -> EntryChange {
        let (before, after) = (self.before.unwrap_or_default(), self.after.unwrap_or_default());
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differs = |name: &&&String| before.get(**name) != after.get(**name);
        let change = |name: &String| FieldChange {
            from: before.get(name).cloned(),
            to: after.get(name).cloned(),
        };
        let fields =
            names.iter().filter(differs).map(|name| ((*name).clone(), change(name))).collect();
        let shown = if after.is_empty() { &before } else { &after };
        let (form_id, week) = place(shown);
        EntryChange {
            id: field(shown, "id").to_owned(),
            form_id,
            week,
            fields,
            events: self.events,
        }
    }
}

/// Pairs the entries of two lists and returns the differences. Entries pair by id, or by form and
/// week if a switch gave a week another id.
fn pair(before: &List, after: &List) -> Vec<Change> {
    let mut old: Vec<Option<&Entry>> = before.entries.iter().map(Some).collect();
    let mut new: Vec<Option<&Entry>> = after.entries.iter().map(Some).collect();
    let mut changes = Vec::new();
    let mut take = |key: &dyn Fn(&Entry) -> Place| {
        for slot in &mut new {
            let Some(entry) = *slot else { continue };
            let wanted = key(entry);
            let mut same =
                old.iter_mut().filter(|other| other.is_some_and(|other| key(other) == wanted));
            if let (Some(only), None) = (same.next(), same.next()) {
                if *only != Some(entry) {
                    changes.push(Change::of(*only, Some(entry)));
                }
                (*only, *slot) = (None, None);
            }
        }
    };
    take(&|entry| (field(entry, "id").to_owned(), 0));
    take(&place);
    changes.extend(old.into_iter().flatten().map(|entry| Change::of(Some(entry), None)));
    changes.extend(new.into_iter().flatten().map(|entry| Change::of(None, Some(entry))));
    changes
}
