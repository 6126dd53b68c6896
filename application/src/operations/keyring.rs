//! Repairs a keyring that is older than its log, or that was cut short.
//!
//! Such a keyring may have keys that an erasure destroyed, and may lack keys that were made since. A
//! store with it is not opened: erased content would be readable, and a client could get a second
//! key. If there is no newer copy of the keyring, the repair destroys again what the log says was
//! erased, and gives up what the keyring cannot open.

use std::collections::BTreeSet;

use rollbook_domain::{Event, StreamId};
use rollbook_log::{CorruptionKind, DecodeError, LogError};
use rollbook_projections::runtime::Progress;
use serde::Serialize;
use uuid::Uuid;

use super::erase::{clear_after_erasures, erasure_id};
use crate::store::{Store, StoreError};

/// What a repair of the keyring changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyringGaps {
    /// Erased clients whose keys the keyring has again, by the id of the client document.
    pub erased: Vec<ErasedAgain>,
    /// The streams whose keys the keyring lacks. Their content cannot be recovered without a newer
    /// keyring.
    pub lost: Vec<String>,
}

/// An erased client whose keys are in the keyring again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasedAgain {
    /// The client's document id.
    pub client: String,
    /// Every erased id; the client's own is the first.
    pub ids: Vec<String>,
}

impl KeyringGaps {
    /// Whether the keyring has every key that it should have, and no other.
    pub fn is_empty(&self) -> bool {
        self.erased.is_empty() && self.lost.is_empty()
    }
}

/// Compares the keyring of a store with its log. Reads every stream of clients and coaches once.
///
/// # Errors
/// If the log cannot be read, apart from content without a key. Content that does not open with the
/// key that the keyring has is such an error: another keyring may open it.
pub fn keyring_gaps(store: &Store) -> Result<KeyringGaps, StoreError> {
    let log = store.log();
    let mut gaps = KeyringGaps::default();
    if !log.sealing().sealed {
        return Ok(gaps);
    }
    for prefix in ["client/", "coach/", "series/"] {
        for stream in log.streams_with_prefix(prefix)? {
            if let StreamId::Client(client) = &stream
                && !log.is_erased(&stream)
                && let Some(recorded) = log.event(erasure_id(client))?
                && let Event::ClientErased { client, ids, .. } = recorded.event
            {
                gaps.erased.push(ErasedAgain { client, ids });
                continue;
            }
            match log.stream(&stream, 0) {
                Ok(_) => {}
                Err(error) if lacks_key(&error) => gaps.lost.push(stream.name()),
                Err(error) => return Err(error.into()),
            }
        }
    }
    let again: BTreeSet<&String> = gaps.erased.iter().flat_map(|erased| &erased.ids).collect();
    let is_again = |name: &String| {
        let stream = name.parse::<StreamId>().ok();
        let client = stream.as_ref().and_then(StreamId::client).map(ToOwned::to_owned);
        client.is_some_and(|client| again.contains(&client))
    };
    gaps.lost.retain(|name| !is_again(name));
    Ok(gaps)
}

/// Whether the error is that the keyring has no key for what was read.
fn lacks_key(error: &LogError) -> bool {
    let LogError::Corrupt(corruption) = error else { return false };
    matches!(&corruption.kind, CorruptionKind::Undecodable { source: DecodeError::NoKey { .. } })
}

/// Closes the gaps: destroys the keys of erased clients again, gives up the streams without a key,
/// folds all rows again and rewrites every file. From then on the store opens with this keyring. A
/// call that is interrupted can be repeated.
///
/// # Errors
/// If the log, the keyring, the rows or the database cannot be written.
pub fn repair_keyring(
    store: &Store,
    gaps: &KeyringGaps,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    let log = store.log();
    for ErasedAgain { client, ids } in &gaps.erased {
        log.destroy_keys(erasure_id(client), ids)?;
    }
    let lost: Vec<StreamId> = gaps.lost.iter().filter_map(|name| name.parse().ok()).collect();
    if !lost.is_empty() {
        log.give_up_keys(Uuid::now_v7(), &lost)?;
    }
    clear_after_erasures(store, progress)?;
    Ok(log.record_keyring()?)
}
