//! The stored weeks of a series, and how they change. Owns that an imported document and what happened to it later stay
//! apart, so that a new import of the document takes nothing back that happened here.

use serde::{Deserialize, Serialize};

use crate::document::{Field, StoredAssignment};
use crate::event::{Terms, WeekDue, WeekMove};
use crate::number::Number;
use crate::time::Timestamp;

/// What happened to a week after its document was written; every field that is set covers the document's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Patch {
    answer: Option<Answer>,
    due: Option<Option<Timestamp>>,
    status: Option<String>,
    paused_until: Option<Option<Timestamp>>,
    extension_granted: bool,
    total_weeks: Option<u32>,
}

/// The answer a patch holds: a response, or that there is none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Answer {
    Given { response: String, submitted_at: Option<Timestamp>, score: Option<Number> },
    Cleared,
}

impl Patch {
    fn cover(&self, stored: &mut StoredAssignment) {
        if let Some(status) = &self.status {
            stored.status.clone_from(status);
        }
        match &self.answer {
            Some(Answer::Given { response, submitted_at, score }) => {
                stored.response = Field::Is(response.clone());
                stored.completed_at = *submitted_at;
                stored.score = *score;
                "completed".clone_into(&mut stored.status);
            }
            Some(Answer::Cleared) => {
                stored.response = Field::Null;
                stored.completed_at = None;
                stored.score = None;
                "pending".clone_into(&mut stored.status);
            }
            None => {}
        }
        if let Some(due) = self.due {
            stored.due = due.map_or(Field::Null, Field::Is);
        }
        if let Some(until) = self.paused_until {
            stored.paused_until = until;
        }
        stored.extension_granted |= self.extension_granted;
        if let Some(total) = self.total_weeks {
            stored.total_weeks = total;
        }
    }
}

/// One stored week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The run it belongs to, from 1.
    pub run: u32,
    /// Whether an import brought it.
    pub imported: bool,
    /// The week as it is now.
    pub stored: StoredAssignment,
    patch: Option<Box<Patch>>,
}

impl Item {
    /// A week that no import brought.
    pub fn made(run: u32, stored: StoredAssignment) -> Self {
        Self { run, imported: false, stored, patch: None }
    }

    /// The week, from 1.
    pub fn week(&self) -> u32 {
        self.stored.week()
    }

    /// Whether the document said so, or an answer came later.
    pub fn is_completed(&self) -> bool {
        self.stored.is_completed()
    }

    fn change(&mut self, change: impl FnOnce(&mut Patch)) {
        let mut patch = self.patch.take().unwrap_or_default();
        change(&mut patch);
        patch.cover(&mut self.stored);
        self.patch = Some(patch);
    }

    /// The client answered it, or a migration found its response.
    pub fn answer(&mut self, response: &str, submitted_at: Option<Timestamp>, score: Option<Number>) {
        let answer = Answer::Given { response: response.to_owned(), submitted_at, score };
        self.change(|patch| patch.answer = Some(answer));
    }

    /// Its answer no longer counts.
    pub fn clear(&mut self) {
        self.change(|patch| {
            patch.answer = Some(Answer::Cleared);
            patch.status = None;
        });
    }

    /// It is due at another time.
    pub fn reschedule(&mut self, due: Option<Timestamp>) {
        self.change(|patch| patch.due = Some(due));
    }

    /// It was marked missed.
    pub fn mark_missed(&mut self) {
        self.change(|patch| patch.status = Some("missed".to_owned()));
    }

    /// It was opened again.
    pub fn reopen(&mut self) {
        self.change(|patch| patch.status = Some("active".to_owned()));
    }

    /// It rests until then, and is due later.
    pub fn pause(&mut self, until: Timestamp, due: Option<Timestamp>) {
        self.change(|patch| {
            patch.due = Some(due);
            patch.status = Some("inactive".to_owned());
            patch.paused_until = Some(Some(until));
        });
    }

    /// It no longer rests, and is due as it was.
    pub fn resume(&mut self, due: Option<Timestamp>) {
        self.change(|patch| {
            patch.due = Some(due);
            patch.status = Some("active".to_owned());
            patch.paused_until = Some(None);
        });
    }

    /// The client has more time.
    pub fn extend(&mut self) {
        self.change(|patch| patch.extension_granted = true);
    }

    /// Its run has another number of weeks.
    pub fn set_total_weeks(&mut self, total_weeks: u32) {
        self.change(|patch| patch.total_weeks = Some(total_weeks));
    }
}

