//! The calendar in ten time zones: invariants for every instant, and difficult clock changes.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Weekday};
use proptest::prelude::*;
use rollbook_domain::Timestamp;
use rollbook_domain::calendar::{Zone, plus_days};
use rollbook_domain::status::{Clock, Status};

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Asia/Tehran",
];

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The local time of an instant, computed by chrono alone.
fn local(zone: Zone, instant: Timestamp) -> NaiveDateTime {
    let tz: chrono_tz::Tz = zone.to_string().parse().unwrap();
    instant.as_chrono().with_timezone(&tz).naive_local()
}

fn exists(zone: Zone, local: NaiveDateTime) -> bool {
    use chrono::TimeZone;
    let tz: chrono_tz::Tz = zone.to_string().parse().unwrap();
    tz.from_local_datetime(&local).earliest().is_some()
}

fn any_zone() -> impl Strategy<Value = Zone> {
    proptest::sample::select(&ZONES[..]).prop_map(zone)
}

/// 1990 to 2040, to the second.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    (631_152_000_i64..2_208_988_800).prop_map(|seconds| Timestamp::from_parts(seconds, 0).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_week_begins_on_the_monday_at_or_before(zone in any_zone(), instant in any_instant()) {
        let monday = zone.monday(instant);
        let today = local(zone, instant).date();
        prop_assert_eq!(monday.weekday(), Weekday::Mon);
        prop_assert!((0..7).contains(&(today - monday).num_days()), "{} for {}", monday, today);
    }

    #[test]
    fn an_instant_reads_back_from_its_local_time_or_is_the_second_of_two(zone in any_zone(), instant in any_instant()) {
        let back = zone.instant(local(zone, instant));
        prop_assert!(back <= instant);
        prop_assert_eq!(local(zone, back), local(zone, instant));
    }

    #[test]
    fn a_local_time_that_exists_is_kept_and_another_moves_forward_out_of_the_gap(zone in any_zone(), instant in any_instant(), ahead in 0_i64..3_000_000) {
        let wanted = local(zone, instant) + chrono::Duration::seconds(ahead);
        let got = local(zone, zone.instant(wanted));
        prop_assert!(if exists(zone, wanted) { got == wanted } else { got > wanted && got - wanted <= chrono::Duration::hours(24) }, "{} became {}", wanted, got);
    }

    #[test]
    fn mondays_stay_at_nine_local_time(zone in any_zone(), base in any_instant(), week in 1_u32..521) {
        let due = local(zone, zone.monday_due(base, week));
        let wanted = plus_days(zone.monday(base), 7 * (i64::from(week) - 1)).and_hms_opt(9, 0, 0).unwrap();
        // Only Samoa skipped a whole day, and it was a Friday: every Monday has a nine o'clock.
        prop_assert_eq!(due, wanted);
        let next = local(zone, zone.monday_due(base, week + 1));
        prop_assert_eq!(next - due, chrono::Duration::days(7));
    }

    #[test]
    fn a_weekday_due_keeps_its_weekday_at_nine(zone in any_zone(), base in any_instant(), week in 1_u32..521) {
        let wanted = plus_days(zone.date(base), 7 * (i64::from(week) - 1)).and_hms_opt(9, 0, 0).unwrap();
        if exists(zone, wanted) {
            prop_assert_eq!(local(zone, zone.weekday_due(base, week)), wanted);
        }
    }

    #[test]
    fn the_horizon_keeps_the_time_of_day(zone in any_zone(), now in any_instant()) {
        let (from, to) = zone.horizon(now);
        prop_assert!(from < now && now < to);
        let here = local(zone, now);
        for (end, days) in [(from, -21), (to, 42)] {
            let wanted = plus_days(here.date(), days).and_time(here.time());
            if exists(zone, wanted) {
                prop_assert_eq!(local(zone, end), wanted);
            }
        }
    }

    #[test]
    fn the_window_opens_at_ten_on_the_friday_of_the_week(zone in any_zone(), due in any_instant()) {
        let opens = local(zone, zone.next_window_opens(due));
        let friday = plus_days(zone.monday(due), 4);
        if exists(zone, friday.and_hms_opt(10, 0, 0).unwrap()) {
            prop_assert_eq!(opens.date(), friday);
            prop_assert_eq!((opens.weekday(), opens.hour(), opens.minute()), (Weekday::Fri, 10, 0));
        }
    }

    /// The status uses the calendar only near the window. Far from it the shortcut must give the
    /// same result.
    #[test]
    fn a_status_is_what_the_calendar_says(zone in any_zone(), due in any_instant(), after in -1_500_000_i64..1_500_000) {
        let now = due.plus_milliseconds(after * 1000);
        let expected = if now >= zone.next_window_opens(due) {
            Status::Missed
        } else if now.milliseconds() - due.milliseconds() >= 3 * 86_400_000 {
            Status::Overdue
        } else {
            Status::Pending
        };
        prop_assert_eq!(Clock::new(now, zone).status(false, false, due), expected);
    }

    /// Imported data may hold any representable instant: no function may panic on it.
    #[test]
    fn the_ends_of_the_calendar_are_no_end_of_the_program(
        zone in any_zone(),
        seconds in prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>(), -8_334_601_228_800_i64..-8_334_601_000_000, 8_210_266_700_000_i64..8_210_266_876_799],
        week in prop_oneof![1_u32..600, Just(u32::MAX)],
    ) {
        let far = Timestamp::EPOCH.plus_milliseconds(seconds.saturating_mul(1000));
        let now = at("2026-01-05T09:00:00Z");
        for (instant, other) in [(far, now), (now, far)] {
            let dues = [zone.monday_due(instant, week), zone.weekday_due(instant, week), zone.next_window_opens(instant)];
            prop_assert!(dues.iter().all(|due| !due.to_milliseconds_text().is_empty()));
            let (from, to) = zone.horizon(instant);
            prop_assert!(from <= to);
            prop_assert!(zone.midnight_utc_date(instant) <= NaiveDate::MAX);
            let status = Clock::new(instant, zone).status(false, false, other);
            prop_assert!(status == if instant > other { Status::Missed } else { Status::Pending } || instant == other, "{:?}", status);
        }
    }
}

