//! What is known of one client beyond an instant: which stored week is what in which view, and from what the legacy view would
//! have made it. Owns the causes that lie in the rows; which difference they explain is `explain`'s and `presence`'s.

use std::collections::{BTreeSet, HashMap, HashSet};

use rollbook_domain::Timestamp;
use rollbook_domain::document::{Field, StoredAssignment, StoredResponse};
use rollbook_domain::event::LinkKind;
use rollbook_domain::series::items::replaces;
use rollbook_domain::series::{Item, LegacySeries, Series, assignment_id};
use rollbook_projections::entry::Entry;

use super::report::Class;

/// A week of a form, over all of a client's identities: (form by number, run, week).
pub(super) type Key = (u32, u32, u32);

/// A stored week with its row.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) key: Key,
    pub(super) item: &'a Item,
    pub(super) row: &'a Series,
}

/// What the legacy view makes a week of, before any of its weeks hides another.
#[derive(Clone, Copy)]
pub(super) enum Counterpart<'a> {
    /// The same document.
    Stored(&'a StoredAssignment),
    /// A copy of this base.
    Copy(&'a StoredAssignment),
    /// Nothing.
    None,
}

/// One week as the pre-created view has it, shown or not.
pub(super) struct Slot<'a> {
    pub(super) place: Place<'a>,
    pub(super) counterpart: Counterpart<'a>,
    /// The response that a migration linked to this week, where the week shows it.
    pub(super) linked: Option<&'a StoredResponse>,
    /// Whether the week's id is the one that it must have as a week made here.
    pub(super) has_derived_id: bool,
}

/// The stored weeks of one form and one stored client id: what the legacy view takes for a series.
#[derive(Default)]
pub(super) struct Group<'a> {
    /// Whether rule 8 makes a series of it at all.
    pub(super) is_series: bool,
    /// The recurring weeks that are held: rule 11.
    pub(super) held: BTreeSet<u32>,
    /// The runs that they are of.
    pub(super) runs: BTreeSet<u32>,
    /// The documents that can be the base: several are doubles.
    pub(super) bases: Vec<&'a StoredAssignment>,
}

pub(super) struct Facts<'a> {
    pub(super) forms: Vec<&'a str>,
    /// Weeks of both views, by the address of what their entries point to.
    by_address: HashMap<usize, Place<'a>>,
    legacy: HashMap<&'a str, Place<'a>>,
    precreated: HashMap<&'a str, Place<'a>>,
    slots: HashMap<Key, Slot<'a>>,
    groups: HashMap<(u32, &'a str), Group<'a>>,
    /// The responses that coaches answered, as the legacy view knows them.
    pub(super) feedback: HashSet<&'a str>,
}

impl<'a> Group<'a> {
    /// The document that the legacy view counts from: its rules 9 and 10, with what is missing read as now.
    pub(super) fn base(&self, now: Timestamp) -> Option<&'a StoredAssignment> {
        let due = |stored: &StoredAssignment| stored.due.value().copied().unwrap_or(now);
        let assigned_at = |stored: &StoredAssignment| stored.assigned_at.unwrap_or(now);
        let replaces = |candidate: &StoredAssignment, held: &StoredAssignment| match (
            candidate.is_completed(),
            held.is_completed(),
        ) {
            (true, false) => true,
            (false, true) => false,
            _ if due(candidate) != due(held) => due(candidate) < due(held),
            _ => assigned_at(candidate) > assigned_at(held),
        };
        self.bases
            .iter()
            .copied()
            .reduce(|held, candidate| if replaces(candidate, held) { candidate } else { held })
    }
}

fn address(stored: &StoredAssignment) -> usize {
    std::ptr::from_ref(stored).addr()
}

/// Whether an entry is a copy that rule 13 of the legacy view made.
pub(super) fn is_generated(entry: &Entry<'_>) -> bool {
    entry.week != entry.stored.week()
}

impl<'a> Facts<'a> {
    pub(super) fn of(ids: &[String], legacy: &'a [LegacySeries], precreated: &'a [Series]) -> Self {
        let mut facts = Self {
            forms: Vec::new(),
            by_address: HashMap::new(),
            legacy: HashMap::new(),
            precreated: HashMap::new(),
            slots: HashMap::new(),
            groups: HashMap::new(),
            feedback: legacy.iter().flat_map(|series| series.stored.feedback_responses()).collect(),
        };
        for row in legacy.iter().map(|series| &series.stored) {
            for item in row.items.iter().filter(|item| ids.contains(&item.stored.client)) {
                let place = facts.place(item, row);
                facts.legacy.insert(&item.stored.document, place);
            }
        }
        for row in precreated {
            for item in row.items.iter() {
                let place = facts.place(item, row);
                facts.precreated.insert(&item.stored.document, place);
            }
        }
        facts.group();
        facts.choose(ids, precreated);
        facts
    }

