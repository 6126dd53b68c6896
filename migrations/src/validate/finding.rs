//! Findings of checks: what a check found, its identity, and whether it is accepted.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::accepted::AcceptedFinding;

/// The number of bytes of the hash that an id shows.
const ID_BYTES: usize = 8;

/// What a check found once.
pub(super) struct Found {
    /// The finding in words, with instants and positions.
    pub(super) text: String,
    /// The facts that make its identity: the same on every store and at every instant. If one of
    /// them changes, it is another finding.
    pub(super) facts: String,
    /// What it is about, without values of fields. It is recorded when the finding is accepted.
    pub(super) about: String,
}

impl From<String> for Found {
    fn from(text: String) -> Self {
        Self { facts: text.clone(), about: text.clone(), text }
    }
}

impl Found {
    /// The id of this finding of a check.
    fn id(&self, check: &str) -> String {
        let hash = Sha256::digest(format!("{check}\0{}", self.facts));
        const_hex::encode(hash.get(..ID_BYTES).unwrap_or_default())
    }
}

/// A check that was run, before it is known which of its findings are accepted.
pub(super) struct Checked {
    name: &'static str,
    detail: String,
    found: Vec<Found>,
}

impl Checked {
    /// `detail` is the result in one line if nothing is found.
    pub(super) fn new<F: Into<Found>>(
        name: &'static str,
        detail: String,
        found: impl IntoIterator<Item = F>,
    ) -> Self {
        Self { name, detail, found: found.into_iter().map(Into::into).collect() }
    }

    /// The result, with findings accepted by id.
    pub(super) fn with(self, known: &BTreeMap<String, AcceptedFinding>) -> Check {
        let Self { name, detail, found } = self;
        let mut check = Check { name: Cow::Borrowed(name), ..Check::default() };
        for found in found {
            let id = found.id(name);
            match known.get(&id).filter(|accepted| accepted.check == name) {
                Some(accepted) => {
                    check.accepted.push(AcceptedFinding { what: found.text, ..accepted.clone() });
                }
                None => {
                    check.findings.push(found.text);
                    check.finding_ids.push(id);
                    check.about.push(found.about);
                }
            }
        }
        check.green = check.findings.is_empty();
        check.detail = match (check.findings.len(), check.accepted.len()) {
            (0, 0) => detail,
            (0, accepted) => format!("{detail}, with {accepted} accepted"),
            (open, 0) => format!("{open} found; wanted: {detail}"),
            (open, accepted) => format!("{open} found, {accepted} accepted; wanted: {detail}"),
        };
        check
    }
}

/// The result of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The name of the check.
    pub name: Cow<'static, str>,
    /// Whether the check holds: whether all its findings are accepted.
    pub green: bool,
    /// The observation in one line.
    pub detail: String,
    /// The findings that are not accepted.
    pub findings: Vec<String>,
    /// The id of each of them, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finding_ids: Vec<String>,
    /// The findings that are accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedFinding>,
    /// What each finding that is not accepted is about, in the same order.
    #[serde(skip)]
    pub about: Vec<String>,
}
