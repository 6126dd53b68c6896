//! The history of anything that has an id. `subject` resolves the id, `focus` selects the events of
//! one week or response, `explained` adds the reason and the batch, `redact` removes personal content.

mod explained;
mod focus;
mod redact;
mod subject;

use rollbook_domain::EventRecord;

use crate::store::Store;
use crate::store::StoreError;

pub use explained::{ExplainedEvent, missed};
pub use redact::{ERASED, REDACTED, redacted};
pub use subject::Subject;

/// An iterator over events, in the order of the log.
pub type Events = Box<dyn Iterator<Item = Result<EventRecord, StoreError>> + Send>;

/// Returns every event that concerns the thing with this id, in the order of the log. Personal
/// content is left out unless `with_answers` is set.
///
/// # Errors
/// [`StoreError::UnknownId`] if nothing has this id; errors of the store.
pub fn history(store: &Store, id: &str, with_answers: bool) -> Result<Events, StoreError> {
    Ok(redact_events(Subject::find(store, id)?.events(store)?, with_answers))
}

/// Removes personal content from events unless `with_answers` is set.
pub fn redact_events(events: Events, with_answers: bool) -> Events {
    if with_answers { events } else { Box::new(events.map(|event| event.map(without_answers))) }
}

/// Replaces the personal content of an event with `[…]`.
pub fn without_answers(mut recorded: EventRecord) -> EventRecord {
    recorded.event = redacted(recorded.event);
    recorded
}
