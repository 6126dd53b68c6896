//! The stored weeks of a series, and how they change. Owns that an imported document and what happened to it later stay
//! apart, so that a new import of the document takes nothing back that happened here.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{Field, StoredAssignment};
use crate::event::{AssignedStatus, RunTerms, Terms, WeekDue, WeekMove};
use crate::number::Number;
use crate::time::Timestamp;

/// Which fields of a week are no longer its document's, because something happened here after it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Covered {
    answer: Option<Answer>,
    due: bool,
    status: bool,
    paused_until: bool,
    extension_granted: bool,
    total_weeks: bool,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AnsweredBy {
    /// The client gave it here. It outlives the document it was given to.
    Client,
    /// A migration found it among the imported responses.
    Migration,
}

/// How response, time and score came to be what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Answer {
    Given(AnsweredBy),
    Cleared,
}

impl Covered {
    /// Carries over into a new form of the document what happened to the earlier one.
    fn carry(self, earlier: StoredAssignment, stored: &mut StoredAssignment) {
        if self.answer.is_some() {
            stored.response = earlier.response;
            stored.completed_at = earlier.completed_at;
            stored.score = earlier.score;
        }
        if self.due {
            stored.due = earlier.due;
        }
        if self.status {
            stored.status = earlier.status;
        }
        if self.paused_until {
            stored.paused_until = earlier.paused_until;
        }
        stored.extension_granted |= self.extension_granted;
        if self.total_weeks {
            set_total_weeks(stored, earlier.shared.total_weeks);
        }
    }
}

fn set_total_weeks(stored: &mut StoredAssignment, total_weeks: u32) {
    let shared = Arc::make_mut(&mut stored.shared);
    shared.total_weeks = total_weeks;
    shared.recurring |= total_weeks > 1;
}

/// One stored week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The run it belongs to, from 1.
    pub run: u32,
    /// Whether an import brought it.
    pub imported: bool,
    /// The week as it is now.
    pub stored: StoredAssignment,
    pub(super) covered: Covered,
}

impl Item {
    /// A week that no import brought.
    pub fn made(run: u32, stored: StoredAssignment) -> Self {
        Self { run, imported: false, stored, covered: Covered::default() }
    }

    /// The week, from 1.
    pub fn week(&self) -> u32 {
        self.stored.week()
    }

    /// Whether the document said so, or an answer came later.
    pub fn is_completed(&self) -> bool {
        self.stored.is_completed()
    }

    /// A status says nothing against an answer: an answered week keeps its own.
    fn set_status(&mut self, status: &str) {
        if !self.is_completed() {
            status.clone_into(&mut self.stored.status);
            self.covered.status = true;
        }
    }

    fn set_due(&mut self, due: Option<Timestamp>) {
        self.stored.due = due.map_or(Field::Null, Field::Is);
        self.covered.due = true;
    }

    fn set_paused_until(&mut self, until: Option<Timestamp>) {
        self.stored.paused_until = until;
        self.covered.paused_until = true;
    }

    /// The client answered it here.
    pub fn answer(
        &mut self,
        response: &str,
        submitted_at: Option<Timestamp>,
        score: Option<Number>,
    ) {
        self.set_answer(response, submitted_at, score, AnsweredBy::Client);
    }

    /// A migration found its response among the imported ones.
    pub fn link(&mut self, response: &str, completed_at: Option<Timestamp>, score: Option<Number>) {
        self.set_answer(response, completed_at, score, AnsweredBy::Migration);
    }

    fn set_answer(
        &mut self,
        response: &str,
        at: Option<Timestamp>,
        score: Option<Number>,
        by: AnsweredBy,
    ) {
        self.set_status("completed");
        self.stored.response = Field::Is(response.to_owned());
        self.stored.completed_at = at;
        self.stored.score = score;
        self.covered.answer = Some(Answer::Given(by));
    }

    /// Its answer no longer counts.
    pub fn clear(&mut self) {
        self.stored.response = Field::Null;
        self.stored.completed_at = None;
        self.stored.score = None;
        "pending".clone_into(&mut self.stored.status);
        self.covered.answer = Some(Answer::Cleared);
        self.covered.status = true;
    }

    /// A coach gave it a status. An answer is stronger; without one, what was done is done no more.
    pub fn assign_status(&mut self, status: AssignedStatus) {
        if self.stored.response_id().is_some() {
            return;
        }
        if self.is_completed() {
            self.clear();
        }
        self.set_status(status.name());
    }

    /// It is due at another time.
    pub fn reschedule(&mut self, due: Option<Timestamp>) {
        self.set_due(due);
    }

    /// It was marked missed.
    pub fn mark_missed(&mut self) {
        self.set_status("missed");
    }

    /// It was opened again.
    pub fn reopen(&mut self) {
        self.set_status("active");
    }

    /// It rests until then, and is due later.
    pub fn pause(&mut self, until: Timestamp, due: Option<Timestamp>) {
        self.set_status("inactive");
        self.set_due(due);
        self.set_paused_until(Some(until));
    }

