//! The history of anything that has an id. `subject` resolves the id, `focus` selects the events of
//! one week or response, `told` adds the cause and the batch, `redact` removes personal content.

mod focus;
mod redact;
mod subject;
mod told;

use rollbook_domain::EventRecord;

use crate::store::Store;
use crate::store::StoreError;

pub use redact::{ERASED, REDACTED, redacted};
pub use subject::Subject;
pub use told::{Told, missed};

/// Events, in the order of the log.
pub type Events = Box<dyn Iterator<Item = Result<EventRecord, StoreError>> + Send>;

/// Everything that happened to what `id` names, in the order of the log; without its personal
/// content unless it is asked for.
///
/// # Errors
/// [`StoreError::UnknownId`] when it names nothing; when the store cannot be read.
pub fn history(store: &Store, id: &str, with_answers: bool) -> Result<Events, StoreError> {
    Ok(told(Subject::find(store, id)?.events(store)?, with_answers))
}

/// The events to show: without personal content unless `with_answers` is set.
pub fn told(events: Events, with_answers: bool) -> Events {
    if with_answers { events } else { Box::new(events.map(|event| event.map(without_answers))) }
}

/// The event with `[…]` in the place of everything personal.
pub fn without_answers(mut recorded: EventRecord) -> EventRecord {
    recorded.event = redacted(recorded.event);
    recorded
}
