//! Copies files with a digest. A copy is synced before it counts; an unchanged file is hard-linked
//! instead of copied.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use rollbook_log::durable;
use sha2::{Digest, Sha256};

use super::BackupError;

/// The size of the read buffer, in bytes.
const PORTION_BYTES: usize = 1 << 20;

/// The size of a file in bytes, and its SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Reads a complete file.
pub(super) fn content(path: &Path) -> Result<Content, BackupError> {
    through(path, &mut |_| Ok(()))
}

/// Copies a file to a new place and syncs it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Content, BackupError> {
    let write = |source| BackupError::file("write", to)(source);
    let mut out = File::create_new(to).map_err(write)?;
    let content = through(from, &mut |portion| out.write_all(portion).map_err(write))?;
    durable::sync_file(to, &out).map_err(write)?;
    Ok(content)
}

/// Writes a new file and syncs it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Content, BackupError> {
    let mut out = File::create_new(path).map_err(BackupError::file("write", path))?;
    out.write_all(bytes)
        .and_then(|()| durable::sync_file(path, &out))
        .map_err(BackupError::file("write", path))?;
    Ok(Content { bytes: bytes.len() as u64, sha256: const_hex::encode(Sha256::digest(bytes)) })
}

fn through(
    path: &Path,
    each: &mut dyn FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<Content, BackupError> {
    let read = |source| BackupError::file("read", path)(source);
    let mut file = File::open(path).map_err(read)?;
    let (mut digest, mut bytes, mut portion) = (Sha256::new(), 0, vec![0; PORTION_BYTES]);
    loop {
        let count = file.read(&mut portion).map_err(read)?;
        let read = portion.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Ok(Content { bytes, sha256: const_hex::encode(digest.finalize()) });
        }
        digest.update(read);
        bytes += count as u64;
        each(read)?;
    }
}

/// Hard-links a file of an earlier backup into a new one. Returns `false` if the file system does
/// not support that.
pub(super) fn share(earlier: &Path, to: &Path) -> bool {
    fs::hard_link(earlier, to).is_ok()
}
