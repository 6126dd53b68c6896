//! The signed checkpoints of a store: one file each in `checkpoints/`, named by the size and
//! renamed atomically.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollbook_log::durable;
use rollbook_proofs::{ProofError, SignedCheckpoint};

use super::error::EvidenceError;

/// The name of the directory in the store.
const DIRECTORY: &str = "checkpoints";
/// The suffix of the file names.
const SUFFIX: &str = ".checkpoint";

/// A recorded checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedCheckpoint {
    /// The number of events, from the file name.
    pub size: u64,
    /// The path of the file.
    pub path: PathBuf,
}

impl RecordedCheckpoint {
    /// Reads the checkpoint. It does not check the signature.
    ///
    /// # Errors
    /// If the file cannot be read, is not a checkpoint, or has another size.
    pub fn read(&self) -> Result<SignedCheckpoint, EvidenceError> {
        let text = fs::read(&self.path).map_err(failed("read", &self.path))?;
        let malformed = |why| ProofError::Malformed { what: "a checkpoint", why };
        let text =
            std::str::from_utf8(&text).map_err(|_| self.refused(malformed("it is not text")))?;
        let signed = SignedCheckpoint::read(text).map_err(|source| self.refused(source))?;
        if signed.claimed().size == self.size {
            Ok(signed)
        } else {
            Err(self.refused(malformed("its name is of another size")))
        }
    }

    /// Makes the error for a checkpoint that does not verify.
    pub fn refused(&self, source: ProofError) -> EvidenceError {
        EvidenceError::Refused { path: self.path.clone(), source: Box::new(source) }
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> EvidenceError {
    let path = path.to_owned();
    move |source| EvidenceError::File { doing, path, source }
}

/// Lists the recorded checkpoints of the store in a directory, by size.
///
/// # Errors
/// If the directory cannot be read, or contains anything else.
pub fn recorded(directory: &Path) -> Result<Vec<RecordedCheckpoint>, EvidenceError> {
    let directory = directory.join(DIRECTORY);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read", &directory)(source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", &directory))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // A file that was not written completely has another suffix.
        if let Some(size) = name.strip_suffix(SUFFIX) {
            let size = size.parse().ok().filter(|size| file_name(*size) == name);
            let unknown =
                || ProofError::Malformed { what: "a checkpoint", why: "its name is no size" };
            let size = size.ok_or_else(|| EvidenceError::Refused {
                path: path.clone(),
                source: Box::new(unknown()),
            })?;
            found.push(RecordedCheckpoint { size, path });
        }
    }
    found.sort();
    Ok(found)
}

fn file_name(size: u64) -> String {
    format!("{size:020}{SUFFIX}")
}

/// Records a checkpoint. An existing file has the same bytes, or another key signed it.
pub(super) fn record(directory: &Path, signed: &SignedCheckpoint) -> Result<(), EvidenceError> {
    let directory = directory.join(DIRECTORY);
    durable::create_directories(&directory).map_err(failed("make", &directory))?;
    let path = directory.join(file_name(signed.claimed().size));
    match fs::read_to_string(&path) {
        Ok(there) if there == signed.text() => Ok(()),
        Ok(_other) => {
            let source = ProofError::Malformed {
                what: "a checkpoint",
                why: "it is not what the log says of that size",
            };
            Err(EvidenceError::Refused { path, source: Box::new(source) })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => write_new(&path, signed.text()),
        Err(source) => Err(failed("read", &path)(source)),
    }
}

/// Writes a file, syncs it, and renames it atomically. Replaces an existing file.
///
/// # Errors
/// If the file cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), EvidenceError> {
    durable::write_atomically(path, 0o666, text.as_bytes()).map_err(failed("write", path))
}