#[test]
fn skipped_local_times_move_forward_by_the_gap() {
    let local = |text: &str| text.parse::<NaiveDateTime>().unwrap();
    for (name, skipped, becomes) in [
        // Far east: the offset half a day earlier in UTC would already be the one after the gap.
        ("Pacific/Auckland", "2026-09-27T02:30:00", "2026-09-26T14:30:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:10:00", "2026-10-03T15:40:00Z"),
        ("Africa/Casablanca", "2026-03-22T02:30:00", "2026-03-22T02:30:00Z"),
        ("America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00Z"),
        // Midnight itself is skipped.
        ("America/Santiago", "2026-09-06T00:00:00", "2026-09-06T04:00:00Z"),
        // A whole day is skipped: Friday 30 December 2011.
        ("Pacific/Apia", "2011-12-30T00:00:00", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-30T09:00:00", "2011-12-30T19:00:00Z"),
        ("Pacific/Apia", "2011-12-30T23:30:00", "2011-12-31T09:30:00Z"),
    ] {
        assert_eq!(zone(name).instant(local(skipped)), at(becomes), "{name} {skipped}");
    }
}

#[test]
fn a_local_time_that_occurs_twice_is_the_first() {
    let local = |text: &str| text.parse::<NaiveDateTime>().unwrap();
    for (name, twice, first) in [
        ("Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"),
        ("America/Santiago", "2026-04-04T23:30:00", "2026-04-05T02:30:00Z"),
        ("Europe/London", "2026-10-25T01:30:00", "2026-10-25T00:30:00Z"),
    ] {
        assert_eq!(zone(name).instant(local(twice)), at(first), "{name} {twice}");
    }
}

#[test]
fn a_name_that_is_no_zone_is_refused_with_what_to_write() {
    let error = "London".parse::<Zone>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"London\" is not a time zone; write an IANA name such as UTC or Europe/London"
    );
    assert_eq!(zone("Europe/London").to_string(), "Europe/London");
}
