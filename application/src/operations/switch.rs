//! Switching which view serves whom.

use rollbook_domain::Event;
use rollbook_domain::event::{Audience, View};

use crate::reports::switch::{Serving, Switched};
use crate::store::{Outcome, Request, Store, StoreError, clients};

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