/// Whether `candidate` takes the place of `held` for one week: rule 9 of `spec/legacy-view.md`. A missing due is later than any.
pub fn replaces(candidate: &Item, held: &Item) -> bool {
    let due = |item: &Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
    match (candidate.is_completed(), held.is_completed()) {
        (true, false) => true,
        (false, true) => false,
        _ => match due(candidate).cmp(&due(held)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => candidate.stored.assigned_at > held.stored.assigned_at,
        },
    }
}

/// The stored weeks of one stream, in the order of (run, week, document).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items(Vec<Item>);

impl Items {
    /// All of them, doubles included.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, run: u32, week: u32, document: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|item| (item.run, item.week(), item.stored.document.as_str()).cmp(&(run, week, document)))
    }

    /// Adds a week that no import brought; one that is there already stays.
    pub fn insert(&mut self, item: Item) {
        if let Err(at) = self.place(item.run, item.week(), &item.stored.document) {
            self.0.insert(at, item);
        }
    }

    /// Stores a document, keeping what happened to an earlier form of it.
    pub fn store(&mut self, mut stored: StoredAssignment) {
        let earlier = self.0.iter().position(|item| item.stored.document == stored.document).map(|at| self.0.remove(at));
        let (run, patch) = earlier.map_or((1, None), |earlier| (earlier.run, earlier.patch));
        if let Some(patch) = &patch {
            patch.cover(&mut stored);
        }
        self.insert(Item { run, imported: true, stored, patch });
    }

    /// Takes a document away; whether it was there.
    pub fn remove(&mut self, document: &str) {
        self.0.retain(|item| item.stored.document != document);
    }

    /// Keeps the items for which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&Item) -> bool) {
        self.0.retain(keep);
    }

    /// The items of one week, doubles included.
    pub fn of_week(&self, run: u32, week: u32) -> impl Iterator<Item = &Item> {
        let from = self.0.partition_point(|item| (item.run, item.week()) < (run, week));
        self.0.iter().skip(from).take_while(move |item| item.run == run && item.week() == week)
    }

    /// The item that stands for a week: rule 9 among its doubles.
    pub fn week(&self, run: u32, week: u32) -> Option<&Item> {
        self.of_week(run, week).reduce(|held, item| if replaces(item, held) { item } else { held })
    }

    /// The same, to change it.
    pub fn week_mut(&mut self, run: u32, week: u32) -> Option<&mut Item> {
        let document = self.week(run, week)?.stored.document.clone();
        let at = self.place(run, week, &document).ok()?;
        self.0.get_mut(at)
    }

    /// The item with this document id.
    pub fn document(&self, document: &str) -> Option<&Item> {
        self.0.iter().find(|item| item.stored.document == document)
    }

    /// The item that answers for each (run, week), in order.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        self.0
            .chunk_by(|a, b| (a.run, a.week()) == (b.run, b.week()))
            .filter_map(|week| week.iter().reduce(|held, item| if replaces(item, held) { item } else { held }))
    }

    /// The base of a run: week 1 with the earliest due, else its first week.
    pub fn base(&self, run: u32) -> Option<&Item> {
        let due = |item: &&Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
        let first = self.0.iter().find(|item| item.run == run)?;
        self.of_week(run, first.week()).min_by_key(due)
    }

    /// Every item of a run, to change it.
    pub fn run_mut(&mut self, run: u32) -> impl Iterator<Item = &mut Item> {
        self.0.iter_mut().filter(move |item| item.run == run)
    }

    /// Moves the named weeks, and lets them rest until then.
    pub fn pause(&mut self, run: u32, until: Timestamp, moved: &[WeekMove]) {
        for to in moved {
            if let Some(item) = self.week_mut(run, to.week) {
                item.pause(until, to.to);
            }
        }
    }

    /// Moves the named weeks back.
    pub fn resume(&mut self, run: u32, restored: &[WeekDue]) {
        for back in restored {
            if let Some(item) = self.week_mut(run, back.week) {
                item.resume(back.due);
            }
        }
    }
}

/// A week made here, in the shape of a stored document.
pub fn made_week(document: String, form: &str, week: u32, due: Timestamp, terms: &Terms) -> StoredAssignment {
    StoredAssignment {
        document,
        legacy_id: String::new(),
        client: terms.stored_client.clone(),
        coach: terms.coach.clone(),
        form: form.to_owned(),
        title: terms.title.clone(),
        description: terms.description.clone(),
        due: Field::Is(due),
        status: String::new(),
        assigned_by: terms.assigned_by.clone().unwrap_or_default(),
        assigned_at: terms.assigned_at,
        completed_at: None,
        response: Field::Null,
        score: None,
        recurring: terms.recurring,
        stored_week: Some(week),
        total_weeks: terms.total_weeks,
        window: terms.window.clone(),
        paused_until: None,
        coach_responded: false,
        extension_granted: false,
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
