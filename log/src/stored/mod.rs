//! The stored form of a commit ("record"): header, checksum and choice of version. `v1` defines the
//! payload, `binary` the encoding.
//!
//! One commit is one value of the column family `records`. Its key is the position of its first
//! event, u64 big-endian. The header is the same in every version, so that a corrupt record can be
//! told apart from one in a newer format:
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 1 | version of the payload, 1 |
//! | 1 | 4 | CRC-32 (IEEE) over the key, the version, and everything from offset 5, u32 little-endian |
//! | 5 | 4 | how many events, u32 little-endian |
//! | 9 | 4 | how long the payload is in bytes, u32 little-endian |
//! | 13 | … | the payload: see `v1` |
//!
//! **Invariant: old bytes always decode.** A new version is another arm in [`Record::envelope`]
//! that upcasts to the newest form.

pub mod binary;
mod body;
mod convert;
mod finding;
mod instant;
mod leaf;
mod mirrored;
mod seal;
pub(crate) mod v1;

use rollbook_domain::event::{EventRecord, Position};

use crate::error::{Corruption, CorruptionKind, DecodeError};
use crate::keyring::Keyring;
pub use leaf::{Leaf, LeafHash, leaf_hash};
pub(crate) use seal::{SEALING_BYTES, Scratch, body_bytes, has_personal, write_body};
pub(crate) use v1::{Envelope, EnvelopeParts};

/// The version that this build writes.
pub(crate) const CURRENT: u8 = 1;
const HEADER_BYTES: usize = 13;

/// Builds the record of a commit whose first event has the position `first`.
pub(crate) fn seal(
    first: Position,
    envelope: &Envelope<'_>,
    payload_hint_bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut record = Vec::with_capacity(HEADER_BYTES + payload_hint_bytes);
    record.extend_from_slice(&[0; HEADER_BYTES]);
    envelope.write(&mut record)?;
    let too_large = |_| DecodeError::TooLarge { bytes: record.len() };
    let payload_bytes = u32::try_from(record.len() - HEADER_BYTES).map_err(too_large)?;
    let events = u32::try_from(envelope.len()).map_err(too_large)?;
    let (header, payload) = record.split_at_mut(HEADER_BYTES);
    let crc = checksum(first, CURRENT, events, payload_bytes, payload);
    let fields = [crc, events, payload_bytes].into_iter().flat_map(u32::to_le_bytes);
    header
        .iter_mut()
        .zip([CURRENT].into_iter().chain(fields))
        .for_each(|(byte, field)| *byte = field);
    Ok(record)
}

fn checksum(first: Position, version: u8, events: u32, payload_bytes: u32, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&first.to_be_bytes());
    crc.update(&[version]);
    crc.update(&events.to_le_bytes());
    crc.update(&payload_bytes.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

/// A record with a valid header and checksum.
pub(crate) struct Record<'a> {
    version: u8,
    first: Position,
    events: u32,
    payload: &'a [u8],
}

/// Checks the length and the checksum of a record.
pub(crate) fn check(first: Position, record: &[u8]) -> Result<Record<'_>, Corruption> {
    let corrupt = |kind| Corruption { position: first, kind };
    let torn = || corrupt(CorruptionKind::Torn { bytes: record.len() });
    let (&version, rest) = record.split_first().ok_or_else(torn)?;
    let (crc, rest) = rest.split_first_chunk::<4>().ok_or_else(torn)?;
    let (events, rest) = rest.split_first_chunk::<4>().ok_or_else(torn)?;
    let (payload_bytes, payload) = rest.split_first_chunk::<4>().ok_or_else(torn)?;
    let (crc, events, payload_bytes) =
        (u32::from_le_bytes(*crc), u32::from_le_bytes(*events), u32::from_le_bytes(*payload_bytes));
    if payload.len() < payload_bytes as usize {
        return Err(torn());
    }
    let found = checksum(first, version, events, payload_bytes, payload);
    if found != crc || payload.len() != payload_bytes as usize || events == 0 {
        return Err(corrupt(CorruptionKind::BadChecksum { stored: crc, found }));
    }
    Ok(Record { version, first, events, payload })
}

impl<'a> Record<'a> {
    /// The position of its first event.
    pub(crate) fn first(&self) -> Position {
        self.first
    }

    /// The position of its last event.
    pub(crate) fn last(&self) -> Position {
        self.first.saturating_add(u64::from(self.events) - 1)
    }

    /// Decodes the envelope and upcasts it to the newest form.
    pub(crate) fn envelope(&self) -> Result<Envelope<'a>, Corruption> {
        let envelope = match self.version {
            1 => Envelope::read(self.payload),
            version => {
                return Err(Corruption {
                    position: self.first,
                    kind: CorruptionKind::NewerVersion { version },
                });
            }
        };
        match envelope {
            Ok(envelope) if envelope.len() == self.events as usize => Ok(envelope),
            Ok(envelope) => Err(self.undecodable((
                self.first,
                DecodeError::EventCount { header: self.events, payload: envelope.len() },
            ))),
            Err(error) => Err(self.undecodable((self.first, error))),
        }
    }

    /// Appends the events after a position to `out`.
    pub(crate) fn events_after(
        &self,
        keyring: &Keyring,
        after: Position,
        out: &mut Vec<EventRecord>,
    ) -> Result<(), Corruption> {
        let envelope = self.envelope()?;
        // The number in the header is a claim until the envelope was read.
        out.reserve(envelope.len());
        envelope
            .decode(keyring, self.first, |position, _, _| position > after, out)
            .map_err(|error| self.undecodable(error))
    }

    /// Appends to `out` the events for which `wanted` returns true. It gets the position, the
    /// stream name and the version of each event.
    pub(crate) fn events_where(
        &self,
        keyring: &Keyring,
        wanted: impl FnMut(Position, &str, u64) -> bool,
        out: &mut Vec<EventRecord>,
    ) -> Result<(), Corruption> {
        self.envelope()?
            .decode(keyring, self.first, wanted, out)
            .map_err(|error| self.undecodable(error))
    }

    /// Calls `each` with every event's leaf, in order. Bodies stay encoded.
    pub(crate) fn leaves(
        &self,
        each: impl FnMut(&Leaf<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), Corruption> {
        self.envelope()?
            .leaves(self.first, self.version, each)
            .map_err(|error| self.undecodable(error))
    }

    fn undecodable(&self, (position, source): (Position, DecodeError)) -> Corruption {
        Corruption { position, kind: CorruptionKind::Undecodable { source } }
    }
}

#[cfg(test)]
mod tests;
