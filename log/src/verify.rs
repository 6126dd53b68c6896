//! Checking the whole log. Owns what a sound log is: every record whole and in place, every event readable, every index entry as the
//! record says.

use rollbook_domain::event::Position;

use crate::commit::Committed;
use crate::commits::{Going, scan};
use crate::engine::{Engine, Family};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::layout;
use crate::store::Store;
use crate::stored::Record;

/// Checks up to the head of this instant; returns it.
pub(crate) fn verify(store: &Store, mut progress: impl FnMut(Position)) -> Result<Position, LogError> {
    let head = store.head();
    let Some(engine) = store.engine() else { return Ok(head) };
    let mut events = Vec::new();
    let mut commits: u64 = 0;
    scan(&engine, 1, head, |record, _| {
        events.clear();
        record.events_after(store.keyring(), 0, &mut events)?;
        check_indexes(&engine, record)?;
        commits += 1;
        if commits.is_multiple_of(256) || record.last() == head {
            progress(record.last());
        }
        Ok(Going::On)
    })?;
    Ok(head)
}

fn check_indexes(engine: &Engine, record: &Record<'_>) -> Result<(), LogError> {
    let wrong = |position, index| LogError::from(Corruption { position, kind: CorruptionKind::Index { index } });
    let envelope = record.envelope()?;
    for (name, first_version, last_version) in envelope.streams() {
        let expected = layout::stream_value(record.first(), first_version);
        let entry = engine.get(Family::Streams, &layout::stream_key(name, last_version), |value| value == expected)?;
        let follows = first_version == 1 || engine.get(Family::Streams, &layout::stream_key(name, first_version - 1), |_| ())?.is_some();
        if entry != Some(true) || !follows {
            return Err(wrong(record.first(), "streams"));
        }
    }
    for (position, id) in (record.first()..).zip(envelope.ids()) {
        if engine.get(Family::Ids, id.as_bytes(), layout::number)? != Some(Some(position)) {
            return Err(wrong(position, "ids"));
        }
    }
    if let Some((key, request)) = envelope.key() {
        let committed = Committed { first: record.first(), last: record.last(), repeated: true };
        let expected = layout::key_value(&request, committed);
        if engine.get(Family::Keys, key.as_bytes(), |value| value == expected)? != Some(true) {
            return Err(wrong(record.first(), "keys"));
        }
    }
    Ok(())
}
