//! Calendar arithmetic of the oracle. It takes only the offsets of a zone from the time zone
//! database; dates, Mondays and local times are computed here.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

pub const SECOND: i64 = 1000;
pub const HOUR: i64 = 3600 * SECOND;
pub const DAY: i64 = 24 * HOUR;

/// Milliseconds since 1970 of an RFC 3339 text in UTC.
pub fn instant(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let time = number(11, 13) * HOUR + number(14, 16) * 60 * SECOND + number(17, 19) * SECOND;
    let fraction = if text.as_bytes()[19] == b'.' { number(20, 23) } else { 0 };
    days_of(number(0, 4), number(5, 7), number(8, 10)) * DAY + time + fraction
}

/// The text of an instant, with milliseconds.
pub fn text(at: i64) -> String {
    let (year, month, day) = date_of(at.div_euclid(DAY));
    let rest = at.rem_euclid(DAY);
    let (hour, minute) = (rest / HOUR, rest / 60_000 % 60);
    let (second, millisecond) = (rest / SECOND % 60, rest % SECOND);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970 of a date from 1970 on.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let years: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

fn date_of(mut days: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    while days >= if is_leap(year) { 366 } else { 365 } {
        days -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 1;
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

/// The offset of a zone from UTC at an instant.
pub fn offset(zone: Tz, at: i64) -> i64 {
    let utc = DateTime::from_timestamp_millis(at).unwrap().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * SECOND
}

/// The local clock of an instant, written as milliseconds since 1970.
pub fn local(zone: Tz, at: i64) -> i64 {
    at + offset(zone, at)
}

/// The instant of a local clock: the first if it occurs twice; moved forward by the gap if it does
/// not occur.
pub fn from_local(zone: Tz, local: i64) -> i64 {
    let (before, after) = (offset(zone, local - DAY), offset(zone, local + DAY));
    let occurs = |offset_then: &i64| offset(zone, local - offset_then) == *offset_then;
    [before, after]
        .into_iter()
        .filter(occurs)
        .map(|offset| local - offset)
        .min()
        .unwrap_or(local - before)
}

/// The local day of an instant, in days since 1970.
pub fn local_day(zone: Tz, at: i64) -> i64 {
    local(zone, at).div_euclid(DAY)
}

/// The Monday of a day's week. 1970-01-01 was a Thursday.
pub fn monday(day: i64) -> i64 {
    day - (day + 3).rem_euclid(7)
}

/// The instant a number of local days away, at the same local time.
pub fn plus_local_days(zone: Tz, at: i64, days: i64) -> i64 {
    from_local(zone, local(zone, at) + days * DAY)
}

/// The clock changes of a zone in 2026, found hour by hour.
pub fn clock_changes(zone: Tz) -> Vec<i64> {
    let from = instant("2026-01-01T00:00:00Z");
    (0..365 * 48)
        .map(|step| from + step * HOUR / 2)
        .filter(|at| offset(zone, *at) != offset(zone, at - HOUR / 2))
        .collect()
}
