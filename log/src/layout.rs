//! The byte layout of keys and values in the column families. `stored` defines the value of
//! `records`.
//!
//! | family | key | value |
//! | --- | --- | --- |
//! | `records` | position of the commit's first event, u64 | the commit: see `stored` |
//! | `streams` | stream name, 0x00, its last version in the commit, u64 | the commit's first position, u64; its first version there, u64 |
//! | `ids` | event id, 16 bytes | the event's position, u64 |
//! | `keys` | idempotency key, UTF-8 | request digest, 32 bytes; first position, u64; last position, u64 |
//! | `meta` | `head` | position of the last event, u64 |
//! | `meta` | `store` | the store's id, 16 bytes |
//! | `meta` | `keyring` | how many owners the keyring knew, u64; how many of them were erased, u64 |
//! | `rows` | the projections' own | the projections' own |
//!
//! All numbers are big-endian, so that byte order is number order. Stream names have no NUL, so
//! that name order is key order. Everything except `records` and `rows` can be derived from
//! `records`.

use rollbook_domain::event::{Position, Version};

use crate::commit::CommitReceipt;
use crate::error::{Corruption, CorruptionKind};

/// Key of the head in `meta`.
pub(crate) const META_HEAD: &[u8] = b"head";
/// Key of the counts of the keyring in `meta`.
pub(crate) const META_KEYRING: &[u8] = b"keyring";
/// Key of the store's id in `meta`.
pub(crate) const META_STORE: &[u8] = b"store";

/// Every key in `meta`.
pub(crate) const META_KEYS: [&[u8]; 3] = [META_HEAD, META_STORE, META_KEYRING];

/// Reads a position, or a version.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// A malformed index entry. Its position is 0, because the log itself is not damaged.
pub(crate) fn malformed(index: &'static str) -> Corruption {
    Corruption { position: 0, kind: CorruptionKind::Index { index } }
}

/// The value of the keyring's counts: of all owners, and of the erased ones.
pub(crate) fn keyring_value(owners: u64, erased: u64) -> [u8; 16] {
    stream_value(owners, erased)
}

/// The keyring's counts: of all owners, and of the erased ones.
pub(crate) fn read_keyring_value(value: &[u8]) -> Option<(u64, u64)> {
    read_stream_value(value)
}

/// The key of a stream's entry.
pub(crate) fn stream_key(name: &str, last_version: Version) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 9);
    key.extend_from_slice(name.as_bytes());
    key.push(0);
    key.extend_from_slice(&last_version.to_be_bytes());
    key
}

/// The first key after all entries of a stream.
pub(crate) fn after_stream(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 1);
    key.extend_from_slice(name.as_bytes());
    key.push(1);
    key
}

/// A stream's entry: its name and the last version.
pub(crate) fn read_stream_key(key: &[u8]) -> Option<(&str, Version)> {
    let (name, version) = key.split_last_chunk::<8>()?;
    let (0, name) = name.split_last()? else { return None };
    Some((std::str::from_utf8(name).ok()?, u64::from_be_bytes(*version)))
}

/// The value of a stream's entry.
pub(crate) fn stream_value(first: Position, first_version: Version) -> [u8; 16] {
    let mut value = [0; 16];
    let (position, version) = value.split_at_mut(8);
    position.copy_from_slice(&first.to_be_bytes());
    version.copy_from_slice(&first_version.to_be_bytes());
    value
}

/// The commit's first position of a stream's entry.
pub(crate) fn read_stream_value(value: &[u8]) -> Option<(Position, Version)> {
    let (first, first_version) = value.split_at_checked(8)?;
    Some((number(first)?, number(first_version)?))
}

/// The value of an idempotency key.
pub(crate) fn key_value(request: &[u8; 32], committed: CommitReceipt) -> [u8; 48] {
    let mut value = [0; 48];
    let (digest, positions) = value.split_at_mut(32);
    digest.copy_from_slice(request);
    let (first, last) = positions.split_at_mut(8);
    first.copy_from_slice(&committed.first.to_be_bytes());
    last.copy_from_slice(&committed.last.to_be_bytes());
    value
}

/// The request digest and the result of an idempotency key.
pub(crate) fn read_key_value(value: &[u8]) -> Option<([u8; 32], CommitReceipt)> {
    let (request, positions) = value.split_first_chunk::<32>()?;
    let (first, last) = positions.split_at_checked(8)?;
    Some((*request, CommitReceipt { first: number(first)?, last: number(last)?, repeated: true }))
}

/// The first key after all keys that start with `prefix`. `None` if there is none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut after = prefix.get(..=last)?.to_vec();
    if let Some(byte) = after.last_mut() {
        *byte += 1;
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_entries_sort_by_name_then_version() {
        let ordered = [
            stream_key("client/a", 1),
            stream_key("client/a", 256),
            stream_key("client/a\u{1}", 1),
            stream_key("client/ab", 1),
        ];
        assert!(ordered.is_sorted());
        assert!(after_stream("client/a") > ordered[1] && after_stream("client/a") < ordered[2]);
        assert_eq!(read_stream_key(&ordered[1]), Some(("client/a", 256)));
        assert_eq!(read_stream_key(b"short"), None);
    }

    #[test]
    fn the_key_after_a_prefix_carries_over() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255]), None);
        assert_eq!(after_prefix(b""), None);
    }
}
