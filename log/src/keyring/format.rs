//! The byte layout of the keyring's file, frozen by golden bytes. `file` writes it to the disk.
//!
//! The file is a header followed by records. Numbers are little-endian.
//!
//! | offset | bytes | header |
//! | --- | --- | --- |
//! | 0 | 8 | `RBKEYRNG` |
//! | 8 | 1 | version, 1 |
//! | 9 | 1 | 1 in a sealed store; 0 in an unsealed one, which has no keys |
//! | 10 | 16 | the store's id |
//! | 26 | 8 | how often the file was rewritten, u64 |
//! | 34 | 12 | nonce; zeros in an unsealed store |
//! | 46 | 16 | authentication tag over bytes 0 to 33 under the master key: identifies the right master key; zeros if unsealed |
//! | 62 | 4 | CRC-32 (IEEE) of bytes 0 to 61 |
//!
//! | offset | bytes | record |
//! | --- | --- | --- |
//! | 0 | 1 | kind: 1 a key, 2 an erasure, 3 the completion of an erasure |
//! | 1 | 4 | length of the content, u32 |
//! | 5 | 4 | CRC-32 of the record's bytes 0 to 4 |
//! | 9 | … | the content |
//! | … | 4 | CRC-32 of everything before it in the record |
//!
//! | kind | content |
//! | --- | --- |
//! | 1 | nonce, 12; the key wrapped by the master key, 32, and tag, 16, bound to `key`, the store's id and the owner; the owner's name |
//! | 2 | the erasure's id, 16; nonce, 12; tag, 16, of nothing, bound to `erasure`, the store's id and the rest (zeros if unsealed); the owners' names, each u16 length and text |
//! | 3 | the erasure's id, 16 |
//!
//! An owner is a client by id, written as in names of streams, or `coach/<id>`.
//!
//! If the last record is longer than the file, its append was interrupted and was never
//! acknowledged. Every other mismatch is damage.

use std::path::Path;

use uuid::Uuid;

use super::aead::{KEY_BYTES, NONCE_BYTES, NonceBytes, SecretKey, TAG_BYTES};
use super::error::KeyringError;

const MAGIC: &[u8; 8] = b"RBKEYRNG";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 66;
const BOUND_HEADER_BYTES: usize = 34;
const RECORD_HEAD_BYTES: usize = 9;
const CRC_BYTES: usize = 4;

const KEY: u8 = 1;
const ERASURE: u8 = 2;
const COMPLETE: u8 = 3;

/// The header of a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sealed: bool,
    pub(super) store: Uuid,
    pub(super) rewritten: u64,
}

/// One record, with its key unwrapped.
pub(super) enum Record {
    Key { owner: Box<str>, key: SecretKey },
    Erasure { id: Uuid, owners: Vec<Box<str>> },
    Complete { id: Uuid },
}

/// The source of nonces: the operating system, or a sequence in tests.
pub(super) type Nonces<'a> = &'a mut dyn FnMut() -> Result<NonceBytes, KeyringError>;

fn crc(bytes: &[u8]) -> [u8; CRC_BYTES] {
    crc32fast::hash(bytes).to_le_bytes()
}

fn bound(what: &str, store: Uuid, rest: &[u8]) -> Vec<u8> {
    [what.as_bytes(), store.as_bytes(), rest].concat()
}

/// The bytes of a header.
pub(super) fn header(
    header: Header,
    master: Option<&SecretKey>,
    nonces: Nonces<'_>,
) -> Result<Vec<u8>, KeyringError> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[VERSION, u8::from(header.sealed)]);
    bytes.extend_from_slice(header.store.as_bytes());
    bytes.extend_from_slice(&header.rewritten.to_le_bytes());
    push_proof(master, &bytes.clone(), &mut bytes, nonces)?;
    let sum = crc(&bytes);
    bytes.extend_from_slice(&sum);
    Ok(bytes)
}

/// Appends a nonce and an authentication tag over `bound`; zeros without a key.
fn push_proof(
    key: Option<&SecretKey>,
    bound: &[u8],
    out: &mut Vec<u8>,
    nonces: Nonces<'_>,
) -> Result<(), KeyringError> {
    let (nonce, tag) = match key {
        Some(key) => {
            let nonce = nonces()?;
            (nonce, key.seal(nonce, bound, &mut []).map_err(|_| KeyringError::Seal)?)
        }
        None => ([0; NONCE_BYTES], [0; TAG_BYTES]),
    };
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&tag);
    Ok(())
}

