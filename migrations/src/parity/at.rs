//! Compares both views of a client at one instant: matches their entries by week and records every
//! difference. `explain` and `presence` find the causes.

use std::borrow::Cow;
use std::cell::OnceCell;

use rollbook_domain::Timestamp;
use rollbook_domain::document::{Field as Presence, StoredAssignment};
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::{Clock, Status};
use rollbook_projections::entry::{Answer, Entry, summarise};
use rollbook_projections::{legacy, precreated};

use super::ParityRules;
use super::explain::{Kin, Pair, kin};
use super::facts::{Counterpart, Facts, Key, Slot};
use super::field::{Field, differing};
use super::report::Class;
use super::tally::{Shown, Tally};

/// The entries of the legacy view before and after its rule 14.
pub(super) struct Stages<'a> {
    pub(super) before: Vec<Entry<'a>>,
    pub(super) after: Vec<Entry<'a>>,
}

/// The rows of one client.
pub(super) struct Rows<'a> {
    pub(super) ids: &'a [String],
    pub(super) legacy: &'a [LegacySeries],
    pub(super) precreated: &'a [Series],
}

/// One client at one instant.
pub(super) struct Moment<'b, 'a> {
    pub(super) facts: &'b Facts<'a>,
    pub(super) rules: &'b ParityRules,
    pub(super) clock: Clock,
    pub(super) precreated_clock: Clock,
    pub(super) horizon: (Timestamp, Timestamp),
    rows: &'b Rows<'a>,
    stages: OnceCell<Stages<'a>>,
}

/// The entries of a view by week. Those of one week keep their order.
fn by_week<'e, 'a>(facts: &Facts<'_>, answer: &'e Answer<'a>) -> Vec<(Key, usize, &'e Entry<'a>)> {
    let keyed = |(at, entry): (usize, &'e Entry<'a>)| facts.key(entry).map(|key| (key, at, entry));
    let mut keyed: Vec<_> = answer.entries.iter().enumerate().filter_map(keyed).collect();
    keyed.sort_unstable_by_key(|(key, at, _)| (*key, *at));
    keyed
}

impl<'b, 'a> Moment<'b, 'a> {
    pub(super) fn new(
        facts: &'b Facts<'a>,
        rules: &'b ParityRules,
        rows: &'b Rows<'a>,
        now: Timestamp,
    ) -> Self {
        let clock = Clock::new(now, rules.zone);
        let precreated_clock =
            Clock { overdue_after_milliseconds: rules.overdue_after_milliseconds, ..clock };
        Self {
            facts,
            rules,
            clock,
            precreated_clock,
            horizon: clock.horizon(),
            rows,
            stages: OnceCell::new(),
        }
    }

