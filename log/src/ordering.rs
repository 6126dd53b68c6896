//! The interface to whatever puts commits into one order. The log of this process implements it. A
//! replicated log that orders the commits of a cluster can implement it too, with the RocksDB log
//! as every node's verified local copy.
//!
//! `tests/log/conformance` tests the contract, one test per clause. An implementation joins with
//! one line.

use rollbook_domain::event::{EventRecord, Position};

use crate::commit::{Commit, CommitReceipt};
use crate::error::{AppendError, LogError};
use crate::log::Log;
use crate::pending::PendingCommit;

/// Puts the commits of all callers into one order. Callers may be in this process or elsewhere.
///
/// Contract:
/// 1. **Numbering**: the first event has position 1. An accepted commit gets the next positions,
///    one per event, without gaps and in the order of its events. A commit is accepted completely
///    or not at all.
/// 2. **Results**: every submitted commit gets one result. When the result is success, `head` is at
///    the commit's last position or beyond.
/// 3. **Head**: it never decreases, and is never inside a commit.
/// 4. **Expected versions**: a commit is accepted only if each expected version holds directly
///    before it, counting every commit ordered earlier, acknowledged or not. A rejection names the
///    stream, the expected and the actual version.
/// 5. **Rejections**: a rejected commit takes no position, changes no version, stores no key and
///    affects no other commit.
/// 6. **Idempotency**: a key is permanent. A commit with a used key and the same request gets the
///    first result, marked `repeated`, whatever its events and expected versions. With another
///    request it is rejected, naming the first commit.
/// 7. **Ids**: an event id is accepted once in the life of the log.
/// 8. **Content**: a commit without events is rejected, and so is one with a NUL in a stream name
///    or key.
/// 9. **Others**: callers must not assume that they are the only ones: `head` may move between two
///    of their own commits.
/// 10. **Reading results**: the events of an acknowledged commit can be read by its positions, and
///     a used key gives the request and the positions that it was used for.
pub trait Ordering: Send + Sync {
    /// Submits a commit. Its place in the order is decided later.
    fn submit(&self, commit: Commit) -> PendingCommit;

    /// Submits a commit and waits for the result.
    ///
    /// # Errors
    /// If the commit was not appended.
    ///
    /// # Panics
    /// On a thread that drives asynchronous tasks. There, `.await` the result of
    /// [`Ordering::submit`].
    fn append(&self, commit: Commit) -> Result<CommitReceipt, AppendError> {
        self.submit(commit).wait()
    }

    /// The position of the last event that is ordered and can be read here.
    fn head(&self) -> Position;

    /// The events of an acknowledged commit, in order.
    ///
    /// # Errors
    /// If the log cannot be read or is damaged there.
    fn events(&self, committed: CommitReceipt) -> Result<Vec<EventRecord>, LogError>;

    /// The digest of the request that an idempotency key was used for, and the result of its
    /// commit.
    ///
    /// # Errors
    /// If the log cannot be read or is damaged there.
    fn requested_under(&self, key: &str) -> Result<Option<([u8; 32], CommitReceipt)>, LogError>;
}

impl Ordering for Log {
    fn submit(&self, commit: Commit) -> PendingCommit {
        Log::submit(self, commit)
    }

    fn head(&self) -> Position {
        Log::head(self)
    }

    fn events(&self, committed: CommitReceipt) -> Result<Vec<EventRecord>, LogError> {
        let mut events = Vec::new();
        for commit in self.commits_after(committed.first.saturating_sub(1)) {
            events.extend(commit?);
            if events.last().is_some_and(|event| event.position >= committed.last) {
                break;
            }
        }
        events.retain(|event| event.position <= committed.last);
        Ok(events)
    }

    fn requested_under(&self, key: &str) -> Result<Option<([u8; 32], CommitReceipt)>, LogError> {
        Log::requested_under(self, key)
    }
}
