//! Documents of the old application, parsed into types.
//!
//! This module decides which fields matter, how a missing or malformed field is read, and which
//! timestamps make a document invalid. It never changes or drops stored data.

mod assignment;
mod client;
mod coach;
mod field;
mod oddity;
mod response;
mod timestamps;

pub use self::assignment::{SharedFields, StoredAssignment};
pub use self::client::StoredClient;
pub use self::coach::coach_name;
pub use self::field::Field;
pub use self::oddity::{Oddity, oddities};
pub use self::response::{StoredResponse, feedback_response};
pub use self::timestamps::{BadTimestamp, check_timestamps};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Collection;
    use crate::json::JsonText;

    fn json(text: &str) -> JsonText {
        JsonText::parse(text).unwrap()
    }

    #[test]
    fn all_three_timestamp_forms_are_read_with_their_nanoseconds() {
        let forms = [
            r#"{"dueDate":"2026-01-05T09:00:00.123456789Z"}"#,
            r#"{"dueDate":{"_seconds":1767603600,"_nanoseconds":123456789}}"#,
            r#"{"dueDate":{"__datatype__":"timestamp","value":{"_seconds":1767603600,"_nanoseconds":123456789}}}"#,
        ];
        for form in forms {
            let due = StoredAssignment::read("d", &json(form)).due;
            assert_eq!(
                due.value().unwrap().to_string(),
                "2026-01-05T09:00:00.123456789Z",
                "{form}"
            );
            assert!(check_timestamps(Collection::CheckInAssignments, &json(form)).is_ok());
        }
    }

    #[test]
    fn a_field_without_a_timestamp_is_named() {
        for bad in [
            r#""soon""#,
            "5",
            r#"{"_seconds":1}"#,
            r#"{"_seconds":1,"_nanoseconds":1000000000}"#,
            r#"{"__datatype__":"geo","value":{"_seconds":1,"_nanoseconds":0}}"#,
            "\"\"",
        ] {
            let error = check_timestamps(
                Collection::CheckInAssignments,
                &json(&format!("{{\"completedAt\":{bad}}}")),
            )
            .unwrap_err();
            assert_eq!(error.field, "completedAt");
        }
    }

    #[test]
    fn missing_and_null_are_told_apart() {
        assert_eq!(StoredAssignment::read("d", &json("{}")).due, Field::Missing);
        assert_eq!(StoredAssignment::read("d", &json(r#"{"dueDate":null}"#)).due, Field::Null);
        assert_eq!(
            StoredAssignment::read("d", &json(r#"{"responseId":null}"#)).response,
            Field::Null
        );
    }
}