    /// It no longer rests, and is due as it was.
    pub fn resume(&mut self, due: Option<Timestamp>) {
        self.set_status("active");
        self.set_due(due);
        self.set_paused_until(None);
    }

    /// The client has more time.
    pub fn extend(&mut self) {
        self.stored.extension_granted = true;
        self.covered.extension_granted = true;
    }

    /// Its run has another number of weeks.
    pub fn set_total_weeks(&mut self, total_weeks: u32) {
        set_total_weeks(&mut self.stored, total_weeks);
        self.covered.total_weeks = true;
    }

    /// Whether the client answered it here.
    fn answered_here(&self) -> bool {
        self.covered.answer == Some(Answer::Given(AnsweredBy::Client))
    }
}

/// Whether `candidate` takes the place of `held` for one week: rule 9 of `docs/spec/legacy-view.md`. A missing due is later than any.
/// What an import brought stands before what was made here, so that the legacy view, which does not have every made week, and
/// the pre-created one agree on which of them an answer is for.
pub fn replaces(candidate: &Item, held: &Item) -> bool {
    let due = |item: &Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
    match (candidate.is_completed(), held.is_completed()) {
        (true, false) => true,
        (false, true) => false,
        _ if candidate.imported != held.imported => candidate.imported,
        _ => match due(candidate).cmp(&due(held)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => candidate.stored.assigned_at > held.stored.assigned_at,
        },
    }
}

/// The stored weeks of one stream, in the order of (run, week, document).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    pub(super) held: Vec<Item>,
    /// Documents that were taken away here: no later import brings them back.
    pub(super) withdrawn: BTreeSet<String>,
}

