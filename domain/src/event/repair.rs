//! Contents of the events that mend stored documents.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::personal::Personal;

/// The content of [`super::Event::WeekNumberSet`]. Field names never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSetting {
    /// The id of the correction: UUIDv5 of the series and of the number of its corrections. `None`
    /// for an event of a migration.
    pub correction: Option<Uuid>,
    /// The document's id.
    pub document: String,
    /// The run.
    pub run: u32,
    /// The number before; `None` if the document had none, which counts as week 1.
    pub from: Option<u32>,
    /// The week that the document stands for from now on; `None` if it has no number again.
    pub week: Option<u32>,
    /// The derived id of an assignment that was made for the week before (UUIDv5). The document
    /// takes its place.
    pub replaces: Option<Uuid>,
    /// Whether the document has the number of its import again.
    pub restores: bool,
    /// The reason of a correction.
    pub reason: Option<Personal<String>>,
}

impl NumberSetting {
    /// The week that the document stood for before.
    pub fn was(&self) -> u32 {
        self.from.unwrap_or(1)
    }

    /// The week that the document stands for from now on.
    pub fn is(&self) -> u32 {
        self.week.unwrap_or(1)
    }
}
