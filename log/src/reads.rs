//! Lookups by stream, position, time and idempotency key: from an index entry to its events. `scan`
//! reads sequentially. Data after the head may not be durable yet, so callers pass the position
//! where reading ends.

use rollbook_domain::event::{EventRecord, Position, Version};
use rollbook_domain::{StreamId, Timestamp};

use crate::commit::CommitReceipt;
use crate::engine::{Cursor as _, Engine, Family, Purpose, failed};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::keyring::Keyring;
use crate::layout;
use crate::stored;

fn missing(position: Position) -> LogError {
    Corruption { position, kind: CorruptionKind::MissingRecord }.into()
}

/// The request digest and the result of an idempotency key.
pub(crate) fn key(
    engine: &impl Engine,
    key: &str,
) -> Result<Option<([u8; 32], CommitReceipt)>, LogError> {
    match engine.get(Family::Keys, key.as_bytes(), layout::read_key_value)? {
        None => Ok(None),
        Some(known) => Ok(Some(known.ok_or_else(|| layout::malformed("keys"))?)),
    }
}

/// The number of events of a stream up to a position.
pub(crate) fn stream_version(
    engine: &impl Engine,
    name: &str,
    until: Position,
) -> Result<Version, LogError> {
    let mut cursor = engine.cursor(Family::Streams, Purpose::Lookup)?;
    cursor.seek_for_prev(layout::stream_key(name, Version::MAX));
    while let Some((key, value)) = cursor.item() {
        let (found, version) =
            layout::read_stream_key(key).ok_or_else(|| layout::malformed("streams"))?;
        if found != name {
            return Ok(0);
        }
        let (first, _) =
            layout::read_stream_value(value).ok_or_else(|| layout::malformed("streams"))?;
        if first <= until {
            return Ok(version);
        }
        cursor.prev();
    }
    cursor.status().map(|()| 0).map_err(failed("read"))
}

/// A stream's events after a version, up to a position.
pub(crate) fn stream(
    engine: &impl Engine,
    keyring: &Keyring,
    name: &str,
    after: Version,
    until: Position,
) -> Result<Vec<EventRecord>, LogError> {
    let mut events = Vec::new();
    let mut cursor = engine.cursor(Family::Streams, Purpose::Lookup)?;
    cursor.seek(layout::stream_key(name, after.saturating_add(1)));
    while let Some((key, value)) = cursor.item() {
        let (found, _) =
            layout::read_stream_key(key).ok_or_else(|| layout::malformed("streams"))?;
        let (first, _) =
            layout::read_stream_value(value).ok_or_else(|| layout::malformed("streams"))?;
        if found != name || first > until {
            return Ok(events);
        }
        let wanted = |position, stream: &str, version| {
            stream == name && version > after && position <= until
        };
        let read = engine.get(Family::Records, &first.to_be_bytes(), |record| {
            stored::check(first, record)?.events_where(keyring, wanted, &mut events)
        })?;
        read.ok_or_else(|| missing(first))??;
        cursor.next();
    }
    cursor.status().map_err(failed("read"))?;
    Ok(events)
}

/// The streams that begin up to a position and whose names start with a prefix, in name order.
/// Costs one seek per stream.
pub(crate) fn streams_with_prefix(
    engine: &impl Engine,
    prefix: &str,
    until: Position,
) -> Result<Vec<StreamId>, LogError> {
    let mut streams = Vec::new();
    let mut cursor = engine.cursor(Family::Streams, Purpose::Lookup)?;
    cursor.seek(prefix);
    while let Some((key, value)) = cursor.item() {
        let (name, _) = layout::read_stream_key(key).ok_or_else(|| layout::malformed("streams"))?;
        if !name.starts_with(prefix) {
            return Ok(streams);
        }
        let (first, _) =
            layout::read_stream_value(value).ok_or_else(|| layout::malformed("streams"))?;
        if first <= until {
            streams.push(name.parse().map_err(|_| layout::malformed("streams"))?);
        }
        let next = layout::after_stream(name);
        cursor.seek(next);
    }
    cursor.status().map_err(failed("read"))?;
    Ok(streams)
}

