//! The instants at which a client's answers can change. The list is a superset of those instants:
//! between two neighbours both answers stay as they are, so comparing the views at each of them
//! compares them at every instant.

use std::collections::{BTreeSet, HashMap};

use rollbook_domain::Timestamp;
use rollbook_domain::calendar::{HORIZON_AHEAD_DAYS, HORIZON_BACK_DAYS, Zone, plus_days};
use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;

use super::ParityRules;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Every instant at which an answer made of these rows can change in what is compared, and one
/// before the first; in order. Some are none: it is a superset. Rows without any due have none.
pub fn turning_points(
    legacy: &[LegacySeries],
    precreated: &[Series],
    rules: &ParityRules,
) -> Vec<Timestamp> {
    let series = legacy.iter().map(|series| &series.stored).chain(precreated);
    let stored: Vec<&StoredAssignment> =
        series.flat_map(|series| series.items.iter()).map(|item| &item.stored).collect();
    let stored = || stored.iter().copied();
    let mut turns = Turns { rules, at: BTreeSet::new() };
    let mut dues: BTreeSet<Timestamp> =
        stored().filter_map(|stored| stored.due.value().copied()).collect();
    dues.extend(mondays(stored(), rules.zone));
    for due in dues {
        turns.of_due(due);
    }
    // A missing time reads as now, so it passes every other one.
    if stored().any(|stored| stored.assigned_at.is_none()) {
        stored().filter_map(|stored| stored.assigned_at).for_each(|at| turns.both_sides(at));
    }
    if stored().any(|stored| stored.due.value().is_none()) {
        turns.of_missing_dues(stored());
    }
    let first = turns.at.first().map(|first| before(*first));
    first.into_iter().chain(turns.at).collect()
}

/// The Mondays that are counted from every week that can be a base: a series' lowest week, of each
/// of the client's identities.
fn mondays<'a>(
    stored: impl Iterator<Item = &'a StoredAssignment> + Clone,
    zone: Zone,
) -> BTreeSet<Timestamp> {
    let counts = |stored: &&StoredAssignment| {
        stored.recurring && stored.total_weeks > 1 && stored.due != Field::Missing
    };
    let mut lowest: HashMap<(&str, &str), u32> = HashMap::new();
    for stored in stored.clone().filter(counts) {
        let week = lowest.entry((&stored.form, &stored.client)).or_insert(u32::MAX);
        *week = stored.week().min(*week);
    }
    let is_base = |stored: &&StoredAssignment| {
        lowest.get(&(stored.form.as_str(), stored.client.as_str())) == Some(&stored.week())
    };
    let bases: BTreeSet<(Timestamp, u32)> = stored
        .filter(|stored| counts(stored) && is_base(stored))
        .filter_map(|stored| Some((*stored.due.value()?, stored.total_weeks)))
        .collect();
    bases
        .into_iter()
        .flat_map(|(due, weeks)| (1..=weeks).map(move |week| zone.monday_due(due, week)))
        .collect()
}

fn after(instant: Timestamp) -> Timestamp {
    match instant.nanoseconds() {
        999_999_999 => Timestamp::from_parts(instant.seconds().saturating_add(1), 0),
        nanoseconds => Timestamp::from_parts(instant.seconds(), nanoseconds + 1),
    }
    .unwrap_or(instant)
}

fn before(instant: Timestamp) -> Timestamp {
    match instant.nanoseconds() {
        0 => Timestamp::from_parts(instant.seconds().saturating_sub(1), 999_999_999),
        nanoseconds => Timestamp::from_parts(instant.seconds(), nanoseconds - 1),
    }
    .unwrap_or(instant)
}

struct Turns<'r> {
    rules: &'r ParityRules,
    at: BTreeSet<Timestamp>,
}

impl Turns<'_> {
    fn both_sides(&mut self, instant: Timestamp) {
        self.at.extend([instant, after(instant)]);
    }

    /// What happens to a week because of its due.
    fn of_due(&mut self, due: Timestamp) {
        let ParityRules { zone, overdue_after_milliseconds, .. } = *self.rules;
        let enters = zone.plus_local_days(due, -HORIZON_AHEAD_DAYS);
        let leaves = zone.plus_local_days(due, HORIZON_BACK_DAYS);
        self.at.extend([
            enters,
            after(leaves),
            after(due),
            due.plus_milliseconds(OVERDUE_AFTER_MILLISECONDS),
            due.plus_milliseconds(overdue_after_milliseconds),
            zone.next_window_opens(due),
        ]);
        if zone == Zone::UTC {
            return;
        }
        let changes_at_due = clock_changes_near(zone, due);
        for turn in [enters, leaves] {
            if changes_at_due || clock_changes_near(zone, turn) {
                self.around(turn);
            }
        }
    }

    /// Local days are counted from *now*, so near a clock change a due can enter or leave earlier,
    /// later, or twice. Clocks change at full quarters of an hour, by multiples of half an hour.
    fn around(&mut self, turn: Timestamp) {
        const QUARTER: i64 = 15 * MINUTE;
        let quarter = turn.plus_milliseconds(-turn.milliseconds().rem_euclid(QUARTER)).seconds();
        let Some(quarter) = Timestamp::from_parts(quarter, 0) else { return };
        for step in -12..=12 {
            self.both_sides(quarter.plus_milliseconds(step * QUARTER));
        }
        for step in -6..=6 {
            self.both_sides(turn.plus_milliseconds(step * 2 * QUARTER));
        }
    }

    /// A week without a due is due *now*: what it shows follows the days of the week, and which
    /// other weeks share its day. Between two other turns that repeats every week, so one week
    /// after each is enough.
    fn of_missing_dues<'a>(&mut self, stored: impl Iterator<Item = &'a StoredAssignment>) {
        let zone = self.rules.zone;
        for stored in stored {
            if let Field::Is(due) = stored.due {
                self.both_sides(due);
                let date = zone.date(due);
                self.at.extend([zone.at_hour(date, 0), zone.at_hour(plus_days(date, 1), 0)]);
            }
        }
        if self.at.is_empty() {
            self.at.insert(Timestamp::EPOCH);
        }
        let mut dates: BTreeSet<_> = self.at.iter().map(|turn| zone.date(*turn)).collect();
        // And one week before all of them.
        dates.extend(dates.first().map(|first| plus_days(*first, -8)));
        let days: BTreeSet<_> = dates
            .into_iter()
            .flat_map(|date| (0..=8).map(move |day| plus_days(date, day)))
            .collect();
        for (date, hour) in days.into_iter().flat_map(|date| [0, 9, 10].map(|hour| (date, hour))) {
            self.both_sides(zone.at_hour(date, hour));
        }
    }
}

/// Whether the zone's clocks change within some hours of an instant.
fn clock_changes_near(zone: Zone, instant: Timestamp) -> bool {
    const NEAR: i64 = 4 * HOUR;
    let today = zone.date(instant);
    let hour = |date, hour: u32| {
        if hour == 24 { zone.at_hour(plus_days(date, 1), 0) } else { zone.at_hour(date, hour) }
    };
    (-1..=1)
        .map(|day| plus_days(today, day))
        .filter(|date| hour(*date, 24).milliseconds() - hour(*date, 0).milliseconds() != DAY)
        .any(|date| {
            (0..24)
                .map(|at| (hour(date, at), hour(date, at + 1)))
                .filter(|(from, to)| to.milliseconds() - from.milliseconds() != HOUR)
                .any(|(from, to)| {
                    from.milliseconds() - NEAR <= instant.milliseconds()
                        && instant.milliseconds() <= to.milliseconds() + NEAR
                })
        })
}
