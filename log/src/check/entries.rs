//! The reverse check: every index entry must belong to a record.

use rollbook_domain::event::Position;

use super::{LogChecked, Totals};
use crate::engine::{Cursor as _, Engine, Family, Purpose};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::layout;
use crate::reads;
use crate::stored::Record;

/// Checks that the indexes have as many entries as the records require. Each required entry was
/// already checked, so if the numbers agree there is no other entry.
pub(super) fn check(
    engine: &impl Engine,
    totals: &Totals,
    checked: &mut LogChecked,
) -> Result<(), LogError> {
    let families = [
        (Family::Streams, "streams", totals.streams),
        (Family::Ids, "ids", totals.ids),
        (Family::Keys, "keys", totals.keys),
    ];
    for (family, index, expected) in families {
        let mut found = 0;
        each(engine, family, index, checked, &mut |_, _, _| {
            found += 1;
            Ok(())
        })?;
        if found != expected {
            each(engine, family, index, checked, &mut |key, value, checked| {
                name(engine, family, index, (key, value), checked)
            })?;
        }
    }
    let mut meta = 0;
    each(engine, Family::Meta, "meta", checked, &mut |key, _, checked| {
        meta += 1;
        if !layout::META_KEYS.contains(&key) {
            checked.findings.add(
                0,
                0,
                format!("meta has an entry {:?} that no store has", String::from_utf8_lossy(key)),
            );
        }
        Ok(())
    })?;
    Ok(())
}

type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8], &mut LogChecked) -> Result<(), LogError>;

fn each(
    engine: &impl Engine,
    family: Family,
    index: &'static str,
    checked: &mut LogChecked,
    visit: Visit<'_>,
) -> Result<(), LogError> {
    let mut cursor = engine.cursor(family, Purpose::Scan)?;
    cursor.seek_to_first();
    while let Some((key, value)) = cursor.item() {
        visit(key, value, checked)?;
        cursor.next();
    }
    if let Err(error) = cursor.status() {
        checked.findings.add(0, 0, format!("the database cannot read the index {index}: {error}"));
    }
    Ok(())
}

/// Reports an entry whose record does not require it. An entry that leads to a damaged record is
/// not reported: the damage already is.
fn name(
    engine: &impl Engine,
    family: Family,
    index: &str,
    (key, value): (&[u8], &[u8]),
    checked: &mut LogChecked,
) -> Result<(), LogError> {
    let (text, position) = match family {
        Family::Streams => {
            let stream = layout::read_stream_key(key)
                .map(|(name, version)| format!("version {version} of {name}"));
            (stream, layout::read_stream_value(value).map(|(first, _)| first))
        }
        Family::Ids => {
            (uuid::Uuid::from_slice(key).ok().map(|id| id.to_string()), layout::number(value))
        }
        _ => (
            Some(String::from_utf8_lossy(key).into_owned()),
            layout::read_key_value(value).map(|(_, committed)| committed.first),
        ),
    };
    let (Some(text), Some(position)) = (text, position) else {
        checked.findings.add(0, 0, format!("the index {index} has an entry that is malformed"));
        return Ok(());
    };
    let mut required = false;
    let looked = reads::in_record_of(engine, position, |record| {
        required = requires(record, family, key, position)?;
        Ok(())
    });
    match looked {
        Ok(()) if required => {}
        Err(LogError::Corrupt(Corruption {
            kind: CorruptionKind::BadChecksum { .. } | CorruptionKind::Torn { .. },
            ..
        })) => {}
        Ok(()) | Err(LogError::Corrupt(_)) => {
            checked.findings.add(
                position,
                position,
                format!("the index {index} has {text} here, which belongs to no event"),
            );
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether a record requires an entry with this key.
fn requires(
    record: &Record<'_>,
    family: Family,
    key: &[u8],
    position: Position,
) -> Result<bool, Corruption> {
    let envelope = record.envelope()?;
    Ok(match family {
        Family::Streams => envelope
            .streams()
            .any(|(name, _, last_version)| layout::stream_key(name, last_version) == key),
        Family::Ids => (record.first()..)
            .zip(envelope.ids())
            .any(|(here, id)| here == position && id.as_bytes() == key),
        _ => envelope.key().is_some_and(|(text, _)| text.as_bytes() == key),
    })
}