/// The event at a position, which the log has reached.
pub(crate) fn at(
    engine: &impl Engine,
    keyring: &Keyring,
    position: Position,
) -> Result<EventRecord, LogError> {
    let mut events = Vec::new();
    in_record_of(engine, position, |record| {
        record.events_where(keyring, |here, _, _| here == position, &mut events)
    })?;
    events.pop().ok_or_else(|| missing(position))
}

/// The last position up to the head that was recorded at or before a point in time. Bisects the
/// log: times of record never decrease.
pub(crate) fn position_at(
    engine: &impl Engine,
    keyring: &Keyring,
    instant: Timestamp,
    head: Position,
) -> Result<Position, LogError> {
    let (mut recorded, mut later) = (0, head + 1);
    while recorded + 1 < later {
        let middle = recorded + (later - recorded) / 2;
        if at(engine, keyring, middle)?.recorded_at <= instant {
            recorded = middle;
        } else {
            later = middle;
        }
    }
    Ok(recorded)
}

/// The bytes of the leaf of the event at a position, which the log has reached.
pub(crate) fn leaf(engine: &impl Engine, position: Position) -> Result<Vec<u8>, LogError> {
    let mut bytes = Vec::new();
    in_record_of(engine, position, |record| {
        record
            .leaves(|leaf| if leaf.position == position { leaf.write(&mut bytes) } else { Ok(()) })
    })?;
    if bytes.is_empty() { Err(missing(position)) } else { Ok(bytes) }
}

/// Calls `read` with the record that should have a position.
pub(crate) fn in_record_of(
    engine: &impl Engine,
    position: Position,
    read: impl FnOnce(&stored::Record<'_>) -> Result<(), Corruption>,
) -> Result<(), LogError> {
    let mut cursor = engine.cursor(Family::Records, Purpose::Lookup)?;
    cursor.seek_for_prev(position.to_be_bytes());
    match cursor.item() {
        Some((key, value)) => {
            let first = layout::number(key).ok_or_else(|| layout::malformed("records"))?;
            Ok(read(&stored::check(first, value)?)?)
        }
        None => cursor.status().map_err(failed("read")),
    }
}

#[cfg(test)]
mod tests {
    use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
    use uuid::Uuid;

    use crate::{Commit, IdempotencyKey, Log, OpenOptions};

    fn commit(stream: StreamId, id: u128) -> Commit {
        let event = Event::LegacyRetired { reason: "over".to_owned() };
        let events = vec![NewEvent {
            stream,
            id: Some(Uuid::from_u128(id)),
            occurred_at: Timestamp::EPOCH,
            event,
        }];
        let key = Some(IdempotencyKey { key: format!("key-{id}"), request: [7; 32] });
        Commit {
            events,
            expected: Vec::new(),
            actor: Actor::System("test".to_owned()),
            cause: String::new(),
            key,
        }
    }

    /// A sub-batch is in the database before its sync. Readers do not see it, because they stop at
    /// the head.
    #[test]
    fn nothing_behind_the_head_is_read_however_it_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(
            &dir.path().join("store"),
            OpenOptions { create: true, ..OpenOptions::default() },
        )
        .unwrap();
        let (old, new) = (StreamId::Control, StreamId::Form("new".to_owned()));
        for (id, stream) in [(1, &old), (2, &old), (3, &new)] {
            log.append(commit(stream.clone(), id)).unwrap();
        }
        log.store().publish(1);
        assert_eq!((log.stream_version(&old).unwrap(), log.stream_version(&new).unwrap()), (1, 0));
        assert_eq!(
            (log.stream(&old, 0).unwrap().len(), log.stream(&new, 0).unwrap().len()),
            (1, 0)
        );
        assert_eq!(log.streams_with_prefix("").unwrap(), [old]);
        for id in 1..=3 {
            let is_there = id == 1;
            assert_eq!(log.event(Uuid::from_u128(id)).unwrap().is_some(), is_there);
            assert_eq!(log.committed_under(&format!("key-{id}")).unwrap().is_some(), is_there);
            assert_eq!(log.at(u64::try_from(id).unwrap()).unwrap().is_some(), is_there);
        }
        assert_eq!(log.commits_after(0).count(), 1);
    }
}
