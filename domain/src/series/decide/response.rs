//! Responses of a client, their score, and the coach's feedback on them.

use super::{Decider, Decision, Rejection};
use crate::event::Event;
use crate::json::JsonText;
use crate::limits::{ANSWERS_BYTES, FEEDBACK_BYTES, ID_BYTES, check_json, check_text};
use crate::personal::Personal;
use crate::series::ids::{assignment_id, response_id};

/// Computes the score of answers, 0 to 100: round(100 × Σ score·weight ⁄ Σ 10·weight) over all
/// answers that have both; `None` if no answer has both.
///
/// # Errors
/// If the JSON is not an array of objects.
pub fn score_of(answers: &JsonText) -> Result<Option<u32>, Rejection> {
    let list: Vec<serde_json::Map<String, serde_json::Value>> =
        answers.read().map_err(|error| Rejection::BadAnswers(error.to_string()))?;
    let number = |answer: &serde_json::Map<String, serde_json::Value>, key: &str| {
        answer.get(key).and_then(serde_json::Value::as_f64)
    };
    let (reached, possible) = list
        .iter()
        .filter_map(|answer| number(answer, "score").zip(number(answer, "weight")))
        .fold((0.0, 0.0), |(reached, possible), (score, weight)| {
            (reached + score * weight, possible + 10.0 * weight)
        });
    if possible <= 0.0 {
        return Ok(None);
    }
    // The clamp keeps it within 0 to 100.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let score = (100.0 * reached / possible).round().clamp(0.0, 100.0) as u32;
    Ok(Some(score))
}

impl Decider<'_> {
    /// Records a response. A week that is not stored yet is created in the same commit.
    ///
    /// # Errors
    /// If the series has no such week, the answers are not a list, are too long or nested too deep,
    /// or the score is over 100. These are checked first, even for a week that has a response. An
    /// existing response is not an error: see [`Decision::AlreadyAnswered`].
    pub fn respond(
        &self,
        run: u32,
        week: u32,
        answers: JsonText,
        score: Option<u32>,
    ) -> Result<Decision, Rejection> {
        let (stored, mut events) = self.week_due(run, week, Self::legacy_due)?;
        check_json("the list of answers", &answers, ANSWERS_BYTES)?;
        let computed = score_of(&answers)?;
        if let Some(given @ 101..) = score {
            return Err(Rejection::OutOfRange { what: "the score", least: 0, most: 100, given });
        }
        if let Some(response) = stored.response_id() {
            return Ok(Decision::AlreadyAnswered {
                response: response.to_owned(),
                score: stored.score,
            });
        }
        if stored.is_completed() {
            return Ok(Decision::AlreadyAnswered { response: String::new(), score: stored.score });
        }
        let assignment = assignment_id(self.client, self.form, run, week);
        events.push(Event::ResponseSubmitted {
            assignment,
            run,
            week,
            response: response_id(assignment, self.series.submitted + 1).to_string(),
            submitted_at: self.now,
            score: score.or(computed),
            answers: Personal::new(answers),
            legacy_due: self.legacy_due(&self.base(run)?.stored, week),
        });
        Ok(Decision::Append(events))
    }

    /// Records a coach's feedback on a response of this series.
    ///
    /// # Errors
    /// If the series has no such response, or the text is empty or too long.
    pub fn give_feedback(
        &self,
        response: &str,
        coach: &str,
        text: String,
    ) -> Result<Vec<Event>, Rejection> {
        let known =
            self.series.items.iter().any(|item| item.stored.response_id() == Some(response))
                || self.series.responses.contains_key(response);
        if !known {
            return Err(Rejection::NoSuchResponse {
                series: self.name(),
                response: response.to_owned(),
            });
        }
        if text.trim().is_empty() {
            return Err(Rejection::ShortReason { least: 1, has: 0 });
        }
        check_text("the feedback", &text, FEEDBACK_BYTES)?;
        check_text("the id of the coach", coach, ID_BYTES)?;
        Ok(vec![Event::FeedbackGiven {
            response: response.to_owned(),
            coach: coach.to_owned(),
            text: Personal::new(text),
        }])
    }
}
