//! The index entries that a record requires.

use rollbook_domain::event::{Position, Version};

use crate::commit::CommitReceipt;
use crate::engine::{Engine, Family};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::layout;
use crate::stored::Record;

/// Checks every index entry that a record requires.
///
/// # Errors
/// [`LogError::Corrupt`] for the first one that is missing or wrong.
pub(super) fn check_indexes(engine: &impl Engine, record: &Record<'_>) -> Result<(), LogError> {
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

/// Calls `wrong` with the position and the index of every entry that the record requires and that
/// is missing or wrong.
pub(super) fn wrong_entries(
    engine: &impl Engine,
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
        let committed =
            CommitReceipt { first: record.first(), last: record.last(), repeated: true };
        let expected = layout::key_value(&request, committed);
        if engine.get(Family::Keys, key.as_bytes(), |value| value == expected)? != Some(true) {
            wrong(record.first(), "keys");
        }
    }
    Ok(())
}

/// Whether the version before the first one of a commit ends an earlier commit of the stream. If
/// that holds for every entry, the stream has no gap.
fn follows(
    engine: &impl Engine,
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
