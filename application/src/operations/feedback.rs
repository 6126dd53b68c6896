//! A coach's feedback on a response.

use rollbook_domain::StreamId;

use super::coach;
use crate::store::{Outcome, Reading, Request, SeriesCommand, StoreError};

/// Feedback to give.
#[derive(Clone, Debug)]
pub struct FeedbackRequest {
    /// The response.
    pub response: String,
    /// The coach.
    pub coach: String,
    /// The coach's words.
    pub text: String,
    /// Accept a coach that no import brought.
    pub allow_unknown: bool,
}

/// Gives feedback on a response of a series; [`Reading::response`] finds the series.
///
/// # Errors
/// When the coach is unknown, the rules refuse it, or the store fails. Then nothing was written.
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
