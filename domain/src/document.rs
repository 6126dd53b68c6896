//! Documents of the old application, read into types. Owns which fields matter, how a missing or odd one reads, and which
//! timestamps make a document no document; nothing here changes or drops what was stored.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::event::Collection;
use crate::json::JsonText;
use crate::number::Number;
use crate::time::Timestamp;

/// A field that tells missing from null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field<T> {
    /// The document has no such field.
    #[default]
    Missing,
    /// The field is null.
    Null,
    /// The field has a value.
    Is(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

/// One field's raw JSON.
#[derive(Clone, Copy, Default)]
struct Raw<'a>(Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

impl<'a> Raw<'a> {
    fn read<T: Deserialize<'a>>(self) -> Option<T> {
        self.0.and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    fn is_null(self) -> bool {
        self.0.is_some_and(|raw| raw.get() == "null")
    }

    fn text(self) -> String {
        self.read().unwrap_or_default()
    }

    fn field<T>(self, value: Option<T>) -> Field<T> {
        match (self.0, value) {
            (None, _) => Field::Missing,
            (Some(_), Some(value)) => Field::Is(value),
            (Some(_), None) => Field::Null,
        }
    }

    /// The instant in one of the three forms of the export; `None` when missing or null.
    fn instant(self) -> Result<Option<Timestamp>, ()> {
        match self.0 {
            None => Ok(None),
            Some(raw) if raw.get() == "null" => Ok(None),
            Some(raw) => serde_json::from_str::<AnyTimestamp>(raw.get())
                .ok()
                .and_then(AnyTimestamp::instant)
                .map(Some)
                .ok_or(()),
        }
    }

    fn instant_or_none(self) -> Option<Timestamp> {
        self.instant().unwrap_or_default()
    }
}

/// The three ways in which exporters write an instant.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyTimestamp {
    Text(String),
    Parts {
        _seconds: i64,
        _nanoseconds: u32,
    },
    Typed {
        #[serde(rename = "__datatype__")]
        datatype: String,
        value: Box<AnyTimestamp>,
    },
}

impl AnyTimestamp {
    fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Parts { _seconds, _nanoseconds } => (_nanoseconds < 1_000_000_000)
                .then(|| Timestamp::from_parts(_seconds, _nanoseconds))?,
            Self::Typed { datatype, value } => match *value {
                Self::Parts { .. } if datatype == "timestamp" => value.instant(),
                _ => None,
            },
        }
    }
}

/// A timestamp field that holds no timestamp.
#[derive(Debug, thiserror::Error)]
#[error("the field {field:?} holds {value}, which is no timestamp")]
pub struct BadTimestamp {
    /// The field.
    pub field: &'static str,
    /// Its JSON.
    pub value: String,
}