fn push_record(kind: u8, content: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.push(kind);
    // A name never has 4 GiB.
    out.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    let sum = crc(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&sum);
    out.extend_from_slice(content);
    let sum = crc(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&sum);
}

/// Appends a record with a wrapped key.
pub(super) fn push_key(
    owner: &str,
    key: &SecretKey,
    (master, store): (&SecretKey, Uuid),
    out: &mut Vec<u8>,
    nonces: Nonces<'_>,
) -> Result<(), KeyringError> {
    let nonce = nonces()?;
    let mut wrapped = *key.bytes();
    let tag = master
        .seal(nonce, &bound("key", store, owner.as_bytes()), &mut wrapped)
        .map_err(|_| KeyringError::Seal)?;
    push_record(KEY, &[&nonce[..], &wrapped, &tag, owner.as_bytes()].concat(), out);
    Ok(())
}

/// Appends a record of an erasure.
pub(super) fn push_erasure<'n>(
    id: Uuid,
    owners: impl Iterator<Item = &'n str>,
    (master, store): (Option<&SecretKey>, Uuid),
    out: &mut Vec<u8>,
    nonces: Nonces<'_>,
) -> Result<(), KeyringError> {
    let mut names = Vec::new();
    for owner in owners {
        // No id has 64 KiB.
        let length = u16::try_from(owner.len()).map_err(|_| KeyringError::Seal)?;
        names.extend_from_slice(&length.to_le_bytes());
        names.extend_from_slice(owner.as_bytes());
    }
    let mut content = id.as_bytes().to_vec();
    push_proof(
        master,
        &bound("erasure", store, &[id.as_bytes(), &names[..]].concat()),
        &mut content,
        nonces,
    )?;
    content.extend_from_slice(&names);
    push_record(ERASURE, &content, out);
    Ok(())
}

/// Appends a record that completes an erasure.
pub(super) fn push_complete(id: Uuid, out: &mut Vec<u8>) {
    push_record(COMPLETE, id.as_bytes(), out);
}

/// Reads the bytes of a keyring.
pub(super) struct Reader<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    offset: usize,
    store: Uuid,
}

impl<'a> Reader<'a> {
    /// Reads the header.
    pub(super) fn new(path: &'a Path, bytes: &'a [u8]) -> Result<(Self, Header), KeyringError> {
        let damaged = |what| KeyringError::Damaged { path: path.to_owned(), offset: 0, what };
        let head =
            bytes.get(..HEADER_BYTES).ok_or_else(|| damaged("it is shorter than its header"))?;
        let (body, sum) = head.split_at(HEADER_BYTES - CRC_BYTES);
        if body.get(..8) != Some(MAGIC) {
            return Err(damaged("it does not begin like a keyring"));
        }
        if crc(body) != sum {
            return Err(damaged("the header's checksum is wrong"));
        }
        match body.get(8..10) {
            Some(&[VERSION, 0 | 1]) => {}
            Some(&[version, _]) => {
                return Err(KeyringError::Newer { path: path.to_owned(), version });
            }
            _ => return Err(damaged("it is shorter than its header")),
        }
        let store = body.get(10..26).and_then(|id| Uuid::from_slice(id).ok()).unwrap_or_default();
        let rewritten = body
            .get(26..34)
            .and_then(|number| number.try_into().ok())
            .map(u64::from_le_bytes)
            .unwrap_or_default();
        let header = Header { sealed: body.get(9) == Some(&1), store, rewritten };
        Ok((Self { path, bytes, offset: HEADER_BYTES, store }, header))
    }

    /// Whether this is the master key of the keyring.
    pub(super) fn is_master(&self, master: &SecretKey) -> bool {
        let proof = self
            .bytes
            .get(..BOUND_HEADER_BYTES)
            .zip(self.bytes.get(BOUND_HEADER_BYTES..HEADER_BYTES - CRC_BYTES));
        proof.is_some_and(|(bound, proof)| is_proof(master, bound, proof))
    }

