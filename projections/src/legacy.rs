//! The legacy view's answer: what the old system showed, including its bugs. Rules 4 to 17 of
//! `docs/spec/legacy-view.md` are implemented here; a comment names each rule. Rules 1 and 2 are in
//! `directory`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashSet};
use rollbook_domain::Timestamp;
use rollbook_domain::calendar::DAY_MILLISECONDS;
use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::series::{Item, LegacySeries, Series};
use rollbook_domain::status::{Clock, Status};

use crate::entry::{Answer, Entry, keep_within_horizon, summarise};

/// A stored document with its series row.
#[derive(Clone, Copy)]
struct StoredWeek<'a> {
    item: &'a Item,
    series: &'a LegacySeries,
}

impl<'a> StoredWeek<'a> {
    fn document(&self) -> &'a StoredAssignment {
        &self.item.stored
    }
}

/// The answer for `ids` (rule 1) from the series rows that hold their documents. Coaches are still
/// named by id (rule 16).
pub fn answer<'a>(ids: &[String], rows: &'a [LegacySeries], clock: &Clock) -> Answer<'a> {
    let mut entries = survivors(before_collisions(ids, rows, clock), clock);
    entries.sort_by_key(|entry| entry.due);
    keep_within_horizon(&mut entries, clock);
    let summary =
        summarise(&entries, |entry| entry.status != Status::Completed && entry.due < clock.now);
    Answer { entries, summary }
}

/// The list after rules 4 to 13. Rule 14 chooses from it.
pub fn before_collisions<'a>(
    ids: &[String],
    rows: &'a [LegacySeries],
    clock: &Clock,
) -> Vec<Entry<'a>> {
    let feedback: HashSet<&str> =
        rows.iter().flat_map(|series| series.stored.feedback_responses()).collect();
    let all: Vec<StoredWeek<'a>> = rows
        .iter()
        .flat_map(|series| series.stored.items.iter().map(move |item| StoredWeek { item, series }))
        .collect();
    ListBuilder { all: &all, feedback: &feedback, clock }.entries(ids)
}

struct ListBuilder<'a, 'b> {
    all: &'b [StoredWeek<'a>],
    feedback: &'b HashSet<&'a str>,
    clock: &'b Clock,
}

/// An entry on its way through the rules.
#[derive(Clone)]
struct ListEntry<'a> {
    entry: Entry<'a>,
    stored: StoredWeek<'a>,
}

