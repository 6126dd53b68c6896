//! The report on which view serves which clients: now, and before and after a switch.

use std::collections::BTreeMap;

use rollbook_domain::Position;
use rollbook_domain::control::Switch;
use rollbook_domain::event::View;
use rollbook_projections::directory::Directory;
use rollbook_projections::tracker::{self, Tracker};
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreError, clients};

/// The view of each client: the default, the exceptions, and the number of clients on each view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SwitchStatus {
    /// The view of clients without an exception.
    #[cfg_attr(feature = "openapi", schema(value_type = super::schemas::ViewName))]
    pub default: View,
    /// The percentage of clients that the other view serves, chosen by a hash of the client id.
    pub other_percent: u8,
    /// Clients with a view of their own, by document id.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, super::schemas::ViewName>))]
    pub clients: BTreeMap<String, View>,
    /// The number of client documents on the legacy view; `None` if the rows of the store are not
    /// folded yet.
    pub legacy: Option<usize>,
    /// The number of client documents on the pre-created view.
    pub precreated: Option<usize>,
}

impl SwitchStatus {
    /// Reports a switch. The numbers of clients need the ids of all clients.
    pub fn of(switch: &Switch, clients: Option<&[String]>) -> Self {
        let count = |view| {
            clients.map(|clients| {
                clients.iter().filter(|client| switch.view_for(client) == view).count()
            })
        };
        Self {
            default: switch.default,
            other_percent: switch.other_percent,
            clients: switch.clients.clone(),
            legacy: count(View::Legacy),
            precreated: count(View::Precreated),
        }
    }
}

/// Returns the state of the switch, and the position of that state.
///
/// # Errors
/// If the store cannot be read.
pub fn serving(store: &Store) -> Result<(SwitchStatus, Position), StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, position) = snapshot.rows::<Tracker>()?;
    Ok((SwitchStatus::of(&tracker::control(&rows)?.switch, Some(&clients(&snapshot)?)), position))
}

/// The view that serves one client, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The view.
    pub view: View,
    /// The rule that decided.
    pub reason: Reason,
    /// The position of this state.
    pub position: Position,
}

/// The rule that decided which view serves a client. The names are those of OpenFeature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One view serves every client.
    Static,
    /// The percentage decided.
    Split,
    /// The client has a view of its own.
    TargetingMatch,
}

impl Reason {
    /// The name in OpenFeature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Split => "SPLIT",
            Self::TargetingMatch => "TARGETING_MATCH",
        }
    }
}

/// Returns the view that serves a client, by any of its ids.
///
/// # Errors
/// If the store cannot be read.
pub fn evaluate(store: &Store, client: &str) -> Result<Evaluation, StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, position) = snapshot.rows::<Tracker>()?;
    let switch = tracker::control(&rows)?.switch;
    let (directory, _) = snapshot.rows::<Directory>()?;
    let identity = rollbook_projections::directory::identify(&directory, client)?;
    let client = identity.canonical();
    let reason = match switch.other_percent {
        _ if switch.clients.contains_key(client) => Reason::TargetingMatch,
        1..=99 => Reason::Split,
        _ => Reason::Static,
    };
    Ok(Evaluation { view: switch.view_for(client), reason, position })
}

/// A switch: the state before and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SwitchReport {
    /// The state before the switch.
    pub before: SwitchStatus,
    /// The state after the switch.
    pub after: SwitchStatus,
    /// The position of its event; `None` if nothing was written.
    pub position: Option<Position>,
    /// Whether the guard was overridden.
    pub forced: bool,
    /// Whether an earlier request with the same idempotency key wrote it.
    pub repeated: bool,
}
