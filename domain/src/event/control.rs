//! Values that the events of the control stream carry.

use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::collection::Collection;
use crate::json::JsonText;

/// The result of one named check of a validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// The name of the check, such as `response-count`.
    pub name: String,
    /// Whether the check passed.
    pub green: bool,
    /// The observation in one line.
    pub detail: String,
}

/// A finding of a check, by its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingName {
    /// The id: 16 hexadecimal digits of a hash of the check and of the facts of the finding.
    pub id: String,
    /// What the finding is about, in one line: ids and places.
    pub about: String,
}

/// Accepted findings of one check that a validation found again, all accepted by one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedFindings {
    /// The name of the check.
    pub check: String,
    /// The findings.
    pub findings: Vec<FindingName>,
    /// The reason for accepting them.
    pub reason: String,
    /// Who accepted them, such as `admin:robin`.
    pub by: String,
    /// The position of the event that accepted them.
    pub at: Position,
}

/// A view: one of the two projections that answer check-in queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Weeks are generated when a list is read.
    Legacy,
    /// Every week is stored as its own assignment.
    Precreated,
}

impl View {
    /// The stable name of the view, as programs and HTTP headers use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Precreated => "precreated",
        }
    }

    /// The other view.
    pub fn other(self) -> Self {
        match self {
            Self::Legacy => Self::Precreated,
            Self::Precreated => Self::Legacy,
        }
    }
}

/// The clients that a switch applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", content = "value", rename_all = "snake_case")]
pub enum Audience {
    /// All clients: sets the default view and removes all exceptions.
    Everyone,
    /// A percentage of all clients, 0 to 100: those with the lowest buckets, which are a hash of
    /// the client's id. The other clients get the other view.
    Percent(u8),
    /// Single clients, by document id.
    Clients(Vec<String>),
}

/// What an import found in one file of the export. It is kept so that the file can be exported
/// again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedCollection {
    /// The collection.
    pub collection: Collection,
    /// The number of documents.
    pub documents: u32,
    /// All fields of the file except `collection`, `totalDocuments` and `documents`.
    pub header: JsonText,
}

/// Findings of a check that a person accepted in one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The name of the check.
    pub check: String,
    /// The findings.
    pub findings: Vec<FindingName>,
    /// The reason. It is not personal data and stays readable.
    pub reason: String,
}

/// A validation that found accepted findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualifiedValidation {
    /// The batch's digest; empty if no batch was applied.
    pub digest: String,
    /// The validated head of the log.
    pub at: Position,
    /// The result of every check.
    pub checks: Vec<CheckOutcome>,
    /// The accepted findings that it found.
    pub accepted: Vec<AcceptedFindings>,
}
