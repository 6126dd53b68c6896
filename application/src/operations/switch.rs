//! Switches which view serves which clients.

use std::cell::RefCell;

use rollbook_domain::control::{Control, MovedClients, moved};
use rollbook_domain::event::{Audience, View};
use rollbook_domain::limits::{REASON_BYTES, check_text};
use rollbook_domain::{Event, StreamId};

use crate::reports::switch::{SwitchReport, SwitchStatus};
use crate::store::{
    KeyedRequest, Outcome, Proposal, Reading, Request, StoreError, WrittenEvent, clients, new_event,
};

/// A request to switch.
#[derive(Clone, Debug)]
pub struct SwitchRequest {
    /// The view to serve.
    pub view: View,
    /// Only this percentage of all clients, 0 to 100.
    pub percent: Option<u8>,
    /// Only these clients, by any id.
    pub clients: Vec<String>,
    /// The reason.
    pub reason: String,
    /// Overrides the guard.
    pub force: bool,
}

/// Switches the view. `before` and `after` are the states just before and just after the event of
/// this switch, also for a repeat with the same key and while others switch.
///
/// # Errors
/// If a client is unknown, if the reason is too long, if the guard refuses, or if the store fails.
/// Then nothing was written.
pub fn switch(
    reading: &Reading<'_>,
    wanted: &SwitchRequest,
    request: &Request,
) -> Result<SwitchReport, StoreError> {
    let audience = audience(reading, wanted)?;
    let (outcome, before) = decide(reading, wanted, &audience, request)?;
    let clients = clients(reading.snapshot()?)?;
    let Some(WrittenEvent { position, event }) = outcome.events().first() else {
        let serving = SwitchStatus::of(&reading.control()?.switch, Some(&clients));
        let (before, after) = (serving.clone(), serving);
        return Ok(SwitchReport {
            before,
            after,
            to_precreated: 0,
            to_legacy: 0,
            position: None,
            forced: false,
            repeated: false,
        });
    };
    let before = match before {
        Some(before) if !outcome.is_repeated() => before,
        _ => reading.store().control_until(position - 1)?.0,
    };
    let mut after = before.clone();
    after.apply(*position, event);
    let (before, after) = (before.switch, after.switch);
    let MovedClients { to_precreated, to_legacy } =
        moved(&before, &after, clients.iter().map(String::as_str));
    Ok(SwitchReport {
        to_precreated,
        to_legacy,
        before: SwitchStatus::of(&before, Some(&clients)),
        after: SwitchStatus::of(&after, Some(&clients)),
        position: Some(*position),
        forced: matches!(event, Event::ViewSwitched { forced: true, .. }),
        repeated: outcome.is_repeated(),
    })
}

fn audience(reading: &Reading<'_>, wanted: &SwitchRequest) -> Result<Audience, StoreError> {
    Ok(match wanted.percent {
        Some(percent) => Audience::Percent(percent),
        None if wanted.clients.is_empty() => Audience::Everyone,
        None => Audience::Clients(
            wanted.clients.iter().map(|id| reading.client(id)).collect::<Result<_, _>>()?,
        ),
    })
}

/// Returns the outcome, and the control state that it was decided on; `None` for a repeat.
fn decide(
    reading: &Reading<'_>,
    wanted: &SwitchRequest,
    audience: &Audience,
    request: &Request,
) -> Result<(Outcome, Option<Control>), StoreError> {
    let store = reading.store();
    let SwitchRequest { view, reason, force, .. } = wanted;
    let keyed = KeyedRequest::Switch { view: *view, audience, reason, force: *force };
    let bound = store.bind_key(request, keyed)?;
    if let Some(committed) = bound.as_ref().and_then(|bound| bound.committed) {
        return Ok((store.read_back(committed)?, None));
    }
    let decided_on = RefCell::new(None);
    let outcome = store.decide_and_append(
        &StreamId::Control,
        request,
        bound.as_ref().map(|bound| &bound.key),
        || store.control_now(),
        |control: &Control| {
            check_text("the reason", reason, REASON_BYTES)?;
            let event = control.decide_switch(*view, audience.clone(), reason, *force)?;
            decided_on.replace(Some(control.clone()));
            Ok(Proposal::Append(vec![new_event(&StreamId::Control, request.now, event)]))
        },
    )?;
    Ok((outcome, decided_on.into_inner()))
}
