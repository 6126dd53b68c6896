//! How far every projection of a runtime is folded, as far as the runtime knows. A read up to there
//! need not look at the checkpoints.

use std::sync::{Mutex, PoisonError};

use rollbook_domain::Position;

/// The highest position at which every projection was current. It holds until rows are promoted:
/// checkpoints never go back, but another runtime over the same log may promote rows of another
/// version.
#[derive(Default)]
pub(super) struct Current(Mutex<Reached>);

#[derive(Clone, Copy, Default)]
struct Reached {
    position: Position,
    promotions: u64,
}

impl Current {
    fn get(&self) -> Reached {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every projection is known to be current at `position`, after so many promotions.
    pub(super) fn covers(&self, position: Position, promotions: u64) -> bool {
        let reached = self.get();
        position > 0 && reached.promotions == promotions && position <= reached.position
    }

    /// Remembers that every projection was current at `position`, after so many promotions.
    pub(super) fn reached(&self, position: Position, promotions: u64) {
        let mut reached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.promotions != promotions || reached.position < position {
            *reached = Reached { position, promotions };
        }
    }
}