    /// The end of the last complete record.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    fn damaged(&self, what: &'static str) -> KeyringError {
        KeyringError::Damaged { path: self.path.to_owned(), offset: self.offset, what }
    }

    /// The next record. `None` at the end, and where an append was interrupted.
    pub(super) fn next(
        &mut self,
        master: Option<&SecretKey>,
    ) -> Result<Option<Record>, KeyringError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some(head) = rest.get(..RECORD_HEAD_BYTES) else { return Ok(None) };
        let (fields, sum) = head.split_at(5);
        if crc(fields) != sum {
            return Err(self.damaged("the checksum of a record's head is wrong"));
        }
        let length = fields
            .get(1..)
            .and_then(|length| length.try_into().ok())
            .map(u32::from_le_bytes)
            .unwrap_or_default() as usize;
        let end = RECORD_HEAD_BYTES + length;
        let Some(sum) = rest.get(end..end + CRC_BYTES) else { return Ok(None) };
        let whole = rest.get(..end).unwrap_or_default();
        if crc(whole) != sum {
            return Err(self.damaged("the checksum of a record is wrong"));
        }
        let content = whole.get(RECORD_HEAD_BYTES..).unwrap_or_default();
        let record = match (fields.first(), master) {
            (Some(&KEY), Some(master)) => self.key(content, master),
            (Some(&KEY), None) => Err(self.damaged("the keyring of an unsealed store has a key")),
            (Some(&ERASURE), master) => self.erasure(content, master),
            (Some(&COMPLETE), _) => match Uuid::from_slice(content) {
                Ok(id) => Ok(Record::Complete { id }),
                Err(_) => Err(self.damaged("a record has a wrong length")),
            },
            _ => Err(self.damaged("a record has an unknown kind")),
        }?;
        self.offset += end + CRC_BYTES;
        Ok(Some(record))
    }

    fn key(&self, content: &[u8], master: &SecretKey) -> Result<Record, KeyringError> {
        let short = || self.damaged("a record has a wrong length");
        let (nonce, rest) = content.split_first_chunk::<NONCE_BYTES>().ok_or_else(short)?;
        let (wrapped, owner) = rest.split_at_checked(KEY_BYTES + TAG_BYTES).ok_or_else(short)?;
        let mut key = wrapped.to_vec();
        let opened = master.open(*nonce, &bound("key", self.store, owner), &mut key);
        let key = opened.ok().and_then(|key| <[u8; KEY_BYTES]>::try_from(&*key).ok());
        let key = key.ok_or_else(|| {
            self.damaged("a key does not open under the master key of the header")
        })?;
        let owner = std::str::from_utf8(owner).map_err(|_| self.damaged("a name is not UTF-8"))?;
        Ok(Record::Key { owner: owner.into(), key: SecretKey::new(key) })
    }

    fn erasure(&self, content: &[u8], master: Option<&SecretKey>) -> Result<Record, KeyringError> {
        let short = || self.damaged("a record has a wrong length");
        let (id, rest) = content.split_first_chunk::<16>().ok_or_else(short)?;
        let (proof, names) = rest.split_at_checked(NONCE_BYTES + TAG_BYTES).ok_or_else(short)?;
        let bound = bound("erasure", self.store, &[&id[..], names].concat());
        if master.is_some_and(|master| !is_proof(master, &bound, proof)) {
            return Err(self.damaged("an erasure was not written under this master key"));
        }
        let (mut owners, mut names) = (Vec::new(), names);
        while let Some((length, rest)) = names.split_first_chunk::<2>() {
            let (name, rest) = rest
                .split_at_checked(usize::from(u16::from_le_bytes(*length)))
                .ok_or_else(short)?;
            owners.push(
                std::str::from_utf8(name).map_err(|_| self.damaged("a name is not UTF-8"))?.into(),
            );
            names = rest;
        }
        Ok(Record::Erasure { id: Uuid::from_bytes(*id), owners })
    }
}

fn is_proof(key: &SecretKey, bound: &[u8], proof: &[u8]) -> bool {
    let Some((nonce, tag)) = proof.split_first_chunk::<NONCE_BYTES>() else { return false };
    key.open(*nonce, bound, &mut tag.to_vec()).is_ok()
}
