//! Lists of check-ins: the choice of the view, and the line of one client in a list of all clients.

use rollbook_domain::event::View;
use serde::{Deserialize, Serialize};

use crate::store::{ViewAnswer, ViewChoice};

/// The view that a request names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The legacy view: weeks are generated when the list is read.
    Legacy,
    /// The pre-created view: every week is stored as its own assignment.
    Precreated,
    /// The view that serves the client now.
    #[default]
    Live,
}

impl Which {
    /// The name on the command line and in queries.
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

/// Returns the line of one client: `{"clientId": …, "body": …}` and a line feed.
pub fn line(client: &str, answered: &ViewAnswer) -> String {
    let client = serde_json::Value::from(client);
    format!("{{\"clientId\":{client},\"body\":{}}}\n", answered.body)
}
