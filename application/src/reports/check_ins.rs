//! Lists of check-ins: which view, for which client, at which time; and the line for one client in
//! a list of all clients.

use rollbook_domain::event::View;
use serde::{Deserialize, Serialize};

use crate::store::{ViewAnswer, ViewChoice};

/// Which view is asked for, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Weeks generated when someone looks.
    Legacy,
    /// Every week stored as its own assignment.
    Precreated,
    /// The one that the switch serves the client.
    #[default]
    Live,
}

impl Which {
    /// The name, as the command line and queries have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Precreated => "precreated",
            Self::Live => "live",
        }
    }
}

impl From<Which> for ViewChoice {
    fn from(which: Which) -> Self {
        match which {
            Which::Legacy => Self::View(View::Legacy),
            Which::Precreated => Self::View(View::Precreated),
            Which::Live => Self::Live,
        }
    }
}

/// One client among all: `{"clientId": …, "body": …}`, with its line end.
pub fn line(client: &str, answered: &ViewAnswer) -> String {
    let client = serde_json::Value::from(client);
    format!("{{\"clientId\":{client},\"body\":{}}}\n", answered.body)
}
