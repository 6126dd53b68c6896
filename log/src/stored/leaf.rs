//! An event as a leaf of the Merkle tree: the leaf's bytes and the hash over them. A leaf contains
//! everything that is stored for one event, exactly as stored. A newer codec or a destroyed key
//! therefore never changes it. The projections build the tree.
//!
//! All numbers are big-endian. A *text* is its length in bytes, u32, followed by the bytes:
//!
//! | bytes | field |
//! | --- | --- |
//! | 1 | form of the leaf, 1 |
//! | 8 | position, u64 |
//! | 8 | position of the first event of its commit, u64 |
//! | 4 | how many events the commit has, u32 |
//! | text | stream name |
//! | 8 | version: place in the stream, u64 |
//! | 16 | event id |
//! | 8, 4 | `occurred_at`: seconds since 1970, i64; nanoseconds, u32 |
//! | 8, 4 | `recorded_at`, likewise |
//! | 1 | role of the actor: 0 client, 1 coach, 2 admin, 3 system, 4 migration |
//! | text | the actor's id |
//! | text | cause |
//! | 1 | 1 when the commit has an idempotency key, else 0 |
//! | text, 32 | only with a key: the key, and the digest of the request |
//! | 1 | version of the stored payload, which says how to read the body |
//! | text | the event's body, as stored |
//!
//! **Invariant: any change to a stored commit changes a leaf**, except a change to its checksum.

use rollbook_domain::event::{Position, Version};
use rollbook_domain::{Event, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::seal::read_body_unopened;
use crate::error::DecodeError;

/// The only form so far.
const FORM: u8 = 1;

/// SHA-256 of a leaf as defined by RFC 6962: over the byte 0x00 and the leaf's bytes.
pub type LeafHash = [u8; 32];

/// The hash of a leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> LeafHash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(leaf);
    hasher.finalize().into()
}

/// The fields of a leaf, in stored order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Place in the complete log.
    pub position: Position,
    /// The first position of its commit.
    pub commit_first: Position,
    /// How many events its commit has.
    pub commit_events: u32,
    /// The stream's name.
    pub stream: &'a str,
    /// Place in the stream.
    pub version: Version,
    /// The event's id.
    pub id: Uuid,
    /// When it happened: seconds since 1970 and nanoseconds.
    pub occurred_at: (i64, u32),
    /// When the log recorded it: seconds since 1970 and nanoseconds.
    pub recorded_at: (i64, u32),
    /// 0 client, 1 coach, 2 admin, 3 system, 4 migration.
    pub actor_role: u8,
    /// Who acted.
    pub actor: &'a str,
    /// What caused it: a request id or the digest of a batch.
    pub cause: &'a str,
    /// The commit's idempotency key and the digest of its request.
    pub key: Option<(&'a str, [u8; 32])>,
    /// The version of the stored payload.
    pub stored_version: u8,
    /// The body as stored.
    pub body: &'a [u8],
}