    fn place(&mut self, item: &'a Item, row: &'a Series) -> Place<'a> {
        let form = item.stored.form.as_str();
        let number = self.forms.iter().position(|held| *held == form).unwrap_or_else(|| {
            self.forms.push(form);
            self.forms.len() - 1
        });
        let place = Place {
            key: (u32::try_from(number).unwrap_or(u32::MAX), item.run, item.week()),
            item,
            row,
        };
        self.by_address.insert(address(&item.stored), place);
        place
    }

    fn group(&mut self) {
        for place in self.legacy.values() {
            let stored = &place.item.stored;
            if !stored.recurring {
                continue;
            }
            let group = self.groups.entry((place.key.0, stored.client.as_str())).or_default();
            group.held.insert(stored.week());
            group.runs.insert(place.item.run);
            if stored.total_weeks > 1 && stored.due != Field::Missing {
                group.is_series = true;
                match group.bases.first().map(|base| base.week()) {
                    Some(week) if week < stored.week() => {}
                    Some(week) if week == stored.week() => group.bases.push(stored),
                    _ => group.bases = vec![stored],
                }
            }
        }
        for group in self.groups.values_mut() {
            group.bases.sort_by_key(|base| &base.document);
        }
    }

    /// Rule 6 of the pre-created view, and what stands against each week in the legacy one.
    fn choose(&mut self, ids: &[String], precreated: &'a [Series]) {
        let mut chosen: HashMap<Key, Place<'a>> = HashMap::new();
        for item in precreated.iter().flat_map(|row| row.items.shown()) {
            let Some(place) = self.precreated.get(item.stored.document.as_str()).copied() else {
                continue;
            };
            let held = chosen.entry(place.key).or_insert(place);
            if replaces(item, held.item) {
                *held = place;
            }
        }
        for (key, place) in chosen {
            let slot = self.slot(ids, place);
            self.slots.insert(key, slot);
        }
    }

    fn slot(&self, ids: &[String], place: Place<'a>) -> Slot<'a> {
        let Place { key: (_, run, week), item, row } = place;
        let stored = &item.stored;
        let base =
            || row.items.base(run).and_then(|base| self.legacy.get(base.stored.document.as_str()));
        let counterpart = match self.legacy.get(stored.document.as_str()) {
            Some(held) => Counterpart::Stored(&held.item.stored),
            None if item.imported => Counterpart::None,
            None => base().map_or(Counterpart::None, |base| Counterpart::Copy(&base.item.stored)),
        };
        let linked = stored.response_id().and_then(|id| match row.linked.get(id) {
            Some((to_run, to_week, LinkKind::Linked)) if (*to_run, *to_week) == (run, week) => {
                row.responses.get(id)
            }
            _ => None,
        });
        let has_derived_id = !item.imported
            && ids.iter().any(|client| {
                assignment_id(client, &stored.form, run, week).to_string() == stored.document
            });
        Slot { place, counterpart, linked, has_derived_id }
    }

    /// The week that an entry of either view is for; a copy belongs to its base's run.
    pub(super) fn key(&self, entry: &Entry<'_>) -> Option<Key> {
        let (form, run, _) = self.by_address.get(&address(entry.stored))?.key;
        Some((form, run, entry.week))
    }

    pub(super) fn slot_of(&self, key: Key) -> Option<&Slot<'a>> {
        self.slots.get(&key)
    }

    /// What the legacy view takes for the series that a week is of.
    pub(super) fn group_of(&self, place: &Place<'a>) -> Option<&Group<'a>> {
        self.groups.get(&(place.key.0, place.item.stored.client.as_str()))
    }

    /// How many documents the legacy view holds for one week of one of a client's identities, whatever their run.
    pub(super) fn doubles(&self, stored: &StoredAssignment) -> usize {
        let is_double = |other: &StoredAssignment| {
            (other.week(), &other.form, &other.client)
                == (stored.week(), &stored.form, &stored.client)
        };
        self.legacy.values().filter(|place| is_double(&place.item.stored)).count()
    }

    /// The week that the pre-created rows hold under this document id.
    pub(super) fn precreated_document(&self, document: &str) -> Option<&Place<'a>> {
        self.precreated.get(document)
    }

    /// Why the legacy view shows a week from another document than the pre-created view does, where both hold both documents.
    pub(super) fn other_document(&self, entry: &Entry<'_>, slot: &Slot<'a>) -> Option<Class> {
        let place = slot.place;
        let shown = self
            .precreated
            .get(entry.stored.document.as_str())
            .filter(|held| held.key.0 == place.key.0)?;
        if shown.item.stored.client != place.item.stored.client {
            return Some(Class::IdentitySplit);
        }
        let instead = match slot.counterpart {
            Counterpart::Copy(base) if is_generated(entry) => base,
            // A week given once on its own, which the legacy view's series does not know.
            Counterpart::Stored(alone) if is_generated(entry) && !alone.recurring => {
                return Some(Class::DuplicateAllocation);
            }
            _ => &place.item.stored,
        };
        let is_double =
            shown.item.stored.document != instead.document && shown.item.week() == instead.week();
        (is_double || shown.item.run != place.item.run).then_some(Class::DuplicateAllocation)
    }
}
