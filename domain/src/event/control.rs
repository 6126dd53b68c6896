//! Values that the events of the control stream carry.

use serde::{Deserialize, Serialize};

use crate::collection::Collection;
use crate::json::JsonText;

/// One named check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// The check's name, as `rollbook migrate validate` prints it.
    pub name: String,
    /// Whether it held.
    pub green: bool,
    /// What was seen, in one line.
    pub detail: String,
}

/// Which view answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Weeks generated when someone looks.
    Legacy,
    /// Every week stored as its own assignment.
    Precreated,
}

impl View {
    /// The view's name, as the command line and the headers have it.
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

/// Whom a switch is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", content = "value", rename_all = "snake_case")]
pub enum Audience {
    /// Everybody: the default view, and no exceptions any more.
    Everyone,
    /// That part of all clients, 0 to 100, by a hash of the client's id; the rest keep the other view.
    Percent(u8),
    /// These clients, by document id.
    Clients(Vec<String>),
}

/// What an import found in the export, kept so that it can be exported again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedCollection {
    /// The collection.
    pub collection: Collection,
    /// How many documents it had.
    pub documents: u32,
    /// Every field of the file but `collection`, `totalDocuments` and `documents`.
    pub header: JsonText,
}
