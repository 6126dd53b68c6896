//! Submits a response to a week.

use rollbook_domain::{Event, JsonText, Number, Position};

use crate::store::{Outcome, Reading, Request, SeriesCommand, StoreError, WeekRef};

/// The response of a week: this one, or the first one if the week was answered before.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The id; empty if an import stored the week as completed without a response.
    pub id: String,
    /// The score.
    pub score: Option<Number>,
    /// Whether the week was answered before. Then nothing was written.
    pub already_completed: bool,
    /// The position of the response; `None` if nothing was written.
    pub position: Option<Position>,
    /// The last position of the commit; `None` if nothing was written.
    pub last_position: Option<Position>,
}

/// Submits a response to a week. A week that is not stored yet is stored in the same commit. An
/// answered week keeps its first response.
///
/// # Errors
/// If a rule forbids it, or if the store fails. Then nothing was written.
pub fn respond(
    reading: &Reading<'_>,
    week: &WeekRef,
    answers: JsonText,
    score: Option<u32>,
    request: &Request,
) -> Result<Response, StoreError> {
    let WeekRef { stream, run, week } = week;
    let command = SeriesCommand::Respond { run: *run, week: *week, answers, score };
    let outcome = reading.command(stream, &command, request)?;
    if let Outcome::AlreadyCompleted { response, score } = outcome {
        let id = response;
        return Ok(Response {
            id,
            score,
            already_completed: true,
            position: None,
            last_position: None,
        });
    }
    let submitted = outcome.events().iter().find_map(|written| match &written.event {
        Event::ResponseSubmitted { response, score, .. } => {
            Some((response.clone(), score.map(Number::from), Some(written.position)))
        }
        _ => None,
    });
    let (id, score, position) = submitted.unwrap_or_default();
    let last_position = outcome.events().last().map(|written| written.position);
    Ok(Response { id, score, already_completed: false, position, last_position })
}
