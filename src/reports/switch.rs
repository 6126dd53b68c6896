//! Which view serves whom: as it stands, and before and after a switch.

use std::collections::BTreeMap;

use rollbook_domain::Event;
use rollbook_domain::Position;
use rollbook_domain::control::Switch;
use rollbook_domain::event::{Audience, View};
use rollbook_projections::directory::Directory;
use rollbook_projections::tracker::{self, Tracker};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::StoreError;
use crate::store::{Outcome, Request, Store, clients};

/// Which view serves whom, in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Serving {
    /// The view of whoever no exception names.
    #[schema(value_type = crate::http::native::shapes::ViewName)]
    pub default: View,
    /// That part of all clients, by a hash of their ids, has the other view.
    pub other_percent: u8,
    /// Clients by document id.
    #[schema(value_type = BTreeMap<String, crate::http::native::shapes::ViewName>)]
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

/// What is to be switched.
#[derive(Clone, Debug)]
pub struct Switching {
    /// The view to serve.
    pub view: View,
    /// Only that part of all clients, 0 to 100.
    pub percent: Option<u8>,
    /// Only these clients, by any id.
    pub clients: Vec<String>,
    /// Why.
    pub reason: String,
    /// Override the guard.
    pub force: bool,
}

/// A switch that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// Carries a switch out.
///
/// # Errors
/// When a client is unknown, the guard refuses, or the store fails. Then nothing was written.
pub fn switch(
    store: &Store,
    switching: &Switching,
    request: &Request,
) -> Result<Switched, StoreError> {
    let audience = match switching.percent {
        Some(percent) => Audience::Percent(percent),
        None if switching.clients.is_empty() => Audience::Everyone,
        None => Audience::Clients(
            switching.clients.iter().map(|id| store.client(id)).collect::<Result<_, _>>()?,
        ),
    };
    let before = store.control()?.switch;
    let outcome =
        store.switch(switching.view, &audience, &switching.reason, switching.force, request)?;
    let after = store.control()?.switch;
    let clients = clients(&store.snapshot()?)?;
    let (position, forced, repeated) = switched(&outcome);
    let (before, after) =
        (Serving::of(&before, Some(&clients)), Serving::of(&after, Some(&clients)));
    Ok(Switched { before, after, position, forced, repeated })
}

fn switched(outcome: &Outcome) -> (Option<u64>, bool, bool) {
    let Outcome::Done { events, repeated } = outcome else { return (None, false, false) };
    let forced = events
        .iter()
        .any(|recorded| matches!(recorded.event, Event::ViewSwitched { forced: true, .. }));
    (events.first().map(|recorded| recorded.position), forced, *repeated)
}