impl<'a> Leaf<'a> {
    /// Replaces the content of `out` with the leaf's bytes.
    ///
    /// # Errors
    /// If a text is longer than 4 GiB.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        out.clear();
        out.push(FORM);
        out.extend_from_slice(&self.position.to_be_bytes());
        out.extend_from_slice(&self.commit_first.to_be_bytes());
        out.extend_from_slice(&self.commit_events.to_be_bytes());
        text(self.stream.as_bytes(), out)?;
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(self.id.as_bytes());
        for (seconds, nanoseconds) in [self.occurred_at, self.recorded_at] {
            out.extend_from_slice(&seconds.to_be_bytes());
            out.extend_from_slice(&nanoseconds.to_be_bytes());
        }
        out.push(self.actor_role);
        text(self.actor.as_bytes(), out)?;
        text(self.cause.as_bytes(), out)?;
        out.push(u8::from(self.key.is_some()));
        if let Some((key, request)) = &self.key {
            text(key.as_bytes(), out)?;
            out.extend_from_slice(request);
        }
        out.push(self.stored_version);
        text(self.body, out)
    }

    /// Reads a leaf's bytes.
    ///
    /// # Errors
    /// If the bytes are not exactly one leaf.
    pub fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = Reader(bytes);
        if rest.byte()? != FORM {
            return Err(DecodeError::Leaf("it has a form that only a newer rollbook reads"));
        }
        let leaf = Self {
            position: rest.u64()?,
            commit_first: rest.u64()?,
            commit_events: rest.u32()?,
            stream: rest.str()?,
            version: rest.u64()?,
            id: Uuid::from_bytes(rest.array()?),
            occurred_at: rest.instant()?,
            recorded_at: rest.instant()?,
            actor_role: rest.byte()?,
            actor: rest.str()?,
            cause: rest.str()?,
            key: match rest.byte()? {
                0 => None,
                1 => Some((rest.str()?, rest.array()?)),
                _ => return Err(DecodeError::Leaf("it neither has a key nor lacks one")),
            },
            stored_version: rest.byte()?,
            body: rest.text()?,
        };
        if rest.0.is_empty() {
            Ok(leaf)
        } else {
            Err(DecodeError::Trailing { bytes: rest.0.len() })
        }
    }

    /// Decodes the event. Sealed content reads as erased.
    ///
    /// # Errors
    /// If the body does not decode or has a newer version.
    pub fn event(&self) -> Result<Event, DecodeError> {
        read_body_unopened(self.stored_version, self.stream, self.body)
    }

    /// When the log recorded it.
    ///
    /// # Errors
    /// If the stored numbers are outside the calendar.
    pub fn recorded_at(&self) -> Result<Timestamp, DecodeError> {
        let (seconds, nanoseconds) = self.recorded_at;
        Timestamp::from_parts(seconds, nanoseconds)
            .ok_or(DecodeError::Instant { seconds, nanoseconds })
    }
}

fn text(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let length =
        u32::try_from(bytes.len()).map_err(|_| DecodeError::TooLarge { bytes: bytes.len() })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// The unread rest of a leaf.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) =
            self.0.split_at_checked(bytes).ok_or(DecodeError::Leaf("it is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Leaf("it is cut short"))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    fn instant(&mut self) -> Result<(i64, u32), DecodeError> {
        Ok((self.array().map(i64::from_be_bytes)?, self.u32()?))
    }

    fn text(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    fn str(&mut self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.text()?).map_err(|_| DecodeError::Leaf("a text in it is no UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample<'a>() -> Leaf<'a> {
        Leaf {
            position: 812,
            commit_first: 810,
            commit_events: 4,
            stream: "series/ada/weekly",
            version: 7,
            id: Uuid::from_u128(0x0192_f0c1_2d3e_7f4a_8b5c_6d7e_8f90_1234),
            occurred_at: (1_767_603_600, 1),
            recorded_at: (-1, 999_999_999),
            actor_role: 1,
            actor: "robin",
            cause: "request-1",
            key: Some(("key-1", [7; 32])),
            stored_version: 1,
            body: &[10, 1, 3],
        }
    }

    #[test]
    fn a_leaf_has_the_bytes_of_the_table() {
        let mut bytes = Vec::new();
        sample().write(&mut bytes).unwrap();
        let golden = [
            "01",
            "000000000000032c",
            "000000000000032a",
            "00000004",
            "00000011",
            "7365726965732f6164612f7765656b6c79",
            "0000000000000007",
            "0192f0c12d3e7f4a8b5c6d7e8f901234",
            "00000000695b7d90",
            "00000001",
            "ffffffffffffffff",
            "3b9ac9ff",
            "01",
            "00000005",
            "726f62696e",
            "00000009",
            "726571756573742d31",
            "01",
            "00000005",
            "6b65792d31",
            &"07".repeat(32),
            "01",
            "00000003",
            "0a0103",
        ];
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, golden.concat());
        assert_eq!(Leaf::read(&bytes).unwrap(), sample());
        let without = Leaf { key: None, ..sample() };
        without.write(&mut bytes).unwrap();
        assert_eq!(Leaf::read(&bytes).unwrap(), without);
    }

    #[test]
    fn what_is_cut_or_longer_is_no_leaf() {
        let mut bytes = Vec::new();
        sample().write(&mut bytes).unwrap();
        for length in 0..bytes.len() {
            assert!(Leaf::read(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(Leaf::read(&bytes).is_err());
        bytes[0] = 2;
        assert!(Leaf::read(&bytes).is_err());
    }
}
