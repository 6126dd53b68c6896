//! Response documents, and the link from a coach's feedback to a response.

use serde::{Deserialize, Serialize};

use super::field::Raw;
use crate::json::JsonText;
use crate::number::Number;
use crate::time::Timestamp;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawResponse<'a> {
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
    pub(super) submitted_at: Raw<'a>,
}

/// A response document: the fields that planning, audit and checks read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The document id.
    pub document: String,
    /// The assignment it names, by any id; empty if it names none.
    pub named: String,
    /// The stored client id.
    pub client: String,
    /// The form's id.
    pub form: String,
    /// The week it names.
    pub week: Option<u32>,
    /// The score.
    pub score: Option<Number>,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
}

impl StoredResponse {
    /// Reads a document as leniently as [`StoredAssignment::read`](super::StoredAssignment::read).
    pub fn read(document: &str, body: &JsonText) -> Self {
        let raw: RawResponse<'_> = body.read().unwrap_or_default();
        Self {
            document: document.to_owned(),
            named: raw.assignment_id.text(),
            client: raw.client_id.text(),
            form: raw.form_id.text(),
            week: raw.recurring_week.week(),
            score: raw.score.read(),
            submitted_at: raw.submitted_at.instant_or_none(),
        }
    }
}

/// Returns the response that a feedback document names; empty if it names none.
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
