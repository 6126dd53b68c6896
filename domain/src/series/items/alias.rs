//! The other id of a week that adopted a document.

use serde::{Deserialize, Serialize};

/// The other id of an adopted week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alias {
    /// The id of the document, of a week that keeps the id of the assignment.
    Document(String),
    /// The id of the assignment, of a week that keeps the id of the document.
    Assignment(String),
}

impl Alias {
    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Self::Document(id) | Self::Assignment(id) => id,
        }
    }
}
