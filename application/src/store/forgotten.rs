//! Who was erased, as directories of backups are told: a file an erasure in `erasures/`, beside the backups. Owns that file. It holds ids
//! and the operator's reason, nothing that was erased; a damaged one stops a restore by its name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollbook_domain::event::EventRecord;
use rollbook_domain::{Actor, Event, Timestamp};
use rollbook_log::{MasterKeySource, OpenOptions, durable};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Store;
use crate::store::StoreError;

/// The directory in a directory of backups.
pub const ERASURES: &str = "erasures";
/// The only format so far.
const FORMAT: u32 = 1;

/// One erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    rollbook_erasure: u32,
    /// The store it was carried out in.
    pub store: Uuid,
    /// The erasure's id: that of its event.
    pub erasure: Uuid,
    /// The client's document id.
    pub client: String,
    /// Every id that was erased with it.
    pub ids: Vec<String>,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// On whose behalf.
    pub actor: Actor,
}

/// The file: the erasure and its SHA-256.
#[derive(Serialize, Deserialize)]
struct Signed {
    #[serde(flatten)]
    forgotten: Forgotten,
    sha256: String,
}

fn digest(forgotten: &Forgotten) -> String {
    // Texts, numbers and ids: nothing that can fail to be written.
    const_hex::encode(Sha256::digest(serde_json::to_vec(forgotten).unwrap_or_default()))
}

impl Forgotten {
    /// An erasure's event as backups are told of it; `None` for any other event.
    pub fn of(store: Uuid, recorded: EventRecord) -> Option<Self> {
        let Event::ClientErased { client, ids, reason } = recorded.event else { return None };
        let (erasure, at, actor) = (recorded.id, recorded.occurred_at, recorded.actor);
        Some(Self { rollbook_erasure: FORMAT, store, erasure, client, ids, reason, at, actor })
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Erasures { path, source }
}

/// Writes one, whole or not at all; one that is there stays.
///
/// # Errors
/// When the directory cannot be written.
pub fn write(backups: &Path, forgotten: &Forgotten) -> Result<PathBuf, StoreError> {
    let directory = backups.join(ERASURES);
    let path = directory.join(format!("{}-{}.json", forgotten.store, forgotten.erasure));
    if path.exists() {
        return Ok(path);
    }
    durable::create_directories(&directory).map_err(failed(&directory))?;
    let signed = Signed { sha256: digest(forgotten), forgotten: forgotten.clone() };
    let mut text =
        serde_json::to_vec(&signed).map_err(std::io::Error::from).map_err(failed(&path))?;
    text.push(b'\n');
    durable::write_atomically(&path, 0o666, &text).map_err(failed(&path))?;
    Ok(path)
}

/// Every erasure that a directory of backups was told of, in the order of their files' names.
///
/// # Errors
/// When one of them cannot be read, or is not what was written.
pub fn read(backups: &Path) -> Result<Vec<Forgotten>, StoreError> {
    let directory = backups.join(ERASURES);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(&directory)(source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed(&directory))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_one(path)).collect()
}

/// Whom a directory knows to be erased, whether it holds a store or backups. A store's master key is the one beside it, else the one given:
/// the store may have another one by now than its backups.
///
/// # Errors
/// When it is not there, or what it holds cannot be read.
pub fn known_to(
    directory: &Path,
    master_key: &MasterKeySource,
) -> Result<Vec<Forgotten>, StoreError> {
    if !directory.join("FORMAT").is_file() {
        fs::read_dir(directory).map_err(failed(directory))?;
        return read(directory);
    }
    let beside = MasterKeySource::beside(directory);
    let master_key =
        if beside.exists() { MasterKeySource::File(beside) } else { master_key.clone() };
    Store::open_with(directory, OpenOptions { master_key, ..OpenOptions::default() })?.forgotten()
}

fn read_one(path: &Path) -> Result<Forgotten, StoreError> {
    let invalid =
        |what: &str| failed(path)(std::io::Error::new(ErrorKind::InvalidData, what.to_owned()));
    let text = fs::read(path).map_err(failed(path))?;
    let signed: Signed =
        serde_json::from_slice(&text).map_err(|error| invalid(&error.to_string()))?;
    if signed.forgotten.rollbook_erasure != FORMAT {
        return Err(invalid("it has a format that only a newer rollbook reads"));
    }
    if digest(&signed.forgotten) != signed.sha256 {
        return Err(invalid("its SHA-256 does not hold: somebody edited it"));
    }
    Ok(signed.forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Forgotten {
        Forgotten {
            rollbook_erasure: FORMAT,
            store: Uuid::from_u128(1),
            erasure: Uuid::from_u128(2),
            client: "ada".to_owned(),
            ids: vec!["ada".to_owned(), "uid".to_owned()],
            reason: "asked to be".to_owned(),
            at: Timestamp::EPOCH,
            actor: Actor::Admin("ops".to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read_back_once_and_an_edited_one_is_refused_by_its_name() {
        let backups = tempfile::tempdir().unwrap();
        assert_eq!(read(backups.path()).unwrap(), []);
        let path = write(backups.path(), &sample()).unwrap();
        assert_eq!(write(backups.path(), &sample()).unwrap(), path);
        assert_eq!(read(backups.path()).unwrap(), [sample()]);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("uid", "uie")).unwrap();
        let refused = read(backups.path()).unwrap_err();
        assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("edited"), "{cause}");
    }
}
