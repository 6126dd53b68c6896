//! Compares a client's view at two positions: pairs the entries of both, and searches for the
//! events behind each difference.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_domain::event::View;
use rollbook_domain::{Actor, EventRecord, Position, StreamId, Timestamp};
use rollbook_projections::as_of;
use rollbook_projections::entry::Asked;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Store, ViewAnswer, ViewChoice};
use crate::store::StoreError;

/// What changed for a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Diff {
    /// The id that was asked for.
    pub client: String,
    /// The instant that both lists were asked for: nothing differs because time went by.
    pub at: Timestamp,
    /// Before.
    pub from: Side,
    /// After.
    pub to: Side,
    /// Check-ins that are there only after.
    pub added: Vec<EntryChange>,
    /// Check-ins that were there only before.
    pub removed: Vec<EntryChange>,
    /// Check-ins that are there otherwise.
    pub changed: Vec<EntryChange>,
    /// The events that did it, in the order of the log.
    pub events: Vec<DiffEvent>,
}

/// One of the two answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Side {
    /// The position.
    pub position: Position,
    /// When it was recorded; `None` for position 0.
    pub recorded_at: Option<Timestamp>,
    /// The view that answers there.
    pub view: View,
    /// The list's own summary.
    pub summary: Value,
}

/// One check-in that came, went or changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryChange {
    /// Its id; after the change, where it is there then.
    pub id: String,
    /// Its form.
    pub form_id: String,
    /// Its week.
    pub week: u64,
    /// The fields that differ, by name; all fields of one that came or went.
    pub fields: BTreeMap<String, FieldChange>,
    /// The positions of the events that did it.
    pub events: Vec<Position>,
}

/// A field before and after; `None` where it is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// After.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// An event that changed what the client would see. Personal content is not part of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DiffEvent {
    /// Its place in the log.
    pub position: Position,
    /// When the log recorded it.
    pub recorded_at: Timestamp,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// On whose behalf.
    pub actor: Actor,
    /// A request id, or the digest of a batch.
    pub cause: String,
    /// Its stream.
    pub stream: StreamId,
    /// Its name.
    pub event: String,
}

impl Store {
    /// What changed in a client's list between two positions, asked for at one instant.
    ///
    /// # Errors
    /// When a position is beyond the head or the second before the first, or the store cannot be
    /// read.
    pub fn diff(
        &self,
        client: &str,
        asking: ViewChoice,
        asked: Asked,
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
                Kind::Added => diff.added.push(change.told()),
                Kind::Removed => diff.removed.push(change.told()),
                Kind::Changed => diff.changed.push(change.told()),
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

/// A check-in as the answer has it.
type Entry = Map<String, Value>;

/// Where a check-in belongs: form and week.
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

/// What differs between two bodies of one view.
pub(super) fn between(
    view: View,
    before: String,
    after: String,
) -> Result<Vec<EntryChange>, StoreError> {
    let changes = pair(&List::of(view, before)?, &List::of(view, after)?);
    Ok(changes.into_iter().map(Change::told).collect())
}

/// Looks for the events behind a difference.
struct Search<'s> {
    store: &'s Store,
    client: &'s str,
    asking: ViewChoice,
    asked: Asked,
    /// What was answered, by position.
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

    /// The positions in between of all events that could have changed the list.
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

    /// Halves the candidates behind `before` until each event that changed the list stands alone;
    /// those go to `found`, each with the candidate before it. Halves at whose ends the list is the
    /// same are left out: what changed there was changed back.
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
    /// Every id it has on either side.
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

    fn told(self) -> EntryChange {
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

/// Pairs the entries of two lists, by id, and where a switch gave a week another id by form and
/// week; what differs.
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
