//! Turning points: the instants at which a client's answers can change while the rows do not.
//!
//! The result is a superset of those instants. Between two neighbouring turning points both answers
//! stay the same, so whatever holds at every turning point holds at every instant.

use std::collections::{BTreeSet, HashMap};

use rollbook_domain::Timestamp;
use rollbook_domain::calendar::{
    DAY_MILLISECONDS as DAY, HORIZON_AHEAD_DAYS, HORIZON_BACK_DAYS, Zone, plus_days,
};
use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;

/// Every instant at which an answer computed from these rows can change, and one instant before the
/// first, in order. `overdue_after_milliseconds` is the grace of the pre-created view. At some of
/// the instants nothing changes. Rows without any due date have none.
///
/// `pausedUntil` is not covered: a body that shows it changes at that time too.
pub fn turning_points(
    legacy: &[LegacySeries],
    precreated: &[Series],
    zone: Zone,
    overdue_after_milliseconds: i64,
) -> Vec<Timestamp> {
    let series = legacy.iter().map(|series| &series.stored).chain(precreated);
    let moved: Vec<Timestamp> = series.clone().flat_map(|series| series.overlays.dues()).collect();
    let stored: Vec<&StoredAssignment> =
        series.flat_map(|series| series.items.iter()).map(|item| &item.stored).collect();
    let stored = || stored.iter().copied();
    let mut turns = TurningPoints { zone, overdue_after_milliseconds, at: BTreeSet::new() };
    let mut dues: BTreeSet<Timestamp> =
        stored().filter_map(|stored| stored.due.value().copied()).chain(moved).collect();
    for monday in mondays(stored(), zone) {
        turns.of_generated(monday);
        dues.insert(monday);
    }
    for due in dues {
        turns.of_due(due);
    }
    // A missing time reads as now, so it passes every other time at some instant.
    if stored().any(|stored| stored.assigned_at.is_none()) {
        stored().filter_map(|stored| stored.assigned_at).for_each(|at| turns.both_sides(at));
    }
    if stored().any(|stored| stored.due.value().is_none()) {
        turns.of_missing_dues(stored());
    }
    if stored().any(|stored| counts(stored) && stored.due == Field::Null) {
        turns.of_bases_due_now();
    }
    let first = turns.at.first().map(|first| before(*first));
    first.into_iter().chain(turns.at).collect()
}

/// Whether a week can be the base from which the legacy view generates weeks.
fn counts(stored: &StoredAssignment) -> bool {
    stored.recurring && stored.total_weeks > 1 && stored.due != Field::Missing
}

/// The Mondays counted from every week that can be a base: the lowest week of a series, for each of
/// the client's identities.
fn mondays<'a>(
    stored: impl Iterator<Item = &'a StoredAssignment> + Clone,
    zone: Zone,
) -> BTreeSet<Timestamp> {
    let mut lowest: HashMap<(&str, &str), u32> = HashMap::new();
    for stored in stored.clone().filter(|stored| counts(stored)) {
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

/// Collects turning points.
struct TurningPoints {
    zone: Zone,
    overdue_after_milliseconds: i64,
    at: BTreeSet<Timestamp>,
}

impl TurningPoints {
    fn both_sides(&mut self, instant: Timestamp) {
        self.at.extend([instant, after(instant)]);
    }

    /// The changes of a week that follow from its due date.
    fn of_due(&mut self, due: Timestamp) {
        let Self { zone, overdue_after_milliseconds, .. } = *self;
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

    /// The legacy view generates a week for an interval of elapsed time. It shows the week for an
    /// interval of local days, which differs from that near a clock change.
    fn of_generated(&mut self, due: Timestamp) {
        self.at.extend([
            due.plus_milliseconds(-HORIZON_AHEAD_DAYS * DAY),
            after(due.plus_milliseconds(HORIZON_BACK_DAYS * DAY)),
        ]);
    }

    /// Local days are counted from *now*, so near a clock change a due date can enter or leave the
    /// horizon earlier, later, or twice. Clocks change at full quarters of an hour, by multiples of
    /// half an hour.
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

    /// A week without a due date is due *now*: its entry depends on the day of the week, and on
    /// which other weeks share its day. Between two other turning points this repeats every week,
    /// so one week after each is enough.
    fn of_missing_dues<'a>(&mut self, stored: impl Iterator<Item = &'a StoredAssignment>) {
        let zone = self.zone;
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

    /// A base without a due date counts its weeks from the Monday of *now*. The last of them that
    /// is generated enters at 09:00 on that Monday, or earlier or later if the clocks change in
    /// between. Clock changes repeat every year, so one year on either side is enough.
    fn of_bases_due_now(&mut self) {
        const WEEKS_A_YEAR: i64 = 53;
        let zone = self.zone;
        if zone == Zone::UTC {
            return;
        }
        let (Some(first), Some(last)) = (self.at.first(), self.at.last()) else { return };
        let end = plus_days(zone.monday(*last), 7 * WEEKS_A_YEAR);
        let mut monday = plus_days(zone.monday(*first), -7 * WEEKS_A_YEAR);
        while monday <= end {
            let due = zone.at_hour(plus_days(monday, HORIZON_AHEAD_DAYS), 9);
            let enters = due.plus_milliseconds(-HORIZON_AHEAD_DAYS * DAY);
            if enters != zone.at_hour(monday, 9) {
                self.of_weeks_near(enters);
            }
            monday = plus_days(monday, 7);
        }
    }

    /// The turning points of a base that is due *now*, in the week around an instant.
    fn of_weeks_near(&mut self, instant: Timestamp) {
        let zone = self.zone;
        self.both_sides(instant);
        let monday = zone.monday(instant);
        for date in (0..=7).map(|day| plus_days(monday, day)) {
            for hour in [0, 9, 10] {
                self.both_sides(zone.at_hour(date, hour));
            }
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
