//! Version 1 of the stored form of validations and of accepted findings.

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

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAcceptance<'a> {
    pub(super) check: &'a str,
    #[serde(borrow)]
    pub(super) findings: Vec<StoredFindingName<'a>>,
    pub(super) reason: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredQualifiedValidation<'a> {
    pub(super) digest: &'a str,
    pub(super) at: u64,
    #[serde(borrow)]
    pub(super) checks: Vec<StoredCheck<'a>>,
    #[serde(borrow)]
    pub(super) accepted: Vec<StoredAcceptedFindings<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredCheck<'a> {
    pub(super) name: &'a str,
    pub(super) green: bool,
    pub(super) detail: &'a str,
}
