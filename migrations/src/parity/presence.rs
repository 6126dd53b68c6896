//! Finds the cause if only one view shows a week: in the rows, or in the legacy view before its
//! weeks hide each other. Without a cause, the verdict is a reason in words.

use rollbook_domain::Timestamp;
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::status::Status;
use rollbook_projections::entry::Entry;

use super::at::Moment;
use super::explain::{Kin, kin};
use super::facts::{Counterpart, Slot, is_generated};
use super::field::Field;
use super::report::Class;
use super::verdict::Verdict;

impl<'a> Moment<'_, 'a> {
    /// Why only the pre-created view shows a week. `counterpart` is the entry that the legacy view
    /// would generate.
    pub(super) fn only_precreated(
        &self,
        slot: &Slot<'a>,
        shown: &Entry<'a>,
        counterpart: &Entry<'a>,
    ) -> Verdict {
        match slot.counterpart {
            Counterpart::Copy(base) => match self.not_generated(slot, base, counterpart.due) {
                Some(Class::GapWeek)
                    if slot.linked.is_some() && !self.shows_unanswered(shown.due) =>
                {
                    Ok(Class::LateLink)
                }
                Some(class) => Ok(class),
                None => self.hidden(slot, shown, counterpart),
            },
            _ => self.hidden(slot, shown, counterpart),
        }
    }

    /// Whether the pre-created view shows an unanswered week with this due date.
    fn shows_unanswered(&self, due: Timestamp) -> bool {
        let (from, to) = self.horizon;
        (from <= due && due <= to)
            || self.precreated_clock.status(false, false, due) == Status::Missed
    }

    /// Why rules 10 to 13 of the legacy view leave a week out.
    fn not_generated(
        &self,
        slot: &Slot<'a>,
        base: &StoredAssignment,
        due: Timestamp,
    ) -> Option<Class> {
        let (_, run, week) = slot.place.key;
        let group = self.facts.group_of(&slot.place).filter(|group| group.is_series)?;
        if group.runs.iter().any(|held| *held != run) {
            return Some(Class::DuplicateAllocation);
        }
        if group.held.contains(&week) {
            return None;
        }
        if base.form.is_empty() || group.held.last().is_some_and(|greatest| week < *greatest) {
            return Some(Class::GapWeek);
        }
        let (from, to) = self.clock.generation_horizon();
        let is_outside = |due: Timestamp| due < from || to < due;
        let counting = group.base(self.clock.now)?;
        if counting.document == base.document {
            return (base.total_weeks >= week && is_outside(due)).then_some(Class::GapWeek);
        }
        // The legacy view counts from another of several bases, with other Mondays or fewer weeks.
        let monday = self
            .rules
            .zone
            .monday_due(counting.due.value().copied().unwrap_or(self.clock.now), week);
        let leaves_out = counting.total_weeks < week || is_outside(monday);
        let is_gap_anyway = base.total_weeks >= week && is_outside(due);
        leaves_out.then_some(if is_gap_anyway {
            Class::GapWeek
        } else {
            Class::DuplicateAllocation
        })
    }

    /// Why rule 14 of the legacy view or its horizon hides a week.
    fn hidden(&self, slot: &Slot<'a>, shown: &Entry<'a>, counterpart: &Entry<'a>) -> Verdict {
        let stages = self.stages();
        let key = slot.place.key;
        let of_week = |entry: &&Entry<'a>| self.facts.key(entry) == Some(key);
        let Some(listed) = stages
            .before
            .iter()
            .filter(of_week)
            .max_by_key(|entry| kin(self.facts, entry, slot) != Kin::Stranger)
        else {
            return self.not_listed(slot);
        };
        let kin = kin(self.facts, listed, slot);
        if !stages.after.iter().any(|entry| same(entry, listed)) {
            return self
                .collided(slot, listed)
                .ok_or("rule 14 of the legacy view hides it behind an unknown week");
        }
        if let Kin::Other(class) = kin {
            return Ok(class);
        }
        let pair = self.pair(slot, kin, listed, shown);
        [Field::Status, Field::DueDate]
            .into_iter()
            .filter(|field| super::field::differing(counterpart, shown).any(|differs| differs == *field))
            .find_map(|field| pair.class(field))
            .ok_or("beyond the horizon of the legacy view, although both views have the same due date and status")
    }

    fn collided(&self, slot: &Slot<'a>, listed: &Entry<'a>) -> Option<Class> {
        let day = |entry: &Entry<'a>| self.rules.zone.midnight_utc_date(entry.due);
        let stages = self.stages();
        let winner = stages.after.iter().find(|entry| {
            let collides = entry.week == listed.week && day(entry) == day(listed);
            if listed.stored.recurring {
                entry.stored.recurring && collides
            } else {
                !entry.stored.recurring && entry.id == listed.id
            }
        })?;
        let stored = &slot.place.item.stored;
        Some(if winner.stored.form != stored.form {
            Class::FormCollision
        } else if winner.stored.client != stored.client {
            Class::IdentitySplit
        } else {
            Class::DuplicateAllocation
        })
    }

    /// Why rules 4 to 12 of the legacy view leave a stored week out.
    fn not_listed(&self, slot: &Slot<'a>) -> Verdict {
        match slot.counterpart {
            Counterpart::Stored(stored) if self.facts.doubles(stored) > 1 => {
                Ok(Class::DuplicateAllocation)
            }
            Counterpart::Stored(_) => {
                Err("the document has no dueDate, and the legacy view leaves it out")
            }
            Counterpart::Copy(base) if base.due.value().is_none() => {
                Err("the base has no due date")
            }
            Counterpart::Copy(_) => {
                Err("the legacy view neither generates the week nor has a reason not to")
            }
            Counterpart::None => {
                Err("the legacy view holds neither the document nor a base for it")
            }
        }
    }

    /// Why only the legacy view shows a week, or shows it more often than the pre-created view.
    pub(super) fn only_legacy(
        &self,
        slot: Option<&Slot<'a>>,
        shown: &Entry<'a>,
        is_shown_too: bool,
    ) -> Verdict {
        let Some(slot) = slot else { return self.not_stored(shown) };
        let kin = kin(self.facts, shown, slot);
        if let Kin::Other(class) = kin {
            return Ok(class);
        }
        if is_shown_too {
            return Err("the legacy view shows the week twice from one document");
        }
        let hidden = self.precreated_entry(slot);
        let pair = self.pair(slot, kin, shown, &hidden);
        [Field::DueDate, Field::Status]
            .into_iter()
            .filter(|field| {
                super::field::differing(shown, &hidden).any(|differs| differs == *field)
            })
            .find_map(|field| pair.class(field))
            .ok_or("the pre-created view has the week beyond its horizon")
    }

    /// Why the pre-created view has no such week.
    fn not_stored(&self, shown: &Entry<'a>) -> Verdict {
        let Some(held) = self.facts.precreated_document(&shown.stored.document) else {
            return Err("the document is not among this client's in the pre-created view");
        };
        if !is_generated(shown) {
            return Err("the document is stored for another week in the pre-created view");
        }
        let Some(base) = held.row.items.base(held.item.run) else {
            return Err("the series has no base");
        };
        if base.stored.document != held.item.stored.document && base.stored.total_weeks < shown.week
        {
            let doubled = base.week() == held.item.week();
            if base.stored.client != held.item.stored.client {
                return Ok(Class::IdentitySplit);
            }
            if doubled {
                return Ok(Class::DuplicateAllocation);
            }
        }
        Err(match () {
            () if base.week() != 1 => {
                "no week 1 is stored to count from, so the migration creates no weeks"
            }
            () if !base.stored.recurring => {
                "the base does not recur, so the migration creates no weeks"
            }
            () if base.stored.due.value().is_none() => {
                "the base has no due date: the legacy view counts from now, the migration creates no weeks"
            }
            () => "the week is not stored: the migration is not applied, or the week was withdrawn",
        })
    }
}

/// Whether two entries are the same.
fn same(a: &Entry<'_>, b: &Entry<'_>) -> bool {
    std::ptr::eq(a.stored, b.stored) && a.week == b.week
}
