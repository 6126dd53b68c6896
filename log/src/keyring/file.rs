//! The keyring's file. Owns its layout, which golden bytes freeze, and every way in which it reaches the disk: appended to for new keys,
//! written anew for an erasure or another master key.
//!
//! The header, then records one behind the other. Numbers are little-endian.
//!
//! | offset | bytes | header |
//! | --- | --- | --- |
//! | 0 | 8 | `RBKEYRNG` |
//! | 8 | 1 | version, 1 |
//! | 9 | 1 | 1 in a sealed store, 0 in an unsealed one, which has no keys |
//! | 10 | 16 | the store's id |
//! | 26 | 8 | how often the file was written anew, u64 |
//! | 34 | 12 | nonce; zeros in an unsealed store |
//! | 46 | 16 | tag of nothing, sealed under the master key and bound to bytes 0 to 33: it tells the right master key; zeros if unsealed |
//! | 62 | 4 | CRC-32 (IEEE) of bytes 0 to 61 |
//!
//! | offset | bytes | record |
//! | --- | --- | --- |
//! | 0 | 1 | kind: 1 a key, 2 an erasure, 3 an erasure that is carried out in full |
//! | 1 | 4 | how long the content is, u32 |
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
//! A record that ends behind the file's end was never acknowledged to anybody: an append was cut off. Anything else that does not
//! fit is damage.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

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

/// What a keyring's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sealed: bool,
    pub(super) store: Uuid,
    pub(super) rewritten: u64,
}

/// One record, opened.
pub(super) enum Record {
    Key { owner: Box<str>, key: SecretKey },
    Erasure { id: Uuid, owners: Vec<Box<str>> },
    Complete { id: Uuid },
}

/// Where nonces come from: the operating system, and in tests a sequence.
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
    proof_of_nothing(master, &bytes.clone(), &mut bytes, nonces)?;
    let sum = crc(&bytes);
    bytes.extend_from_slice(&sum);
    Ok(bytes)
}

/// Nonce and tag of nothing, bound to something; zeros without a key.
fn proof_of_nothing(
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
    // A name is never 4 GiB long.
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
        // An id of 64 KiB is no id.
        let length = u16::try_from(owner.len()).map_err(|_| KeyringError::Seal)?;
        names.extend_from_slice(&length.to_le_bytes());
        names.extend_from_slice(owner.as_bytes());
    }
    let mut content = id.as_bytes().to_vec();
    proof_of_nothing(
        master,
        &bound("erasure", store, &[id.as_bytes(), &names[..]].concat()),
        &mut content,
        nonces,
    )?;
    content.extend_from_slice(&names);
    push_record(ERASURE, &content, out);
    Ok(())
}

/// Appends a record of an erasure's end.
pub(super) fn push_complete(id: Uuid, out: &mut Vec<u8>) {
    push_record(COMPLETE, id.as_bytes(), out);
}

/// A keyring's bytes while they are read.
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
            return Err(damaged("it does not begin as a keyring does"));
        }
        if crc(body) != sum {
            return Err(damaged("the header's checksum does not hold"));
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

    /// Whether this is the master key that the keyring was written under.
    pub(super) fn is_master(&self, master: &SecretKey) -> bool {
        let proof = self
            .bytes
            .get(..BOUND_HEADER_BYTES)
            .zip(self.bytes.get(BOUND_HEADER_BYTES..HEADER_BYTES - CRC_BYTES));
        proof.is_some_and(|(bound, proof)| proves_nothing(master, bound, proof))
    }

    /// Where the last whole record ends.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    fn damaged(&self, what: &'static str) -> KeyringError {
        KeyringError::Damaged { path: self.path.to_owned(), offset: self.offset, what }
    }

    /// The next record; `None` at the end, and where an append was cut off.
    pub(super) fn next(
        &mut self,
        master: Option<&SecretKey>,
    ) -> Result<Option<Record>, KeyringError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some(head) = rest.get(..RECORD_HEAD_BYTES) else { return Ok(None) };
        let (fields, sum) = head.split_at(5);
        if crc(fields) != sum {
            return Err(self.damaged("a record's head has another checksum"));
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
            return Err(self.damaged("a record has another checksum"));
        }
        let content = whole.get(RECORD_HEAD_BYTES..).unwrap_or_default();
        let record = match (fields.first(), master) {
            (Some(&KEY), Some(master)) => self.key(content, master),
            (Some(&KEY), None) => {
                Err(self.damaged("a key stands in the keyring of an unsealed store"))
            }
            (Some(&ERASURE), master) => self.erasure(content, master),
            (Some(&COMPLETE), _) => match Uuid::from_slice(content) {
                Ok(id) => Ok(Record::Complete { id }),
                Err(_) => Err(self.damaged("a record has another length")),
            },
            _ => Err(self.damaged("a record is of an unknown kind")),
        }?;
        self.offset += end + CRC_BYTES;
        Ok(Some(record))
    }

    fn key(&self, content: &[u8], master: &SecretKey) -> Result<Record, KeyringError> {
        let short = || self.damaged("a record has another length");
        let (nonce, rest) = content.split_first_chunk::<NONCE_BYTES>().ok_or_else(short)?;
        let (wrapped, owner) = rest.split_at_checked(KEY_BYTES + TAG_BYTES).ok_or_else(short)?;
        let mut key = wrapped.to_vec();
        let opened = master.open(*nonce, &bound("key", self.store, owner), &mut key);
        let key = opened.ok().and_then(|key| <[u8; KEY_BYTES]>::try_from(&*key).ok());
        let key = key.ok_or_else(|| {
            self.damaged("a key does not open under the master key that the header does")
        })?;
        let owner = std::str::from_utf8(owner).map_err(|_| self.damaged("a name is no text"))?;
        Ok(Record::Key { owner: owner.into(), key: SecretKey::new(key) })
    }

    fn erasure(&self, content: &[u8], master: Option<&SecretKey>) -> Result<Record, KeyringError> {
        let short = || self.damaged("a record has another length");
        let (id, rest) = content.split_first_chunk::<16>().ok_or_else(short)?;
        let (proof, names) = rest.split_at_checked(NONCE_BYTES + TAG_BYTES).ok_or_else(short)?;
        let bound = bound("erasure", self.store, &[&id[..], names].concat());
        if master.is_some_and(|master| !proves_nothing(master, &bound, proof)) {
            return Err(self.damaged("an erasure was not written under this master key"));
        }
        let (mut owners, mut names) = (Vec::new(), names);
        while let Some((length, rest)) = names.split_first_chunk::<2>() {
            let (name, rest) = rest
                .split_at_checked(usize::from(u16::from_le_bytes(*length)))
                .ok_or_else(short)?;
            owners.push(
                std::str::from_utf8(name).map_err(|_| self.damaged("a name is no text"))?.into(),
            );
            names = rest;
        }
        Ok(Record::Erasure { id: Uuid::from_bytes(*id), owners })
    }
}

