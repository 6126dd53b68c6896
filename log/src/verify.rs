//! Checking the whole log. Owns what a sound log is: every record whole and in place, every event readable, every index entry as the
//! record says.

use rollbook_domain::event::{Position, Version};

use crate::commit::Committed;
use crate::commits::{Going, scan};
use crate::engine::{Engine, Family};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::layout;
use crate::store::Store;
use crate::stored::Record;

/// Checks up to the head of this instant; returns it.
pub(crate) fn verify(
    store: &Store,
    mut progress: impl FnMut(Position),
) -> Result<Position, LogError> {
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
    let mut first = None;
    wrong_entries(engine, record, &mut |position, index| {
        first.get_or_insert((position, index));
    })?;
    match first {
        Some((position, index)) => {
            Err(Corruption { position, kind: CorruptionKind::Index { index } }.into())
        }
        None => Ok(()),
    }
}

/// Hands every index entry that the record asks for and that is not there, or is not right, to `wrong`: its position and its index.
pub(crate) fn wrong_entries(
    engine: &Engine,
    record: &Record<'_>,
    wrong: &mut dyn FnMut(Position, &'static str),
) -> Result<(), LogError> {
    let envelope = record.envelope()?;
    for (name, first_version, last_version) in envelope.streams() {
        let expected = layout::stream_value(record.first(), first_version);
        let entry =
            engine.get(Family::Streams, &layout::stream_key(name, last_version), |value| {
                value == expected
            })?;
        if entry != Some(true) || !follows(engine, name, first_version, record.first())? {
            wrong(record.first(), "streams");
        }
    }
    for (position, id) in (record.first()..).zip(envelope.ids()) {
        if engine.get(Family::Ids, id.as_bytes(), layout::number)? != Some(Some(position)) {
            wrong(position, "ids");
        }
    }
    if let Some((key, request)) = envelope.key() {
        let committed = Committed { first: record.first(), last: record.last(), repeated: true };
        let expected = layout::key_value(&request, committed);
        if engine.get(Family::Keys, key.as_bytes(), |value| value == expected)? != Some(true) {
            wrong(record.first(), "keys");
        }
    }
    Ok(())
}

/// Whether the version before the first of a commit ends an earlier commit of its stream. With every entry right, that leaves no gap.
fn follows(
    engine: &Engine,
    name: &str,
    first_version: Version,
    first: Position,
) -> Result<bool, LogError> {
    match first_version {
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            let before = engine.get(
                Family::Streams,
                &layout::stream_key(name, first_version - 1),
                layout::read_stream_value,
            )?;
            Ok(before.flatten().is_some_and(|(before, _)| before < first))
        }
    }
}
