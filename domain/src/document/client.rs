//! Client documents: a client's identities, coach and onboarding state.

use serde::{Deserialize, Serialize};

use super::field::Raw;
use crate::json::JsonText;

/// A client document: the client's identities, and whether the client may see lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClient {
    /// The client's other identity; empty if unset.
    pub auth_uid: String,
    /// The coach's id; empty if unset.
    pub coach: String,
    /// Whether onboarding is complete: rule 2 of `docs/spec/legacy-view.md`.
    pub onboarded: bool,
}

impl StoredClient {
    /// Reads a document as leniently as [`StoredAssignment::read`](super::StoredAssignment::read).
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
