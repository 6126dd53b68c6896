//! Key files: the signing key beside the store, which only its owner can read, and the verifier key
//! in the store.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rollbook_log::durable;
use rollbook_proofs::{SigningKey, VerifierKey};

use super::error::EvidenceError;
use super::recorded::write_new;

/// The name of the verifier key's file in the store.
pub(super) const VERIFIER_FILE: &str = "verifier-key";

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> EvidenceError {
    let path = path.to_owned();
    move |source| EvidenceError::File { doing, path, source }
}

/// Returns the default path of the signing key: `NAME.signing-key` beside the store's directory.
///
/// # Errors
/// If the directory has no name.
pub fn default_signing_key(directory: &Path) -> Result<PathBuf, EvidenceError> {
    let absolute = fs::canonicalize(directory).map_err(failed("find", directory))?;
    let mut name = absolute.file_name().unwrap_or_default().to_owned();
    name.push(".signing-key");
    Ok(absolute.with_file_name(name))
}

/// Reads a signing key. Only its owner may have the permission to read the file.
pub(super) fn read(path: &Path) -> Result<SigningKey, EvidenceError> {
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    let mode = fs::metadata(path).map_err(failed("read", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(EvidenceError::OpenKey { path: path.to_owned() });
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    line.parse().map_err(|source| EvidenceError::NoKey { path: path.to_owned(), source })
}

/// Reads the signing key. Generates one if there is none and none has signed before. Returns the
/// path if it was generated.
pub(super) fn read_or_draw(
    path: &Path,
    name: &str,
    known: Option<&VerifierKey>,
) -> Result<(SigningKey, Option<PathBuf>), EvidenceError> {
    match fs::symlink_metadata(path) {
        Ok(_there) => return Ok((read(path)?, None)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(failed("read", path)(source)),
    }
    if let Some(known) = known {
        return Err(EvidenceError::KeyGone { path: path.to_owned(), stored: known.to_string() });
    }
    let key = SigningKey::generate(name)
        .map_err(|source| EvidenceError::NoKey { path: path.to_owned(), source })?;
    let text = format!("{}\n", key.expose());
    durable::create_file(path, 0o600, text.as_bytes()).map_err(failed("make", path))?;
    Ok((key, Some(path.to_owned())))
}

/// Reads the verifier key in the store; `None` if nothing was signed yet.
pub(super) fn stored_verifier(directory: &Path) -> Result<Option<VerifierKey>, EvidenceError> {
    let path = directory.join(VERIFIER_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", &path)(source)),
    };
    // The file has exactly one line, so any changed byte is detected.
    let text = String::from_utf8_lossy(&text);
    let key = text.strip_suffix('\n').unwrap_or_default().parse();
    key.map(Some).map_err(|source| EvidenceError::NoKey { path, source })
}

pub(super) fn store_verifier(directory: &Path, key: &VerifierKey) -> Result<(), EvidenceError> {
    write_new(&directory.join(VERIFIER_FILE), &format!("{key}\n"))
}

/// Returns the key that verifies a store's checkpoints: the one of the signing key beside the
/// store, which write access to the store does not reach, or else the one in the store.
///
/// # Errors
/// [`EvidenceError::OtherKey`] when the two differ; when a key cannot be read.
pub fn verifier_key(directory: &Path) -> Result<Option<VerifierKey>, EvidenceError> {
    let inside = stored_verifier(directory)?;
    let path = default_signing_key(directory)?;
    let beside = match fs::metadata(&path) {
        Ok(_there) => Some(read(&path)?.verifier().clone()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            None
        }
        Err(source) => return Err(failed("read", &path)(source)),
    };
    match (inside, beside) {
        (Some(inside), Some(beside)) if inside != beside => {
            Err(EvidenceError::OtherKey { stored: inside.to_string(), given: beside.to_string() })
        }
        (inside, beside) => Ok(beside.or(inside)),
    }
}
