//! Fields whose value is read as something else: of another type, or beyond reason.
//!
//! Reading never fails on such a field, because the old application did not either. This module
//! names the fields, so that no default is used silently.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::field::Raw;
use crate::collection::Collection;
use crate::json::JsonText;
use crate::time::Timestamp;

/// The years of a reasonable instant.
const REASONABLE_YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

/// Why a value is read as something else, or is not believable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// The value has another type than the field.
    OtherType,
    /// The value has the type of the field, but cannot be meant.
    BeyondReason,
}

/// The type that a field should have.
#[derive(Clone, Copy)]
enum Kind {
    /// A text or null.
    Text,
    /// A text; null has no meaning.
    Key,
    /// `true`, `false` or null.
    Flag,
    /// A number or null.
    Number,
    /// A whole number from 1, however it is written, or null.
    Weeks,
    /// An instant in one of the export's three forms, or null.
    Instant,
}

/// The fields that are read, by collection. `profile` of a coach is an object of its own.
fn fields(collection: Collection) -> &'static [(&'static str, Kind)] {
    match collection {
        Collection::CheckInAssignments => &[
            ("id", Kind::Text),
            ("clientId", Kind::Key),
            ("coachId", Kind::Text),
            ("formId", Kind::Key),
            ("formTitle", Kind::Text),
            ("description", Kind::Text),
            ("dueDate", Kind::Instant),
            ("status", Kind::Text),
            ("assignedBy", Kind::Text),
            ("assignedAt", Kind::Instant),
            ("completedAt", Kind::Instant),
            ("responseId", Kind::Text),
            ("score", Kind::Number),
            ("isRecurring", Kind::Flag),
            ("recurringWeek", Kind::Weeks),
            ("totalWeeks", Kind::Weeks),
            ("pausedUntil", Kind::Instant),
            ("coachResponded", Kind::Flag),
            ("extensionGranted", Kind::Flag),
        ],
        Collection::FormResponses => &[
            ("assignmentId", Kind::Text),
            ("clientId", Kind::Key),
            ("formId", Kind::Key),
            ("recurringWeek", Kind::Weeks),
            ("score", Kind::Number),
            ("submittedAt", Kind::Instant),
        ],
        Collection::Clients => &[
            ("authUid", Kind::Text),
            ("coachId", Kind::Text),
            ("onboardingStatus", Kind::Text),
            ("canStartCheckIns", Kind::Flag),
        ],
        Collection::CoachFeedback => &[("responseId", Kind::Text)],
        Collection::Coaches
        | Collection::Users
        | Collection::Forms
        | Collection::CheckInExtensions => &[],
    }
}

/// Returns the fields of a document that are read as something else, in the order of the fields. A
/// missing field is never odd.
pub fn oddities(collection: Collection, body: &JsonText) -> Vec<(&'static str, Oddity)> {
    let fields = fields(collection);
    if fields.is_empty() {
        return Vec::new();
    }
    let held: BTreeMap<String, &RawValue> = body.read().unwrap_or_default();
    let odd = |(field, kind): &(&'static str, Kind)| {
        let value = Raw(Some(*held.get(*field)?));
        Some((*field, oddity(value, *kind)?))
    };
    fields.iter().filter_map(odd).collect()
}

fn oddity(value: Raw<'_>, kind: Kind) -> Option<Oddity> {
    if value.is_null() {
        return matches!(kind, Kind::Key).then_some(Oddity::OtherType);
    }
    let has_type = |is: bool| (!is).then_some(Oddity::OtherType);
    match kind {
        Kind::Text | Kind::Key => has_type(value.read::<String>().is_some()),
        Kind::Flag => has_type(value.read::<bool>().is_some()),
        Kind::Number => has_type(value.read::<f64>().is_some()),
        Kind::Weeks => match value.whole() {
            // More weeks than a run can have are a finding of their own.
            Some(weeks) => (weeks == 0).then_some(Oddity::BeyondReason),
            None if value.is_number() => Some(Oddity::BeyondReason),
            None => Some(Oddity::OtherType),
        },
        Kind::Instant => match value.instant() {
            Ok(instant) => instant.filter(|at| !is_reasonable(*at)).map(|_| Oddity::BeyondReason),
            Err(()) => Some(Oddity::OtherType),
        },
    }
}

