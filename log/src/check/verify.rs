//! The check that stops at the first damage: every record complete and in place, every event
//! decodable, every index entry as the record requires.

use std::ops::ControlFlow;

use rollbook_domain::event::Position;

use super::indexes::check_indexes;
use crate::error::LogError;
use crate::scan::scan;
use crate::store::Store;

/// Checks the log up to its current head, and returns that head.
pub(crate) fn verify(
    store: &Store,
    mut progress: impl FnMut(Position),
) -> Result<Position, LogError> {
    let head = store.head();
    let Some(engine) = store.engine() else { return Ok(head) };
    let mut events = Vec::new();
    let mut commits: u64 = 0;
    scan(&*engine, 1, head, |record, _| {
        events.clear();
        record.events_after(store.keyring(), 0, &mut events)?;
        check_indexes(&*engine, record)?;
        commits += 1;
        if commits.is_multiple_of(256) || record.last() == head {
            progress(record.last());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(head)
}
