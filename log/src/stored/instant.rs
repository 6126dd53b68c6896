//! The stored form of a point in time.

use rollbook_domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;

/// Seconds since 1970, nanoseconds.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Instant(i64, u32);

impl Instant {
    /// Seconds since 1970 and nanoseconds, which may lie outside the calendar.
    pub(super) fn parts(self) -> (i64, u32) {
        (self.0, self.1)
    }
}

impl From<Timestamp> for Instant {
    fn from(value: Timestamp) -> Self {
        Self(value.seconds(), value.nanoseconds())
    }
}

impl TryFrom<Instant> for Timestamp {
    type Error = DecodeError;

    fn try_from(Instant(seconds, nanoseconds): Instant) -> Result<Self, DecodeError> {
        Timestamp::from_parts(seconds, nanoseconds)
            .ok_or(DecodeError::Instant { seconds, nanoseconds })
    }
}
