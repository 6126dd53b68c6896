//! Finds the cause of a difference in one field between two entries for the same week.

use rollbook_domain::document::Field as Presence;
use rollbook_domain::status::{Clock, Status};
use rollbook_projections::entry::Entry;

use super::ParityRules;
use super::facts::{Counterpart, Facts, Slot, is_generated};
use super::field::Field;
use super::report::Class;
use crate::rules::DueRule;

/// How an entry of the legacy view relates to a week of the pre-created view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    /// The same document.
    Same,
    /// A copy of the base that the week was made from.
    Copy,
    /// Another document, explained by a class.
    Other(Class),
    /// Another document, for an unknown reason.
    Stranger,
}

pub(super) fn kin(facts: &Facts<'_>, legacy: &Entry<'_>, slot: &Slot<'_>) -> Kin {
    match slot.counterpart {
        Counterpart::Stored(stored)
            if !is_generated(legacy) && stored.document == legacy.stored.document =>
        {
            Kin::Same
        }
        Counterpart::Copy(base)
            if is_generated(legacy) && base.document == legacy.stored.document =>
        {
            Kin::Copy
        }
        _ => facts.other_document(legacy, slot).map_or(Kin::Stranger, Kin::Other),
    }
}

/// The entries of both views for one week at one instant.
pub(super) struct Pair<'b, 'a> {
    pub(super) facts: &'b Facts<'a>,
    pub(super) rules: &'b ParityRules,
    /// The clock of the legacy view.
    pub(super) clock: &'b Clock,
    pub(super) slot: &'b Slot<'a>,
    pub(super) kin: Kin,
    pub(super) legacy: &'b Entry<'a>,
    pub(super) precreated: &'b Entry<'a>,
}

impl Pair<'_, '_> {
    /// The class of a difference in one field, if its cause is found.
    pub(super) fn class(&self, field: Field) -> Option<Class> {
        match self.kin {
            Kin::Other(class) => return Some(class),
            Kin::Stranger => return None,
            Kin::Same | Kin::Copy => {}
        }
        match field {
            Field::Id | Field::DocumentId => self.of_id(field),
            Field::DueDate => self.is_kept_weekday().then_some(Class::KeptWeekday),
            Field::Status => self.of_status(),
            Field::ResponseId => self.of_response(),
            Field::CompletedAt | Field::Score => {
                self.is_late_link(field).then_some(Class::LateLink)
            }
            Field::CoachResponded => self.of_coach(),
            // A created week has no extension; a generated copy shows that of its base.
            Field::ExtensionGranted => (self.kin == Kin::Copy
                && !self.precreated.stored.extension_granted)
                .then_some(Class::WeekId),
            _ => None,
        }
    }

    fn of_id(&self, field: Field) -> Option<Class> {
        let stored = &self.slot.place.item.stored;
        let (legacy, precreated) = (self.legacy, self.precreated);
        let explained = match self.kin {
            Kin::Copy => {
                self.slot.has_derived_id
                    && precreated.id == stored.document
                    && precreated.document == stored.document
            }
            // An adopted week keeps the id of the assignment, in the legacy view that of its document.
            Kin::Same if self.slot.place.item.alias.is_some() => {
                self.slot.has_derived_id
                    && self.slot.place.item.has_id(&legacy.document)
                    && precreated.id == stored.document
                    && precreated.document == stored.document
            }
            // The legacy view shows the legacy id of the document.
            _ => {
                field == Field::Id
                    && precreated.id == legacy.document
                    && legacy.id == legacy.stored.legacy_id
            }
        };
        explained.then_some(Class::WeekId)
    }

    fn is_kept_weekday(&self) -> bool {
        let Counterpart::Copy(base) = self.slot.counterpart else { return false };
        let zone = self.rules.zone;
        let week = self.precreated.week;
        self.rules.due == DueRule::Weekday
            && base.due.value().is_some_and(|due| {
                self.precreated.due == zone.weekday_due(*due, week)
                    && self.legacy.due == zone.monday_due(*due, week)
            })
    }

    fn of_status(&self) -> Option<Class> {
        let (legacy, precreated) = (self.legacy, self.precreated);
        if self.slot.linked.is_some() && precreated.status == Status::Completed {
            return Some(Class::LateLink);
        }
        let stored = &self.slot.place.item.stored;
        // The status by the due date and the grace of the legacy view.
        let at = |due| self.clock.status_of(stored, due);
        if legacy.due == precreated.due {
            let is_grace = self.rules.overdue_after_milliseconds
                != self.clock.overdue_after_milliseconds
                && [legacy.status, precreated.status]
                    .iter()
                    .all(|status| matches!(status, Status::Pending | Status::Overdue))
                && at(precreated.due) == legacy.status;
            return is_grace.then_some(Class::StatusRule);
        }
        (self.is_kept_weekday() && at(legacy.due) == legacy.status).then_some(Class::KeptWeekday)
    }

    fn of_response(&self) -> Option<Class> {
        if self.slot.linked.is_some() {
            return Some(Class::LateLink);
        }
        let has_own_field = self.kin == Kin::Copy
            && self.legacy.response == Presence::Missing
            && self.precreated.response == Presence::Null;
        has_own_field.then_some(Class::WeekId)
    }

    /// Whether the value is that of a response that a migration linked to this week.
    fn is_late_link(&self, field: Field) -> bool {
        self.slot.linked.is_some_and(|response| match field {
            Field::CompletedAt => self.precreated.completed_at == response.submitted_at,
            _ => self.precreated.score == response.score.filter(|score| !score.is_zero()),
        })
    }

    fn of_coach(&self) -> Option<Class> {
        let (legacy, place) = (self.legacy, self.slot.place);
        if let Some(response) = self.slot.linked {
            let answered = place.row.feedback_responses().any(|id| id == response.document);
            let responded = place.item.stored.coach_responded || answered;
            return (responded == self.precreated.coach_responded).then_some(Class::LateLink);
        }
        // The legacy view reads one of several duplicates again and then ignores feedback.
        let stored = legacy.stored;
        let answered = stored.coach_responded
            || stored.response_id().is_some_and(|id| self.facts.feedback.contains(id));
        let is_read_again = self.kin == Kin::Same
            && !legacy.coach_responded
            && answered
            && self.facts.doubles(stored) > 1;
        is_read_again.then_some(Class::DuplicateAllocation)
    }
}