/// Checks what a document of this collection must have to be a document: its timestamps. Null and missing are fine.
///
/// # Errors
/// Names the first field that is neither null nor an instant in one of the export's three forms (`docs/spec/legacy-export.md`).
pub fn check_timestamps(collection: Collection, body: &JsonText) -> Result<(), BadTimestamp> {
    let bad = |field: &'static str, raw: Raw<'_>| match raw.instant() {
        Ok(_) => Ok(()),
        Err(()) => Err(BadTimestamp {
            field,
            value: raw.0.map(|raw| raw.get().to_owned()).unwrap_or_default(),
        }),
    };
    match collection {
        Collection::CheckInAssignments => {
            let raw: RawAssignment<'_> = body.read().unwrap_or_default();
            bad("dueDate", raw.due_date)?;
            bad("assignedAt", raw.assigned_at)?;
            bad("completedAt", raw.completed_at)?;
            bad("pausedUntil", raw.paused_until)
        }
        Collection::FormResponses => {
            let raw: RawResponse<'_> = body.read().unwrap_or_default();
            bad("submittedAt", raw.submitted_at)
        }
        _ => Ok(()),
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawAssignment<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    client_id: Raw<'a>,
    #[serde(borrow)]
    coach_id: Raw<'a>,
    #[serde(borrow)]
    form_id: Raw<'a>,
    #[serde(borrow)]
    form_title: Raw<'a>,
    #[serde(borrow)]
    description: Raw<'a>,
    #[serde(borrow)]
    due_date: Raw<'a>,
    #[serde(borrow)]
    status: Raw<'a>,
    #[serde(borrow)]
    assigned_by: Raw<'a>,
    #[serde(borrow)]
    assigned_at: Raw<'a>,
    #[serde(borrow)]
    completed_at: Raw<'a>,
    #[serde(borrow)]
    response_id: Raw<'a>,
    #[serde(borrow)]
    score: Raw<'a>,
    #[serde(borrow)]
    is_recurring: Raw<'a>,
    #[serde(borrow)]
    recurring_week: Raw<'a>,
    #[serde(borrow)]
    total_weeks: Raw<'a>,
    #[serde(borrow)]
    check_in_window: Raw<'a>,
    #[serde(borrow)]
    paused_until: Raw<'a>,
    #[serde(borrow)]
    coach_responded: Raw<'a>,
    #[serde(borrow)]
    extension_granted: Raw<'a>,
}

/// What the weeks of a run have in common. A row holds it once for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFields {
    /// The client id as stored: any of the client's identities.
    pub client: String,
    /// The coach's id; empty when missing.
    pub coach: String,
    /// The form's id; may be empty.
    pub form: String,
    /// The form's title; may be empty.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// Who assigned it; empty reads as `Coach`.
    pub assigned_by: String,
    /// When it was assigned.
    pub assigned_at: Option<Timestamp>,
    /// Whether it recurs.
    pub recurring: bool,
    /// The number of weeks; 1 when missing.
    pub total_weeks: u32,
    /// The check-in window, any JSON; `None` when missing or null.
    pub window: Option<JsonText>,
}

/// An assignment document: what both views read of one stored week, imported or made later.
///
/// It reads as if the [`SharedFields`] were its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAssignment {
    /// The document id; the v5 assignment id for a week that no import brought.
    pub document: String,
    /// The old "legacy id"; empty when the document has none. Not unique.
    pub legacy_id: String,
    /// The due date.
    pub due: Field<Timestamp>,
    /// The stored status; empty when missing.
    pub status: String,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// The response's id.
    pub response: Field<String>,
    /// The score.
    pub score: Option<Number>,
    /// The week as stored; `None` reads as 1.
    pub stored_week: Option<u32>,
    /// Until when it rests.
    pub paused_until: Option<Timestamp>,
    /// Whether the document says that the coach responded.
    pub coach_responded: bool,
    /// Whether an extension was granted.
    pub extension_granted: bool,
    /// What it has in common with other weeks.
    pub shared: Arc<SharedFields>,
}

impl Deref for StoredAssignment {
    type Target = SharedFields;

    fn deref(&self) -> &SharedFields {
        &self.shared
    }
}

impl StoredAssignment {
    /// Reads a document. What has another type than expected reads as missing; the document itself stays as it was stored.
    pub fn read(document: &str, body: &JsonText) -> Self {
        let raw: RawAssignment<'_> = body.read().unwrap_or_default();
        let shared = SharedFields {
            client: raw.client_id.text(),
            coach: raw.coach_id.text(),
            form: raw.form_id.text(),
            title: raw.form_title.text(),
            description: raw.description.text(),
            assigned_by: raw.assigned_by.text(),
            assigned_at: raw.assigned_at.instant_or_none(),
            recurring: raw.is_recurring.read().unwrap_or(false),
            total_weeks: raw.total_weeks.read().filter(|weeks| *weeks > 0).unwrap_or(1),
            window: if raw.check_in_window.is_null() {
                None
            } else {
                raw.check_in_window.0.and_then(|raw| JsonText::parse(raw.get()).ok())
            },
        };
        Self {
            document: document.to_owned(),
            legacy_id: raw.id.text(),
            due: raw.due_date.field(raw.due_date.instant_or_none()),
            status: raw.status.text(),
            completed_at: raw.completed_at.instant_or_none(),
            response: raw.response_id.field(raw.response_id.read()),
            score: raw.score.read(),
            stored_week: raw.recurring_week.read().filter(|week| *week > 0),
            paused_until: raw.paused_until.instant_or_none(),
            coach_responded: raw.coach_responded.read().unwrap_or(false),
            extension_granted: raw.extension_granted.read().unwrap_or(false),
            shared: Arc::new(shared),
        }
    }

