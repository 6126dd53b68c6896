//! The digest over the stored commits of a log.

use std::ops::ControlFlow;

use rollbook_domain::event::Position;
use sha2::{Digest as _, Sha256};

use crate::error::LogError;
use crate::scan::scan;
use crate::store::Store;

/// SHA-256 over the stored commits up to a position. Each commit contributes its first position
/// (u64 big-endian), the length of its record (u64 big-endian) and the record.
pub(crate) fn digest(store: &Store, until: Position) -> Result<[u8; 32], LogError> {
    let head = store.head();
    if until > head {
        return Err(LogError::BeyondHead { position: until, head });
    }
    let mut hasher = Sha256::new();
    if let Some(engine) = store.engine() {
        scan(&*engine, 1, until, |record, stored| {
            if record.last() > until {
                return Err(LogError::InsideCommit {
                    position: until,
                    first: record.first(),
                    last: record.last(),
                });
            }
            hasher.update(record.first().to_be_bytes());
            hasher.update((stored.len() as u64).to_be_bytes());
            hasher.update(stored);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(hasher.finalize().into())
}