impl Items {
    /// All of them, doubles included.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.held.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn place(&self, run: u32, week: u32, document: &str) -> Result<usize, usize> {
        self.held.binary_search_by(|item| {
            (item.run, item.week(), item.stored.document.as_str()).cmp(&(run, week, document))
        })
    }

    /// Adds a week that no import brought; one that is there already stays.
    pub fn insert(&mut self, item: Item) {
        if let Err(at) = self.place(item.run, item.week(), &item.stored.document) {
            self.held.insert(at, item);
        }
    }

    /// Stores a document, keeping what happened to an earlier form of it.
    pub fn store(&mut self, mut stored: StoredAssignment) {
        if self.withdrawn.contains(&stored.document) {
            return;
        }
        let earlier = self
            .held
            .iter()
            .position(|item| item.stored.document == stored.document)
            .map(|at| self.held.remove(at));
        let (mut run, mut covered) = (1, Covered::default());
        if let Some(earlier) = earlier {
            (run, covered) = (earlier.run, earlier.covered);
            covered.carry(earlier.stored, &mut stored);
        }
        self.insert(Item { run, imported: true, stored, covered });
    }

    /// An import no longer has the document. A week that was answered here stays.
    pub fn remove(&mut self, document: &str) {
        self.held.retain(|item| {
            !(item.imported && item.stored.document == document) || item.answered_here()
        });
    }

    /// Keeps the items for which `keep` holds; an import may bring the others back.
    pub fn retain(&mut self, keep: impl FnMut(&Item) -> bool) {
        self.held.retain(keep);
    }

    /// Takes away, for good, the items for which `taken` holds.
    pub fn withdraw(&mut self, taken: impl Fn(&Item) -> bool) {
        let withdrawn = &mut self.withdrawn;
        self.held.retain(|item| {
            let is_taken = taken(item);
            if is_taken && item.imported {
                withdrawn.insert(item.stored.document.clone());
            }
            !is_taken
        });
    }

    /// The items of one week, doubles included.
    pub fn of_week(&self, run: u32, week: u32) -> impl Iterator<Item = &Item> {
        let from = self.held.partition_point(|item| (item.run, item.week()) < (run, week));
        self.held.iter().skip(from).take_while(move |item| item.run == run && item.week() == week)
    }

    /// The item that stands for a week: rule 9 among its doubles.
    pub fn week(&self, run: u32, week: u32) -> Option<&Item> {
        self.of_week(run, week).reduce(|held, item| if replaces(item, held) { item } else { held })
    }

    /// The same, to change it.
    pub fn week_mut(&mut self, run: u32, week: u32) -> Option<&mut Item> {
        let document = self.week(run, week)?.stored.document.clone();
        self.at_mut(run, week, &document)
    }

    fn at_mut(&mut self, run: u32, week: u32, document: &str) -> Option<&mut Item> {
        let at = self.place(run, week, document).ok()?;
        self.held.get_mut(at)
    }

    /// The item of a week that has this response, else the one that stands for the week, unless that has another one: what only one
    /// fold knows to be answered takes no answer away from the other.
    pub fn answered_mut(&mut self, run: u32, week: u32, response: &str) -> Option<&mut Item> {
        let named =
            self.of_week(run, week).find(|item| item.stored.response_id() == Some(response));
        let meant = named
            .or_else(|| self.week(run, week).filter(|item| item.stored.response_id().is_none()));
        let document = meant?.stored.document.clone();
        self.at_mut(run, week, &document)
    }

    /// The last item: of the latest run, the greatest week.
    pub fn latest(&self) -> Option<&Item> {
        self.held.last()
    }

    /// The item with this document id.
    pub fn document(&self, document: &str) -> Option<&Item> {
        self.held.iter().find(|item| item.stored.document == document)
    }

    /// The item that answers for each (run, week), in order.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        self.held.chunk_by(|a, b| (a.run, a.week()) == (b.run, b.week())).filter_map(|week| {
            week.iter().reduce(|held, item| if replaces(item, held) { item } else { held })
        })
    }

    /// The base of a run: week 1 with the earliest due, else its first week.
    pub fn base(&self, run: u32) -> Option<&Item> {
        let due =
            |item: &&Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
        let first = self.held.iter().find(|item| item.run == run)?;
        self.of_week(run, first.week()).min_by_key(due)
    }

    /// Every item of a run, to change it.
    pub fn run_mut(&mut self, run: u32) -> impl Iterator<Item = &mut Item> {
        self.held.iter_mut().filter(move |item| item.run == run)
    }

    /// Moves the named weeks, and lets them rest until then. Each double of a week has a move of its own.
    pub fn pause(&mut self, run: u32, until: Timestamp, moved: &[WeekMove]) {
        let mut shifts: Vec<Shift> =
            moved.iter().map(|to| Shift { week: to.week, from: to.from, to: to.to }).collect();
        // Latest first: a double that moves to where another stands must not be taken for it.
        shifts.sort_by_key(|shift| std::cmp::Reverse(shift.from));
        self.shift(run, &shifts, |item, due| item.pause(until, due));
    }

    /// Moves back, of the weeks that a pause moved, those that are restored.
    pub fn resume(&mut self, run: u32, moved: &[WeekMove], restored: &[WeekDue]) {
        let moved_to = |back: &WeekDue| {
            moved
                .iter()
                .find(|moved| moved.week == back.week && moved.from == back.due)
                .and_then(|moved| moved.to)
        };
        let mut shifts: Vec<Shift> = restored
            .iter()
            .map(|back| Shift { week: back.week, from: moved_to(back), to: back.due })
            .collect();
        shifts.sort_by_key(|shift| shift.to);
        self.shift(run, &shifts, |item, due| item.resume(due));
    }

    /// Changes the unanswered items that are due when the shifts say. Where a week has none, because the legacy fold counts its due
    /// otherwise, the made item that stands for it goes where the earliest goes.
    fn shift(&mut self, run: u32, shifts: &[Shift], change: impl Fn(&mut Item, Option<Timestamp>)) {
        let is_meant = |item: &Item, shift: &Shift| {
            !item.is_completed() && item.stored.due.value().copied() == shift.from
        };
        let is_known = |week: u32| {
            let mut of_week = shifts.iter().filter(|shift| shift.week == week);
            of_week.any(|shift| self.of_week(run, week).any(|item| is_meant(item, shift)))
        };
        let known: BTreeSet<u32> =
            shifts.iter().map(|shift| shift.week).filter(|week| is_known(*week)).collect();
        for shift in shifts {
            let item = if known.contains(&shift.week) {
                self.held.iter_mut().find(|item| {
                    (item.run, item.week()) == (run, shift.week) && is_meant(item, shift)
                })
            } else {
                let earliest = shifts
                    .iter()
                    .filter(|other| other.week == shift.week)
                    .map(|other| other.to)
                    .min();
                self.week_mut(run, shift.week).filter(|item| {
                    Some(shift.to) == earliest && !item.is_completed() && !item.imported
                })
            };
            if let Some(item) = item {
                change(item, shift.to);
            }
        }
    }
}

/// A move of one week's due.
struct Shift {
    week: u32,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// A week made here, in the shape of a stored document. What it has in common with `near` is not held twice.
pub fn made_week(
    document: String,
    form: &str,
    week: u32,
    due: Timestamp,
    terms: &RunTerms,
    near: Option<&Item>,
) -> StoredAssignment {
    StoredAssignment {
        document,
        legacy_id: String::new(),
        due: Field::Is(due),
        status: String::new(),
        completed_at: None,
        response: Field::Null,
        score: None,
        stored_week: Some(week),
        paused_until: None,
        coach_responded: false,
        extension_granted: false,
        shared: terms.fields(form, near.map(|item| &item.stored.shared)),
    }
}

/// What a stored week would pass on to the weeks made from it.
pub fn terms_of(stored: &StoredAssignment) -> Terms {
    Terms {
        stored_client: stored.client.clone(),
        coach: stored.coach.clone(),
        title: stored.title.clone(),
        description: stored.description.clone(),
        assigned_by: (!stored.assigned_by.is_empty()).then(|| stored.assigned_by.clone()),
        assigned_at: stored.assigned_at,
        window: stored.window.clone(),
        recurring: stored.recurring,
        total_weeks: stored.total_weeks,
    }
}
