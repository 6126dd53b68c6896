//! A point in the log as a caller names it: a position, or an instant. An instant means the last
//! position that was recorded by then.

use std::fmt;
use std::str::FromStr;

use rollbook_domain::{Position, Timestamp};
use rollbook_projections::ProjectionError;
use serde::Deserialize;

use crate::store::Store;
use crate::store::StoreError;

/// A point in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Moment {
    /// After the event with this position; 0 is before the first event.
    Position(Position),
    /// After the last event that was recorded by this time.
    Instant(Timestamp),
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => position.fmt(f),
            Self::Instant(instant) => instant.fmt(f),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        let instant =
            text.parse().map_err(|_| format!("{text:?} is neither a position nor an RFC 3339 time; write 812 or 2026-01-05T09:00:00Z"))?;
        Ok(Self::Instant(instant))
    }
}

impl Moment {
    /// Returns the position in a store.
    ///
    /// # Errors
    /// If the position is beyond the head, or the log cannot be read.
    pub fn position(self, store: &Store) -> Result<Position, StoreError> {
        match self {
            Self::Position(position) => {
                let head = store.log().head();
                if position > head {
                    Err(ProjectionError::BeyondHead { asked: position, head }.into())
                } else {
                    Ok(position)
                }
            }
            Self::Instant(instant) => store.position_at(instant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_position_and_anything_else_is_an_instant_or_refused() {
        assert_eq!("812".parse(), Ok(Moment::Position(812)));
        assert_eq!("1970-01-01T00:00:00Z".parse(), Ok(Moment::Instant(Timestamp::EPOCH)));
        for wrong in ["", "-1", "lately", "2026-01-05"] {
            assert!(
                wrong.parse::<Moment>().unwrap_err().contains("neither a position nor"),
                "{wrong}"
            );
        }
    }
}
