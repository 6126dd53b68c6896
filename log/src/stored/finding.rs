//! Version 1 of the stored form of accepted findings.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredFindingName<'a> {
    pub(super) id: &'a str,
    pub(super) about: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAcceptedFindings<'a> {
    pub(super) check: &'a str,
    #[serde(borrow)]
    pub(super) findings: Vec<StoredFindingName<'a>>,
    pub(super) reason: &'a str,
    pub(super) by: &'a str,
    pub(super) at: u64,
}
