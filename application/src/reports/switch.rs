//! Which view serves which clients: now, and before and after a switch.

use std::collections::BTreeMap;

use rollbook_domain::Position;
use rollbook_domain::control::Switch;
use rollbook_domain::event::View;
use rollbook_projections::directory::Directory;
use rollbook_projections::tracker::{self, Tracker};
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreError, clients};

/// Which view serves whom, in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Serving {
    /// The view of whoever no exception names.
    #[cfg_attr(feature = "openapi", schema(value_type = super::schemas::ViewName))]
    pub default: View,
    /// That part of all clients, by a hash of their ids, has the other view.
    pub other_percent: u8,
    /// Clients by document id.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, super::schemas::ViewName>))]
    pub clients: BTreeMap<String, View>,
    /// How many client documents have the legacy view; `None` when the store's rows are not folded yet.
    pub legacy: Option<usize>,
    /// How many have the pre-created view.
    pub precreated: Option<usize>,
}

impl Serving {
    /// A switch in figures, where the clients' ids are known.
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

/// How the switch stands, and the position that this is of.
///
/// # Errors
/// When the store cannot be read.
pub fn serving(store: &Store) -> Result<(Serving, Position), StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, position) = snapshot.rows::<Tracker>()?;
    Ok((Serving::of(&tracker::control(&rows)?.switch, Some(&clients(&snapshot)?)), position))
}

/// Which view serves one client, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// The view.
    pub view: View,
    /// What decided.
    pub reason: Reason,
    /// The position that this is of.
    pub position: Position,
}

/// What decided which view serves a client; the names are OpenFeature's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Everybody has this view.
    Static,
    /// A percentage.
    Split,
    /// The client is named.
    TargetingMatch,
}

impl Reason {
    /// OpenFeature's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Split => "SPLIT",
            Self::TargetingMatch => "TARGETING_MATCH",
        }
    }
}

/// Which view serves a client, by any id.
///
/// # Errors
/// When the store cannot be read.
pub fn evaluate(store: &Store, client: &str) -> Result<Served, StoreError> {
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
    Ok(Served { view: switch.view_for(client), reason, position })
}

/// A switch that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Switched {
    /// Which view served whom.
    pub before: Serving,
    /// Which one serves whom now.
    pub after: Serving,
    /// Where it is recorded.
    pub position: Option<Position>,
    /// Whether the guard was overridden.
    pub forced: bool,
    /// Whether it was done before, under the same key.
    pub repeated: bool,
}
