//! Parses dates and times from the front end: RFC 3339, a local date, or a local time of day.

use chrono::NaiveDate;
use rollbook_application::code::Code;
use rollbook_domain::Timestamp;
use rollbook_domain::calendar::Zone;

use super::super::error::ApiError;

/// The local hour at which a date without a time is due.
const DUE_HOUR: u32 = 9;

/// Parses a local date from a date or an instant.
pub(super) fn date(field: &'static str, text: &str, zone: Zone) -> Result<NaiveDate, ApiError> {
    let plain = text.parse::<NaiveDate>().ok();
    let date = plain.or_else(|| text.parse::<Timestamp>().ok().map(|instant| zone.date(instant)));
    date.filter(is_sensible).ok_or_else(|| unreadable(field, text))
}

/// Parses an instant from an instant, or from a local date at 09:00.
pub(super) fn instant(field: &'static str, text: &str, zone: Zone) -> Result<Timestamp, ApiError> {
    let dated = || text.parse::<NaiveDate>().ok().map(|date| zone.at_hour(date, DUE_HOUR));
    text.parse::<Timestamp>()
        .ok()
        .or_else(dated)
        .filter(|instant| is_sensible(&zone.date(*instant)))
        .ok_or_else(|| unreadable(field, text))
}

/// Whether RFC 3339 can express this year, and all years of a run that starts in it.
fn is_sensible(date: &NaiveDate) -> bool {
    use chrono::Datelike;
    (1900..=9000).contains(&date.year())
}

fn unreadable(field: &'static str, text: &str) -> ApiError {
    ApiError::bad_request(
        Code::BadDate,
        format!("{field} is no date: {text:?}. Write it like 2026-01-05 or 2026-01-05T09:00:00Z"),
    )
}