impl<'a> ListBuilder<'a, '_> {
    /// Rules 4 to 13: singles in order, then each series in the order of its first appearance.
    fn entries(&self, ids: &[String]) -> Vec<Entry<'a>> {
        let mut singles = Vec::new();
        let mut groups: Vec<((&str, &str), Vec<ListEntry<'a>>)> = Vec::new();
        for stored in self.in_due_order(ids) {
            let listed = self.listed(stored);
            let document = stored.document();
            if !(document.recurring && document.total_weeks > 1) {
                singles.push(listed.entry);
                continue;
            }
            let key = (document.form.as_str(), document.client.as_str());
            match groups.iter_mut().find(|(held, _)| *held == key) {
                Some((_, group)) => group.push(listed),
                None => groups.push((key, vec![listed])),
            }
        }
        singles.extend(groups.into_iter().flat_map(|(_, group)| self.series(group)));
        singles
    }

    /// Rule 4.
    fn in_due_order(&self, ids: &[String]) -> Vec<StoredWeek<'a>> {
        let due = |stored: &StoredWeek<'_>| stored.document().due.value().copied();
        let mut found = Vec::new();
        for id in ids {
            let from = found.len();
            found.extend(self.all.iter().filter(|stored| {
                stored.document().client == *id && stored.document().due != Field::Missing
            }));
            if let Some(of_id) = found.get_mut(from..) {
                of_id.sort_by_key(|stored| (due(stored), stored.document().document.as_str()));
            }
        }
        found.sort_by_key(|stored| due(stored).unwrap_or(Timestamp::EPOCH));
        found
    }

    /// Rules 5 to 7.
    fn listed(&self, stored: StoredWeek<'a>) -> ListEntry<'a> {
        let document = stored.document();
        let responded = document.coach_responded
            || document.response_id().is_some_and(|id| self.feedback.contains(id));
        let mut entry = Entry::of(document, document.public_id(), self.clock, responded);
        entry.client = Some(&document.client);
        entry.paused_until = paused_until(document, self.clock);
        ListEntry { entry, stored }
    }

    /// Rules 9 to 13 for one group.
    fn series(&self, group: Vec<ListEntry<'a>>) -> Vec<Entry<'a>> {
        let weeks = one_a_week(group);
        let Some(base) = weeks.get(&1).or_else(|| weeks.values().next()).cloned() else {
            return Vec::new();
        };
        if base.stored.document().form.is_empty() {
            return weeks.into_values().map(|listed| listed.entry).collect();
        }
        let reread = self.reread(&base, &weeks);
        let mut merged = merge(weeks.into_values().chain(reread));
        self.generate(&base, &mut merged);
        self.overlaid(&base, &mut merged);
        merged
    }

    /// Rule 11.
    fn reread(
        &self,
        base: &ListEntry<'a>,
        weeks: &BTreeMap<u32, ListEntry<'a>>,
    ) -> Vec<ListEntry<'a>> {
        let base = base.stored.document();
        let held: BTreeSet<(u32, &str)> = weeks
            .values()
            .map(|listed| (listed.entry.week, listed.stored.document().document.as_str()))
            .collect();
        let mut found: Vec<StoredWeek<'a>> = (self.all.iter().copied())
            .filter(|stored| {
                let document = stored.document();
                document.recurring && document.client == base.client && document.form == base.form
            })
            .filter(|stored| {
                !held.contains(&(stored.document().week(), stored.document().document.as_str()))
            })
            .collect();
        found.sort_by_key(|stored| stored.document().document.as_str());
        let entry = |stored: StoredWeek<'a>| {
            Entry::of(stored.document(), stored.document().public_id(), self.clock, false)
        };
        found.into_iter().map(|stored| ListEntry { entry: entry(stored), stored }).collect()
    }

    /// Rule 13.
    fn generate(&self, base: &ListEntry<'a>, merged: &mut Vec<Entry<'a>>) {
        let document = base.stored.document();
        let greatest = merged.iter().map(|entry| entry.week).max().unwrap_or(0);
        if document.total_weeks <= 1 {
            return;
        }
        let zone = self.clock.zone;
        let (back, ahead) = self.clock.generation_horizon();
        let (series, run) = (&base.stored.series.stored, base.stored.item.run);
        let first = greatest.saturating_add(1).max(first_generated(base.entry.due, back));
        for week in first..=document.total_weeks {
            let due = zone.monday_due(base.entry.due, week);
            if due > ahead {
                break;
            }
            if due < back || series.is_withdrawn(run, week) || series.overlays.contains(run, week) {
                continue;
            }
            merged.push(self.generated(base, week));
        }
    }

    /// The entry that rule 13 makes of a base.
    fn generated(&self, base: &ListEntry<'a>, week: u32) -> Entry<'a> {
        let due = self.clock.zone.monday_due(base.entry.due, week);
        Entry {
            id: Cow::Owned(format!("{}_week_{week}", base.entry.id)),
            week,
            due,
            status: self.clock.status(false, false, due),
            coach_responded: false,
            response: Field::Missing,
            completed_at: None,
            score: None,
            ..base.entry.clone()
        }
    }

    /// Weeks without a document that an event changed. They are always there, and never hide
    /// another week. Source: "An action is visible in the view that serves" in
    /// `docs/spec/http-reads.md`.
    fn overlaid(&self, base: &ListEntry<'a>, merged: &mut Vec<Entry<'a>>) {
        let series = base.stored.series;
        for (run, week) in series.stored.overlays.weeks() {
            let of_run = if run == base.stored.item.run {
                Some(base.clone())
            } else {
                let item = series.stored.items.base(run);
                item.map(|item| self.listed(StoredWeek { item, series }))
            };
            let Some(of_run) = of_run else { continue };
            let document = of_run.stored.document();
            let is_generated = document.recurring
                && (1..=document.total_weeks).contains(&week)
                && series.stored.items.week(run, week).is_none()
                && !series.stored.is_withdrawn(run, week);
            if is_generated {
                let generated = self.generated(&of_run, week);
                merged.push(with_changes(generated, &series.stored, run, self.clock));
            }
        }
    }
}

/// A week before which every week that is counted from a base is due before `back`. It saves the
/// calendar arithmetic for the weeks that have passed.
fn first_generated(base_due: Timestamp, back: Timestamp) -> u32 {
    // A week is due at most a day later than so many times seven days after its base: the Monday is
    // not after the base, 09:00 is within the day, and clocks change by less than the rest of it.
    let passed = back
        .milliseconds()
        .saturating_sub(base_due.milliseconds())
        .saturating_sub(DAY_MILLISECONDS);
    let weeks = passed.div_euclid(7 * DAY_MILLISECONDS);
    u32::try_from(weeks.max(0)).map_or(u32::MAX, |weeks| weeks.saturating_add(1))
}