    /// The id by which the old system called it: its legacy id, or its document id.
    pub fn public_id(&self) -> &str {
        if self.legacy_id.is_empty() { &self.document } else { &self.legacy_id }
    }

    /// The week it is meant for.
    pub fn week(&self) -> u32 {
        self.stored_week.unwrap_or(1)
    }

    /// The response's id, when it has one.
    pub fn response_id(&self) -> Option<&str> {
        self.response.value().map(String::as_str).filter(|id| !id.is_empty())
    }

    /// Whether it is answered, or stored as if it were.
    pub fn is_completed(&self) -> bool {
        self.status == "completed" || self.completed_at.is_some() || self.response_id().is_some()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawResponse<'a> {
    #[serde(borrow)]
    assignment_id: Raw<'a>,
    #[serde(borrow)]
    client_id: Raw<'a>,
    #[serde(borrow)]
    form_id: Raw<'a>,
    #[serde(borrow)]
    recurring_week: Raw<'a>,
    #[serde(borrow)]
    score: Raw<'a>,
    #[serde(borrow)]
    submitted_at: Raw<'a>,
}

/// A response document: what planning, audit and the checks read of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The document id.
    pub document: String,
    /// The assignment it names, by any id; empty when it names none.
    pub named: String,
    /// The client id as stored.
    pub client: String,
    /// The form's id.
    pub form: String,
    /// The week it says it is for.
    pub week: Option<u32>,
    /// The score.
    pub score: Option<Number>,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
}

impl StoredResponse {
    /// Reads a document, leniently as [`StoredAssignment::read`].
    pub fn read(document: &str, body: &JsonText) -> Self {
        let raw: RawResponse<'_> = body.read().unwrap_or_default();
        Self {
            document: document.to_owned(),
            named: raw.assignment_id.text(),
            client: raw.client_id.text(),
            form: raw.form_id.text(),
            week: raw.recurring_week.read().filter(|week| *week > 0),
            score: raw.score.read(),
            submitted_at: raw.submitted_at.instant_or_none(),
        }
    }
}

/// A client document: who it is, and whether the lists are open to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClient {
    /// The other identity; empty when unset.
    pub auth_uid: String,
    /// The coach's id; empty when unset.
    pub coach: String,
    /// Rule 2 of `docs/spec/legacy-view.md`.
    pub onboarded: bool,
}

impl StoredClient {
    /// Reads a document, leniently as [`StoredAssignment::read`].
    pub fn read(body: &JsonText) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct RawClient<'a> {
            #[serde(borrow)]
            auth_uid: Raw<'a>,
            #[serde(borrow)]
            coach_id: Raw<'a>,
            #[serde(borrow)]
            onboarding_status: Raw<'a>,
            #[serde(borrow)]
            can_start_check_ins: Raw<'a>,
        }
        let raw: RawClient<'_> = body.read().unwrap_or_default();
        let stage = raw.onboarding_status.text();
        Self {
            auth_uid: raw.auth_uid.text(),
            coach: raw.coach_id.text(),
            onboarded: stage == "completed"
                || stage == "submitted"
                || raw.can_start_check_ins.read() == Some(true),
        }
    }
}

/// A coach's name as the lists show it: first and last name joined by a space and trimmed, or `Unknown Coach`.
pub fn coach_name(body: &JsonText) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct RawProfile<'a> {
        #[serde(borrow)]
        first_name: Raw<'a>,
        #[serde(borrow)]
        last_name: Raw<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RawCoach<'a> {
        #[serde(borrow)]
        profile: Raw<'a>,
    }
    let raw: RawCoach<'_> = body.read().unwrap_or_default();
    let profile: RawProfile<'_> = raw.profile.read().unwrap_or_default();
    let name = format!("{} {}", profile.first_name.text(), profile.last_name.text());
    let name = name.trim();
    if name.is_empty() { "Unknown Coach".to_owned() } else { name.to_owned() }
}

/// The response that a coach's feedback names; empty when it names none.
pub fn feedback_response(body: &JsonText) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct RawFeedback<'a> {
        #[serde(borrow)]
        response_id: Raw<'a>,
    }
    let raw: RawFeedback<'_> = body.read().unwrap_or_default();
    raw.response_id.text()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_no_timestamp_is_named() {
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
