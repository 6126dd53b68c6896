//! The seam behind which commits are put into one order. Owns the contract; this process's writer is one keeper of it, a replicated log
//! that numbers commits for a whole cluster is another, with the RocksDB log as every node's verified local copy.
//!
//! The contract is tested clause by clause in `tests/conformance`; a backend joins with one line.

use rollbook_domain::event::Position;

use crate::commit::Commit;
use crate::log::Log;
use crate::pending::Pending;

/// Puts commits into one order, for all that propose them, here or elsewhere.
///
/// Clauses:
/// 1. **Numbering**: the first event of all has position 1; an accepted commit takes the next positions, one an event, without gaps,
///    in the order of its events. Acceptance is all or nothing.
/// 2. **Answering**: every proposal is answered, once. When it is answered as accepted, `head` is at its last position or beyond.
/// 3. **Head**: it never goes back, and never stands inside a commit.
/// 4. **Expected versions**: a commit is accepted only if each of its expectations holds just before it, counting every commit ordered
///    earlier, answered or not. A refusal names the stream, what was expected and the version it is at.
/// 5. **Refusals**: a refused commit takes no position, changes no version and remembers no key, and hurts no other.
/// 6. **Idempotency**: a key is for ever. Proposing the same key with the same request answers the first acceptance with `repeated`,
///    whatever its events and expectations are now; with another request it is refused, naming that acceptance.
/// 7. **Ids**: an event id is accepted once in the life of the log.
/// 8. **Content**: a commit without events, and one with a NUL in a stream name or key, are refused.
/// 9. **Others**: the caller must not assume that it is the only one who proposes: `head` may move between two of its own proposals.
pub trait Ordering: Send + Sync {
    /// Proposes a commit; its place in the order is decided later.
    fn propose(&self, commit: Commit) -> Pending;

    /// The position of the last event that is ordered and can be read here.
    fn head(&self) -> Position;
}

impl Ordering for Log {
    fn propose(&self, commit: Commit) -> Pending {
        self.submit(commit)
    }

    fn head(&self) -> Position {
        Log::head(self)
    }
}
