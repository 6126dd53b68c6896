//! Version 1 of a stored event: the layouts of what mends stored documents and records. Fields are
//! never reordered, inserted or changed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::personal::StoredPersonal;

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAttestation<'a> {
    pub(super) digest: &'a str,
    pub(super) responses: u64,
    pub(super) responses_digest: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredNumberSetting<'a> {
    pub(super) correction: Option<Uuid>,
    pub(super) document: &'a str,
    pub(super) run: u32,
    pub(super) from: Option<u32>,
    pub(super) week: Option<u32>,
    pub(super) replaces: Option<Uuid>,
    pub(super) restores: bool,
    #[serde(borrow)]
    pub(super) reason: Option<StoredPersonal<'a>>,
}
