//! Calendar arithmetic in any time zone: local Mondays, windows and horizons.
//!
//! This module converts instants to local dates and back. The `status` module decides which status
//! follows from them.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::time::Timestamp;

/// A time zone with an IANA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// The error for text that is not the name of a time zone.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} is not a time zone; write an IANA name such as UTC or Europe/London")]
pub struct ZoneError {
    name: String,
}

/// Days from a week's Monday to the Friday on which the next week's window opens.
const WINDOW_OPENS_AFTER_DAYS: u64 = 4;
/// How long after its due date a pending week stays in a list, in local days; how long the legacy
/// view generates it, in days of 24 hours.
pub const HORIZON_BACK_DAYS: i64 = 21;
/// How long before its due date a pending week enters a list, in local days; from when on the
/// legacy view generates it, in days of 24 hours.
pub const HORIZON_AHEAD_DAYS: i64 = 42;
/// A day of 24 hours, in milliseconds.
pub const DAY_MILLISECONDS: i64 = 24 * 60 * 60 * 1000;

fn clock(hour: u32) -> NaiveTime {
    // Every caller passes a constant below 24, so the fallback is never used.
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN)
}

/// Returns `date` moved by `days`, clamped to the range of the calendar.
pub fn plus_days(date: NaiveDate, days: i64) -> NaiveDate {
    let by = Days::new(days.unsigned_abs());
    if days < 0 {
        date.checked_sub_days(by).unwrap_or(NaiveDate::MIN)
    } else {
        date.checked_add_days(by).unwrap_or(NaiveDate::MAX)
    }
}

/// As [`Zone::monday_due`] in UTC, by arithmetic on seconds. Views compute it for every generated
/// week. `None` near the ends of the calendar, where dates are clamped.
fn monday_due_in_utc(base_due: Timestamp, week: u32) -> Option<Timestamp> {
    const DAY: i64 = DAY_MILLISECONDS / 1000;
    // 1 January 1970 was a Thursday, three days after a Monday.
    const EPOCH_WEEKDAY: i64 = 3;
    /// About 139,000 years, half of the range of the calendar.
    const FAR: u64 = 1 << 42;
    if base_due.seconds().unsigned_abs() > FAR {
        return None;
    }
    let day = base_due.seconds().div_euclid(DAY);
    let monday = day - (day + EPOCH_WEEKDAY).rem_euclid(7);
    let seconds = (monday + 7 * (i64::from(week) - 1)).checked_mul(DAY)? + 9 * 3600;
    Timestamp::from_parts(seconds, 0)
}

impl Zone {
    /// Coordinated universal time, the default.
    pub const UTC: Self = Self(Tz::UTC);

