//! Setting the number of a stored document's week, and undoing that.

use super::repair::given;
use super::{Decider, Rejection};
use crate::event::{Event, NumberSetting, Origin, RunTerms};
use crate::limits::MOST_WEEKS;
use crate::personal::Personal;
use crate::series::corrections::CorrectionState;
use crate::series::ids::assignment_id;
use crate::series::items::{Item, terms_of};
use crate::series::state::Series;
use crate::stream::StreamId;

impl Decider<'_> {
    /// Sets the number of a stored document's week. A document that has the number already appends
    /// nothing.
    ///
    /// A week that a migration made for this number gives its place to the document. If the run
    /// was migrated, and no other assignment is stored for the week that the document leaves, that
    /// week is stored.
    ///
    /// # Errors
    /// If the series has no such document or no such week, if the week is not free, if the other
    /// weeks of the run count from the document, or if a migration linked its response; if the
    /// reason is empty or too long.
    pub fn set_week(
        &self,
        document: &str,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Rejection> {
        let reason = given(reason)?;
        let Some(setting) = self.number_setting(document, week)? else { return Ok(Vec::new()) };
        let setting = NumberSetting {
            correction: Some(self.next_correction()),
            reason: Some(reason),
            ..setting
        };
        let (run, was) = (setting.run, setting.was());
        Ok(self.completed(vec![Event::WeekNumberSet(setting)], run, was))
    }

    /// The change that gives a document this number, as a migration makes it; `None` if it has the
    /// number already.
    ///
    /// # Errors
    /// As [`Decider::set_week`].
    pub fn number_setting(
        &self,
        document: &str,
        week: u32,
    ) -> Result<Option<NumberSetting>, Rejection> {
        let items = &self.series.items;
        let item = items.document(document).filter(|item| item.imported);
        let item = item.ok_or_else(|| Rejection::NotADocument {
            series: self.name(),
            document: document.to_owned(),
        })?;
        if item.stored.stored_week == Some(week) {
            return Ok(None);
        }
        if !(1..=MOST_WEEKS).contains(&week) {
            let (what, least, most) = ("the week", 1, MOST_WEEKS);
            return Err(Rejection::OutOfRange { what, least, most, given: week });
        }
        let base = self.base(item.run)?;
        let total = if base.stored.recurring { base.stored.total_weeks } else { 1 };
        if week > total || self.series.is_withdrawn(item.run, week) {
            let (series, run) = (self.name(), item.run);
            return Err(Rejection::NoSuchWeek { series, run, week, total });
        }
        self.check_leaves(item, week)?;
        let replaces = self.check_free(item, week)?;
        Ok(Some(NumberSetting {
            correction: None,
            document: item.document_id().to_owned(),
            run: item.run,
            from: item.stored.stored_week,
            week: Some(week),
            replaces,
            restores: false,
            reason: None,
        }))
    }

    /// The week that the due date of a document says: counted from the due date of the earliest
    /// document with the number 1. `None` without such a document, without due dates, for a week
    /// outside the run, and if an event changed one of the due dates.
    pub fn week_by_due(&self, document: &str) -> Option<u32> {
        let items = &self.series.items;
        let item = items.document(document).filter(|item| item.imported)?;
        let is_base = |other: &&Item| {
            other.run == item.run && other.imported && other.stored.stored_week == Some(1)
        };
        let due = |item: &Item| item.stored.due.value().copied().filter(|_| !item.has_set_due());
        let base = items.iter().filter(is_base).min_by_key(|base| {
            let due = base.stored.due.value().copied();
            (due.is_none(), due, base.document_id())
        })?;
        let week = self.zone.week_of_due(due(base)?, due(item)?);
        let total = if base.stored.recurring { base.stored.total_weeks } else { 1 };
        u32::try_from(week).ok().filter(|week| (1..=total).contains(week))
    }

    /// Checks that a document can leave its week.
    fn check_leaves(&self, item: &Item, week: u32) -> Result<(), Rejection> {
        let is_other = |other: &&Item| other.document_id() != item.document_id();
        let mut of_week = self.series.items.of_week(item.run, item.week());
        if item.week() == 1 && week != 1 && of_week.all(|other| !is_other(&other)) {
            let document = item.document_id().to_owned();
            return Err(Rejection::OnlyBase { document, run: item.run });
        }
        match item.stored.response_id().filter(|_| item.is_linked()) {
            Some(response) if week != item.week() => {
                Err(Rejection::LinkedToWeek { response: response.to_owned(), week: item.week() })
            }
            _ => Ok(()),
        }
    }

    /// Checks that a document can be for a week, and returns the id of the made assignment whose
    /// place it takes.
    fn check_free(&self, item: &Item, week: u32) -> Result<Option<uuid::Uuid>, Rejection> {
        let run = item.run;
        let made = assignment_id(self.client, self.form, run, week);
        let mut replaces = None;
        let others = self.series.items.of_week(run, week);
        for other in others.filter(|other| other.document_id() != item.document_id()) {
            let response = other.stored.response_id();
            if other.imported || other.stored.document != made.to_string() {
                let document = other.document_id().to_owned();
                return Err(Rejection::WeekHasDocument { run, week, document });
            }
            if let Some(held) = response.filter(|_| response != item.stored.response_id()) {
                let response = held.to_owned();
                return Err(Rejection::WeekHasResponse { run, week, response });
            }
            if response.is_none() && other.is_completed() {
                return Err(Rejection::Completed(week));
            }
            replaces = Some(made);
        }
        // A document without a number that becomes week 1 may have adopted the week already.
        let adopted = item.assignment_id().filter(|_| item.week() == week);
        Ok(replaces.or_else(|| adopted?.parse().ok()))
    }

    /// The events, and those that make a migrated run complete again after them: a week that was
    /// left is stored, unless it still is.
    pub(super) fn completed(&self, mut events: Vec<Event>, run: u32, left: u32) -> Vec<Event> {
        let after = self.after(&events);
        events.extend(self.refilled(&after, run, left));
        events
    }

    fn after(&self, events: &[Event]) -> Series {
        let stream = StreamId::series(self.client, self.form);
        let mut after = self.series.clone();
        events.iter().for_each(|event| after.apply(&stream, event));
        after
    }

    /// The event that stores a week of a migrated run that no assignment stands for.
    fn refilled(&self, after: &Series, run: u32, week: u32) -> Option<Event> {
        let base = &after.items.base(run)?.stored;
        let of_run = |item: &&Item| item.run == run;
        // An open week that neither an import nor a correction stored.
        let is_made = |item: &Item| {
            let id = &item.stored.document;
            !item.imported
                && !item.is_completed()
                && !after.corrections.iter().any(|held| held.made(id))
        };
        let made: Vec<&Item> =
            after.items.iter().filter(of_run).filter(|item| is_made(item)).collect();
        let is_stored = after.items.of_week(run, week).next().is_some();
        let is_wanted = base.recurring && (1..=base.total_weeks).contains(&week);
        if made.is_empty() || is_stored || !is_wanted || after.is_withdrawn(run, week) {
            return None;
        }
        // The due rule of the migration is that of the weeks that it made.
        let from = base.due.value().copied()?;
        let by_weekday = |item: &&Item| {
            item.stored.due.value() == Some(&self.zone.weekday_due(from, item.week()))
        };
        let due = if made.iter().all(by_weekday) {
            self.zone.weekday_due(from, week)
        } else {
            self.zone.monday_due(from, week)
        };
        Some(Event::AssignmentCreated {
            assignment: assignment_id(self.client, self.form, run, week),
            run,
            week,
            due,
            origin: Origin::Migration,
            terms: RunTerms::from(terms_of(base)),
        })
    }

    /// Undoes a number that was set: the document has its earlier number. A week that was made for
    /// the earlier number since is adopted by it again.
    pub(super) fn undo_number(
        &self,
        held: &CorrectionState,
        reason: Personal<String>,
    ) -> Result<Vec<Event>, Rejection> {
        let items = &self.series.items;
        let changed = |week| Rejection::ChangedSince { correction: held.id, week };
        let document = held.documents.first().map_or("", String::as_str);
        let correction = held.id;
        let undone = Event::CorrectionUndone { correction, reason };
        // Without the document, or with one that an import brought anew, nothing is left to undo.
        let Some(item) = items.document(document).filter(|item| item.has_set_number()) else {
            return if items.is_withdrawn(document) {
                Err(changed(held.to.week))
            } else {
                Ok(self.completed(vec![undone], held.to.run, held.to.week))
            };
        };
        if item.week() != held.to.week
            || item.stored.response_id().unwrap_or_default() != held.response
        {
            return Err(changed(held.to.week));
        }
        let mut events = vec![undone];
        let Some(before) = held.week_before() else { return Ok(events) };
        let made = assignment_id(self.client, self.form, before.run, before.week);
        let is_made = |item: &&Item| !item.imported && item.stored.document == made.to_string();
        if let Some(made) = items.of_week(before.run, before.week).find(is_made)
            && made.is_completed()
        {
            return Err(changed(before.week));
        }
        let after = self.after(&events);
        if after.items.of_week(before.run, before.week).any(|item| is_made(&item)) {
            let document = document.to_owned();
            let (assignment, run, week) = (made, before.run, before.week);
            events.push(Event::DocumentAdopted { assignment, run, week, document });
        }
        Ok(self.completed(events, held.to.run, held.to.week))
    }
}