fn is_reasonable(instant: Timestamp) -> bool {
    use chrono::Datelike;
    REASONABLE_YEARS.contains(&instant.as_chrono().year())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::StoredAssignment;

    fn of(fields: &str) -> Vec<(&'static str, Oddity)> {
        oddities(Collection::CheckInAssignments, &JsonText::parse(fields).unwrap())
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        for (field, values) in [
            ("totalWeeks", &[r#""52""#, "true", "[52]"][..]),
            ("recurringWeek", &[r#""3""#, "{}"]),
            ("isRecurring", &["1", r#""true""#]),
            ("formId", &["null", "7"]),
            ("formTitle", &["7", "false"]),
            ("score", &[r#""80""#]),
        ] {
            for value in values {
                let found = of(&format!(r#"{{"{field}": {value}}}"#));
                assert_eq!(found, [(field, Oddity::OtherType)], "{field}: {value}");
            }
        }
        let client = JsonText::parse(r#"{"authUid": 5, "canStartCheckIns": 1}"#).unwrap();
        assert_eq!(
            oddities(Collection::Clients, &client),
            [("authUid", Oddity::OtherType), ("canStartCheckIns", Oddity::OtherType)]
        );
    }

    #[test]
    fn a_value_beyond_reason_is_named() {
        // 2026-01-05 in milliseconds where seconds belong: the year 57982.
        let due = r#"{"_seconds": 1767603600000, "_nanoseconds": 0}"#;
        for (field, value) in [
            ("dueDate", due),
            ("dueDate", r#""1969-12-31T23:59:59Z""#),
            ("totalWeeks", "0"),
            ("totalWeeks", "-1"),
            ("totalWeeks", "2.5"),
            ("recurringWeek", "1e300"),
            ("recurringWeek", "1e999"),
        ] {
            let found = of(&format!(r#"{{"{field}": {value}}}"#));
            assert_eq!(found, [(field, Oddity::BeyondReason)], "{field}: {value}");
        }
    }

    #[test]
    fn ordinary_values_are_not_odd() {
        assert_eq!(
            of(
                r#"{"id": "", "formId": "", "score": 0, "isRecurring": false, "recurringWeek": null,
                "totalWeeks": 520, "dueDate": null, "completedAt": null, "responseId": null,
                "checkInWindow": 5, "unknown": [1]}"#
            ),
            []
        );
    }

    proptest::proptest! {
        #[test]
        fn a_whole_number_is_one_however_it_is_written(weeks in 1_u32..=520, zeros in 1_usize..4, shift in 0_i32..4) {
            let decimal = format!("{weeks}.{}", "0".repeat(zeros));
            let scientific = format!("{weeks}{}e-{zeros}", "0".repeat(zeros));
            let shifted = format!("{}e{shift}", f64::from(weeks) / 10_f64.powi(shift));
            for written in [weeks.to_string(), decimal, scientific, shifted] {
                // A shifted number can be rounded; then it is no whole number for JavaScript
                // either.
                if written.parse::<f64>().unwrap() != f64::from(weeks) {
                    continue;
                }
                let body = format!(r#"{{"totalWeeks": {written}, "recurringWeek": {written}}}"#);
                let read = StoredAssignment::read("d", &JsonText::parse(&body).unwrap());
                proptest::prop_assert_eq!(read.total_weeks, weeks, "{}", &written);
                proptest::prop_assert_eq!(read.stored_week, Some(weeks), "{}", &written);
                proptest::prop_assert_eq!(of(&body), [], "{}", &written);
            }
        }

        #[test]
        fn what_is_not_read_as_written_is_named(value in proptest::arbitrary::any::<f64>()) {
            let body = format!(r#"{{"totalWeeks": {value:e}}}"#);
            let Ok(body) = JsonText::parse(&body) else { return Ok(()) };
            let StoredAssignment { shared, total_weeks_capped, .. } = StoredAssignment::read("d", &body);
            let read = shared.total_weeks;
            let is_named = total_weeks_capped
                || !oddities(Collection::CheckInAssignments, &body).is_empty();
            proptest::prop_assert!(f64::from(read) == value || is_named, "{value} is read as {read}");
        }
    }
}