/// Rule 6.
fn paused_until(stored: &StoredAssignment, clock: &Clock) -> Option<Timestamp> {
    let is_over = |until: &Timestamp| stored.status == "inactive" && *until <= clock.now;
    stored.paused_until.filter(|until| !is_over(until))
}

/// A generated entry with the changes that events made to its week. `series` is the series of its
/// base, and `run` the run.
pub fn with_changes<'a>(
    generated: Entry<'a>,
    series: &Series,
    run: u32,
    clock: &Clock,
) -> Entry<'a> {
    if !series.overlays.contains(run, generated.week) {
        return generated;
    }
    let week = StoredAssignment {
        due: Field::Is(generated.due),
        stored_week: Some(generated.week),
        status: String::new(),
        completed_at: None,
        response: Field::Missing,
        paused_until: generated.paused_until,
        opened: false,
        ..generated.stored.clone()
    };
    let mut item = Item::made(run, week);
    series.overlays.lay_over(&mut item);
    let due = item.stored.due.value().copied().unwrap_or(generated.due);
    Entry {
        due,
        status: clock.status_of(&item.stored, due),
        extension_granted: item.stored.extension_granted,
        window: item.stored.window.clone().map(Cow::Owned),
        paused_until: paused_until(&item.stored, clock),
        ..generated
    }
}

/// Rule 9.
fn one_a_week(group: Vec<ListEntry<'_>>) -> BTreeMap<u32, ListEntry<'_>> {
    let mut weeks: BTreeMap<u32, ListEntry<'_>> = BTreeMap::new();
    for candidate in group {
        match weeks.get_mut(&candidate.entry.week) {
            None => {
                weeks.insert(candidate.entry.week, candidate);
            }
            Some(held) => {
                let completed = |listed: &ListEntry<'_>| listed.entry.status == Status::Completed;
                let replaces = match (completed(&candidate), completed(held)) {
                    (true, false) => true,
                    (false, true) => false,
                    _ if candidate.entry.due != held.entry.due => {
                        candidate.entry.due < held.entry.due
                    }
                    _ => candidate.entry.assigned_at > held.entry.assigned_at,
                };
                if replaces {
                    *held = candidate;
                }
            }
        }
    }
    weeks
}

/// Rule 12, in the order of first insertion of each week.
fn merge<'a>(entries: impl Iterator<Item = ListEntry<'a>>) -> Vec<Entry<'a>> {
    let mut merged: Vec<Entry<'a>> = Vec::new();
    let mut places: HashMap<u32, usize> = HashMap::default();
    for ListEntry { entry: candidate, .. } in entries {
        let Some(held) = places.get(&candidate.week).and_then(|at| merged.get_mut(*at)) else {
            places.insert(candidate.week, merged.len());
            merged.push(candidate);
            continue;
        };
        let replaces = match (candidate.has_response(), held.has_response()) {
            (true, false) => true,
            (false, true) => false,
            _ => candidate.due < held.due,
        };
        if replaces {
            *held = candidate;
        }
    }
    merged
}

/// Rule 14.
pub fn survivors<'a>(entries: Vec<Entry<'a>>, clock: &Clock) -> Vec<Entry<'a>> {
    let mut kept: Vec<Entry<'a>> = Vec::with_capacity(entries.len());
    let mut recurring = HashMap::default();
    let mut others: HashSet<Cow<'a, str>> = HashSet::default();
    for candidate in entries {
        if !candidate.stored.recurring {
            if others.insert(candidate.id.clone()) {
                kept.push(candidate);
            }
            continue;
        }
        let key = (candidate.week, clock.zone.midnight_utc_date(candidate.due));
        match recurring.get(&key).and_then(|at: &usize| kept.get_mut(*at)) {
            None => {
                recurring.insert(key, kept.len());
                kept.push(candidate);
            }
            Some(held) => {
                if survives(&candidate, held) {
                    *held = candidate;
                }
            }
        }
    }
    kept
}

fn survives(candidate: &Entry<'_>, held: &Entry<'_>) -> bool {
    let is_stored = |entry: &Entry<'_>| !entry.document.is_empty() && !entry.id.contains("_week_");
    match (candidate.has_response(), held.has_response()) {
        (true, false) => true,
        (false, true) => false,
        _ => match (is_stored(candidate), is_stored(held)) {
            (true, false) => true,
            (false, true) => false,
            _ => candidate.assigned_at > held.assigned_at,
        },
    }
}