fn proves_nothing(key: &SecretKey, bound: &[u8], proof: &[u8]) -> bool {
    let Some((nonce, tag)) = proof.split_first_chunk::<NONCE_BYTES>() else { return false };
    key.open(*nonce, bound, &mut tag.to_vec()).is_ok()
}

/// The file on the disk.
pub(super) struct KeyringFile {
    path: PathBuf,
    file: Option<File>,
    /// Where the last whole record ends.
    length: u64,
}

impl KeyringFile {
    /// The file of that name, whole up to `length`; opened for writing when it is written to.
    pub(super) fn new(path: PathBuf, length: u64) -> Self {
        Self { path, file: None, length }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> KeyringError {
        let path = self.path.clone();
        move |source| KeyringError::File { doing, path, source }
    }

    /// The bytes of the file; `None` when there is none.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, KeyringError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed("read the keyring")(source)),
        }
    }

    /// Appends records; durable when this returns. What an append that was cut off left is cut away first.
    pub(super) fn append(&mut self, records: &[u8]) -> Result<(), KeyringError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new()
                .read(true)
                .write(true)
                .open(&self.path)
                .map_err(self.failed("write the keyring"))?,
        };
        let length = self.length;
        let append = |mut file: File| -> std::io::Result<File> {
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
            file.write_all(records)?;
            file.sync_data()?;
            Ok(file)
        };
        self.file = Some(append(file).map_err(self.failed("write the keyring"))?);
        self.length += records.len() as u64;
        Ok(())
    }

    /// Puts another content in its place: the old one or the new one is there, whole, whenever the machine stops. Then the old bytes
    /// are overwritten.
    ///
    /// The old file keeps a second name until its bytes are gone, so that what a kill left of it is found and overwritten the next time.
    pub(super) fn replace(&mut self, content: &[u8]) -> Result<(), KeyringError> {
        let [new, old] = ["new", "old"].map(|ending| self.path.with_extension(ending));
        self.clear_leftovers()?;
        let directory = self.path.parent().unwrap_or_else(|| Path::new("."));
        let sync = || File::open(directory).and_then(|directory| directory.sync_all());
        let failed = self.failed("write the keyring anew");
        let replace = || -> std::io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(content)?;
            file.sync_all()?;
            if self.path.exists() {
                fs::hard_link(&self.path, &old)?;
            }
            // The moment at which the new content takes the place of the old.
            fs::rename(&new, &self.path)?;
            sync()?;
            overwrite(&old)?;
            sync()
        };
        replace().map_err(failed)?;
        self.file = None;
        self.length = content.len() as u64;
        Ok(())
    }

    /// Overwrites and removes what a replacement that was cut off left behind.
    pub(super) fn clear_leftovers(&self) -> Result<(), KeyringError> {
        for ending in ["new", "old"] {
            let path = self.path.with_extension(ending);
            let is_itself = || -> std::io::Result<bool> {
                use std::os::unix::fs::MetadataExt as _;
                let (one, other) = (fs::metadata(&path)?, fs::metadata(&self.path)?);
                Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
            };
            match is_itself() {
                // The kill came before the new content took its place: the second name only goes away.
                Ok(true) => fs::remove_file(&path)
                    .map_err(self.failed("clear what is left beside the keyring"))?,
                _ => overwrite(&path)
                    .map_err(self.failed("clear what is left beside the keyring"))?,
            }
        }
        Ok(())
    }
}

/// Overwrites a file with zeros, syncs it and removes it; nothing when there is none.
///
/// On a disk that writes elsewhere instead of over (flash, copy-on-write file systems) the old bytes may last: what they hold is wrapped by
/// the master key.
fn overwrite(path: &Path) -> std::io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    std::io::copy(&mut std::io::repeat(0).take(length), &mut file)?;
    file.sync_all()?;
    fs::remove_file(path)
}