    fn local(self, instant: Timestamp) -> NaiveDateTime {
        let utc = instant.as_chrono().naive_utc();
        // At the ends of the calendar a local time may not exist; use UTC there.
        utc.checked_add_offset(self.0.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
    }

    /// Returns the local date of an instant.
    pub fn date(self, instant: Timestamp) -> NaiveDate {
        self.local(instant).date()
    }

    /// Returns the instant of a local time. A local time that a clock change skips moves forward by
    /// the gap. For a local time that occurs twice, the first instant is returned.
    pub fn instant(self, local: NaiveDateTime) -> Timestamp {
        if self.0 == Tz::UTC {
            return Timestamp::from(local.and_utc());
        }
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                Timestamp::from(instant.to_utc())
            }
            LocalResult::None => {
                // Use the offset before the gap: the offset of the same local time one day earlier,
                // because no gap is longer than a day.
                let before = local
                    .checked_sub_days(Days::new(1))
                    .and_then(|before| self.0.offset_from_local_datetime(&before).latest());
                let offset =
                    before.unwrap_or_else(|| self.0.offset_from_utc_datetime(&local)).fix();
                Timestamp::from(local.checked_sub_offset(offset).unwrap_or(local).and_utc())
            }
        }
    }

    /// Returns the instant of a local date at a full hour.
    pub fn at_hour(self, date: NaiveDate, hour: u32) -> Timestamp {
        self.instant(date.and_time(clock(hour)))
    }

    /// Returns the Monday of the local week that contains an instant. Weeks end on Sunday.
    pub fn monday(self, instant: Timestamp) -> NaiveDate {
        let date = self.date(instant);
        plus_days(date, -i64::from(date.weekday().num_days_from_monday()))
    }

    /// Returns when the next week's window opens: 10:00 local time on the Friday of the week that
    /// contains `due`.
    pub fn next_window_opens(self, due: Timestamp) -> Timestamp {
        let friday = self
            .monday(due)
            .checked_add_days(Days::new(WINDOW_OPENS_AFTER_DAYS))
            .unwrap_or(NaiveDate::MAX);
        self.at_hour(friday, 10)
    }

    /// Returns the instant `days` local days later at the same local time of day.
    pub fn plus_local_days(self, instant: Timestamp, days: i64) -> Timestamp {
        let local = self.local(instant);
        self.instant(plus_days(local.date(), days).and_time(local.time()))
    }

    /// Returns the range of due dates, both ends included, of the pending weeks that a list shows
    /// at `now`.
    pub fn horizon(self, now: Timestamp) -> (Timestamp, Timestamp) {
        (
            self.plus_local_days(now, -HORIZON_BACK_DAYS),
            self.plus_local_days(now, HORIZON_AHEAD_DAYS),
        )
    }

    /// Returns the range of due dates, both ends included, of the weeks that the legacy view
    /// generates at `now`. It is measured in elapsed time, 24 hours a day, unlike
    /// [`Zone::horizon`]. Source: rule 13 of `docs/spec/legacy-view.md`.
    pub fn generation_horizon(now: Timestamp) -> (Timestamp, Timestamp) {
        (
            now.plus_milliseconds(-HORIZON_BACK_DAYS * DAY_MILLISECONDS),
            now.plus_milliseconds(HORIZON_AHEAD_DAYS * DAY_MILLISECONDS),
        )
    }

    /// Returns the due date of a week counted from the Monday of its base, at 09:00 local time.
    /// `week` starts at 1.
    pub fn monday_due(self, base_due: Timestamp, week: u32) -> Timestamp {
        if self.0 == Tz::UTC
            && let Some(due) = monday_due_in_utc(base_due, week)
        {
            return due;
        }
        self.at_hour(plus_days(self.monday(base_due), 7 * (i64::from(week) - 1)), 9)
    }

    /// Returns the due date of a week on the weekday of its base, at 09:00 local time. `week`
    /// starts at 1.
    pub fn weekday_due(self, base_due: Timestamp, week: u32) -> Timestamp {
        self.at_hour(plus_days(self.date(base_due), 7 * (i64::from(week) - 1)), 9)
    }

    /// Returns the instant on another day of the local week that contains an instant, at the same
    /// local time of day, or at `time` (hour and minute). `days` counts from Monday: 0 to 6.
    pub fn day_of_week(self, instant: Timestamp, days: u8, time: Option<(u32, u32)>) -> Timestamp {
        let date = plus_days(self.monday(instant), i64::from(days));
        let time = time
            .and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0))
            .unwrap_or_else(|| self.local(instant).time());
        self.instant(date.and_time(time))
    }

    /// Returns the UTC date of the local midnight at the start of an instant's local day. The old
    /// server named days like this.
    pub fn midnight_utc_date(self, instant: Timestamp) -> NaiveDate {
        if self.0 == Tz::UTC {
            return self.date(instant);
        }
        self.at_hour(self.date(instant), 0).as_chrono().date_naive()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self).map_err(|_| ZoneError { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_skipped_local_time_moves_forward_by_the_gap_and_a_double_one_is_the_first() {
        let london: Zone = "Europe/London".parse().unwrap();
        let local = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        assert_eq!(london.instant(local("2026-03-29T01:30:00")), at("2026-03-29T01:30:00Z"));
        assert_eq!(london.instant(local("2026-10-25T01:30:00")), at("2026-10-25T00:30:00Z"));
        assert_eq!(london.instant(local("2026-07-01T09:00:00")), at("2026-07-01T08:00:00Z"));
    }

    #[test]
    fn a_sunday_belongs_to_the_monday_before_it() {
        assert_eq!(Zone::UTC.monday(at("2026-01-11T23:59:59Z")), "2026-01-05".parse().unwrap());
        assert_eq!(Zone::UTC.monday(at("2026-01-12T00:00:00Z")), "2026-01-12".parse().unwrap());
        let auckland: Zone = "Pacific/Auckland".parse().unwrap();
        assert_eq!(auckland.monday(at("2026-01-11T12:00:00Z")), "2026-01-12".parse().unwrap());
    }

    #[test]
    fn another_day_of_the_week_keeps_the_week_and_the_local_time() {
        let london: Zone = "Europe/London".parse().unwrap();
        // Clocks changed on Sunday the 29th, between the Wednesday and the Sunday of one week.
        let wednesday = at("2026-03-25T15:30:00Z");
        assert_eq!(london.day_of_week(wednesday, 0, None), at("2026-03-23T15:30:00Z"));
        assert_eq!(london.day_of_week(wednesday, 6, None), at("2026-03-29T14:30:00Z"));
        assert_eq!(london.day_of_week(wednesday, 6, Some((9, 15))), at("2026-03-29T08:15:00Z"));
        // A Sunday moves back: its week began on the Monday before it.
        assert_eq!(
            Zone::UTC.day_of_week(at("2026-01-11T09:00:00Z"), 0, None),
            at("2026-01-05T09:00:00Z")
        );
    }

    #[test]
    fn dues_in_utc_are_those_of_the_calendar() {
        let slow = |base: Timestamp, week: u32| {
            let monday = plus_days(Zone::UTC.monday(base), 7 * (i64::from(week) - 1));
            Zone::UTC.at_hour(monday, 9)
        };
        let (min, max) =
            (DateTime::<Utc>::MIN_UTC.timestamp(), DateTime::<Utc>::MAX_UTC.timestamp());
        let near = [-1, 0, 1].map(i64::from);
        let bounds = [min, max, -86_400 * 4, 0, 86_400 * 4].into_iter();
        let spread = (0..200_000).map(|step| min / 3 + step * (max / 300_000) + step % 86_400);
        for seconds in bounds.flat_map(|at| near.map(|by| at.saturating_add(by))).chain(spread) {
            let Some(base) = Timestamp::from_parts(seconds, 0) else { continue };
            for week in [0, 1, 2, 52, 520] {
                assert_eq!(Zone::UTC.monday_due(base, week), slow(base, week), "{base:?} {week}");
            }
        }
    }

    #[test]
    fn windows_and_dues_keep_local_time_across_a_clock_change() {
        let london: Zone = "Europe/London".parse().unwrap();
        assert_eq!(
            london.next_window_opens(at("2026-03-30T08:00:00Z")),
            at("2026-04-03T09:00:00Z")
        );
        assert_eq!(london.monday_due(at("2026-03-23T09:00:00Z"), 2), at("2026-03-30T08:00:00Z"));
        assert_eq!(london.weekday_due(at("2026-03-25T15:00:00Z"), 2), at("2026-04-01T08:00:00Z"));
        assert_eq!(
            london.midnight_utc_date(at("2026-03-30T08:00:00Z")),
            "2026-03-29".parse().unwrap()
        );
    }
}
