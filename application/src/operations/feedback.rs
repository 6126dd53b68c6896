//! Gives a coach's feedback on a response.

use rollbook_domain::StreamId;

use super::coach;
use crate::store::{Outcome, Reading, Request, SeriesCommand, StoreError};

/// A request to give feedback.
#[derive(Clone, Debug)]
pub struct FeedbackRequest {
    /// The response.
    pub response: String,
    /// The coach.
    pub coach: String,
    /// The coach's words.
    pub text: String,
    /// Accepts a coach without an imported document.
    pub allow_unknown: bool,
}

/// Gives feedback on a response of a series; [`Reading::response`] finds the series.
///
/// # Errors
/// If the coach is unknown, if a rule forbids it, or if the store fails. Then nothing was written.
pub fn give_feedback(
    reading: &Reading<'_>,
    stream: &StreamId,
    feedback: FeedbackRequest,
    request: &Request,
) -> Result<Outcome, StoreError> {
    let FeedbackRequest { response, coach, text, allow_unknown } = feedback;
    if !allow_unknown {
        coach::require_known_in(reading, stream, &coach)?;
    }
    reading.command(stream, &SeriesCommand::Feedback { response, coach, text }, request)
}
