//! The rule for coaches that a request may name.

use rollbook_domain::StreamId;

use crate::store::{Reading, StoreError};

/// Requires that a coach is known: the client's document names the coach, or there is a coach
/// document.
///
/// # Errors
/// [`StoreError::UnknownCoach`]; if the store cannot be read.
pub(super) fn require_known(
    reading: &Reading<'_>,
    client: &str,
    coach: &str,
) -> Result<(), StoreError> {
    if reading.coach_of(client)? == coach || reading.has_coach_document(coach)? {
        Ok(())
    } else {
        Err(StoreError::UnknownCoach(coach.to_owned()))
    }
}

/// Requires that a coach of a series is known. It is also enough that the coach allocated a week of
/// the series.
///
/// # Errors
/// As [`require_known`].
pub(super) fn require_known_in(
    reading: &Reading<'_>,
    stream: &StreamId,
    coach: &str,
) -> Result<(), StoreError> {
    let folded = reading.series(stream)?;
    if folded.series.items.iter().any(|item| item.stored.coach == coach) {
        return Ok(());
    }
    require_known(reading, stream.client().unwrap_or_default(), coach)
}