    /// Evaluates both views and records every difference.
    pub(super) fn compare(&self, tally: &mut Tally<'_>) {
        let legacy = legacy::answer(self.rows.ids, self.rows.legacy, &self.clock);
        let precreated = precreated::answer(self.rows.precreated, &self.precreated_clock);
        let (ours, theirs) = (by_week(self.facts, &legacy), by_week(self.facts, &precreated));
        let mut ours = ours.chunk_by(|a, b| a.0 == b.0).peekable();
        let mut theirs = theirs.chunk_by(|a, b| a.0 == b.0).peekable();
        loop {
            let key = match (
                ours.peek().and_then(|week| week.first()),
                theirs.peek().and_then(|week| week.first()),
            ) {
                (Some(a), Some(b)) => a.0.min(b.0),
                (Some(one), None) | (None, Some(one)) => one.0,
                (None, None) => break,
            };
            let is_key = |week: &&[(Key, usize, &Entry<'a>)]| {
                week.first().is_some_and(|first| first.0 == key)
            };
            let (legacy, precreated) = (ours.next_if(is_key), theirs.next_if(is_key));
            match (self.facts.slot_of(key), precreated.unwrap_or_default()) {
                (Some(slot), [(.., shown)]) => {
                    self.week(slot, legacy.unwrap_or_default(), shown, tally)
                }
                (slot, precreated) => {
                    for (.., entry) in legacy.unwrap_or_default() {
                        let verdict = self.only_legacy(slot, entry, false);
                        tally.record(
                            self.clock.now,
                            key,
                            Field::Entry,
                            Shown::Legacy(entry),
                            verdict,
                        );
                    }
                    for (.., entry) in precreated {
                        let reason = "the pre-created view shows the week twice";
                        tally.unexplained(
                            self.clock.now,
                            key,
                            Field::Entry,
                            Shown::Precreated(entry),
                            reason,
                        );
                    }
                }
            }
        }
        self.summaries(&legacy, &precreated, tally);
    }

    /// A week that the pre-created view shows.
    fn week(
        &self,
        slot: &Slot<'a>,
        legacy: &[(Key, usize, &Entry<'a>)],
        shown: &Entry<'a>,
        tally: &mut Tally<'_>,
    ) {
        let (now, key) = (self.clock.now, slot.place.key);
        let is_kin =
            |entry: &Entry<'a>| matches!(kin(self.facts, entry, slot), Kin::Same | Kin::Copy);
        let Some((_, at, matched)) =
            legacy.iter().find(|(.., entry)| is_kin(entry)).or_else(|| legacy.first())
        else {
            let Some(counterpart) = self.counterpart(slot, shown, tally) else {
                let reason = "the legacy view holds neither the document nor a base for it";
                return tally.unexplained(now, key, Field::Entry, Shown::Precreated(shown), reason);
            };
            let verdict = self.only_precreated(slot, shown, &counterpart);
            return tally.record(now, key, Field::Entry, Shown::Precreated(shown), verdict);
        };
        for (_, _, extra) in legacy.iter().filter(|(_, other, _)| other != at) {
            let verdict = self.only_legacy(Some(slot), extra, true);
            tally.record(now, key, Field::Entry, Shown::Legacy(extra), verdict);
        }
        let pair = self.pair(slot, kin(self.facts, matched, slot), matched, shown);
        for field in differing(matched, shown) {
            tally.record(now, key, field, Shown::Both(matched, shown), pair.class(field).ok_or(""));
        }
        if let Kin::Other(_) = pair.kin {
            self.counterpart(slot, shown, tally);
        }
    }

    /// Compares the entry that the legacy view would generate with the entry that the pre-created
    /// view shows. As the legacy view does not show it, only unexplained differences are recorded.
    fn counterpart(
        &self,
        slot: &Slot<'a>,
        shown: &Entry<'a>,
        tally: &mut Tally<'_>,
    ) -> Option<Entry<'a>> {
        let (entry, kin) = match slot.counterpart {
            Counterpart::Stored(stored) => (self.stored_entry(stored), Kin::Same),
            Counterpart::Copy(base) => (self.copy_of(base, slot.place.item.week()), Kin::Copy),
            Counterpart::None => return None,
        };
        // Only the status of a stored week changes over time, so each pair of statuses is compared
        // once.
        if tally.is_first(slot.place.key, entry.status, shown.status) {
            let pair = self.pair(slot, kin, &entry, shown);
            for field in differing(&entry, shown).filter(|field| pair.class(*field).is_none()) {
                let reason = "the legacy view would have it so, but does not show it now";
                tally.unexplained(
                    self.clock.now,
                    slot.place.key,
                    field,
                    Shown::Both(&entry, shown),
                    reason,
                );
            }
        }
        Some(entry)
    }

    fn stored_entry(&self, stored: &'a StoredAssignment) -> Entry<'a> {
        let responded = stored.coach_responded
            || stored.response_id().is_some_and(|id| self.facts.feedback.contains(id));
        Entry::of(stored, stored.public_id(), &self.clock, responded)
    }

    /// The copy that rule 13 of the legacy view makes of a base.
    fn copy_of(&self, base: &'a StoredAssignment, week: u32) -> Entry<'a> {
        let base = Entry::of(base, base.public_id(), &self.clock, false);
        let due = self.rules.zone.monday_due(base.due, week);
        let status = self.clock.status(false, false, due);
        // A generated id differs from every other id; so does the empty one.
        let copy = Entry {
            id: Cow::Borrowed(""),
            week,
            due,
            status,
            response: Presence::Missing,
            completed_at: None,
            score: None,
            ..base
        };
        match self.facts.place_of(&copy) {
            Some(place) => legacy::with_changes(copy, place.row, place.item.run, &self.clock),
            None => copy,
        }
    }

    pub(super) fn precreated_entry(&self, slot: &Slot<'a>) -> Entry<'a> {
        let stored = &slot.place.item.stored;
        let answered = || {
            stored.response_id().is_some_and(|id| {
                slot.place.row.feedback_responses().any(|response| response == id)
            })
        };
        Entry::of(
            stored,
            &stored.document,
            &self.precreated_clock,
            stored.coach_responded || answered(),
        )
    }

    pub(super) fn pair<'c>(
        &'c self,
        slot: &'c Slot<'a>,
        kin: Kin,
        legacy: &'c Entry<'a>,
        precreated: &'c Entry<'a>,
    ) -> Pair<'c, 'a> {
        Pair {
            facts: self.facts,
            rules: self.rules,
            clock: &self.clock,
            slot,
            kin,
            legacy,
            precreated,
        }
    }

    pub(super) fn stages(&self) -> &Stages<'a> {
        self.stages.get_or_init(|| {
            let before = legacy::before_collisions(self.rows.ids, self.rows.legacy, &self.clock);
            let after = legacy::survivors(before.clone(), &self.clock);
            Stages { before, after }
        })
    }

    /// Compares the summaries. If each follows from its entries, a difference follows from
    /// differences recorded already.
    fn summaries(&self, legacy: &Answer<'a>, precreated: &Answer<'a>, tally: &mut Tally<'_>) {
        if legacy.summary == precreated.summary {
            return;
        }
        let now = self.clock.now;
        let follows = legacy.summary
            == summarise(&legacy.entries, |entry| {
                entry.status != Status::Completed && entry.due < now
            })
            && precreated.summary
                == summarise(&precreated.entries, |entry| entry.status == Status::Overdue);
        let verdict = if follows {
            Ok(Class::Summary)
        } else {
            Err("a summary is not what its own entries make it")
        };
        tally.summary(now, &legacy.summary, &precreated.summary, verdict);
    }
}
