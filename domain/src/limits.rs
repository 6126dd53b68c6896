//! The limits of what is accepted from outside: sizes of texts, ids and answers, nesting of JSON,
//! and numbers of weeks.
//!
//! The limits apply to new input. Stored events and documents that exceed them still decode.

use crate::json::JsonText;
use crate::series::decide::Rejection;

/// The maximum number of levels of a JSON value: objects and arrays inside each other.
pub const JSON_LEVELS: usize = 64;
/// The maximum number of weeks in a run: ten years.
pub const MOST_WEEKS: u32 = 520;
/// The maximum size of a reason, a comment or a note, in bytes.
pub const REASON_BYTES: usize = 4 << 10;
/// The maximum size of a coach's feedback, in bytes.
pub const FEEDBACK_BYTES: usize = 64 << 10;
/// The maximum size of a title, in bytes.
pub const TITLE_BYTES: usize = 1 << 10;
/// The maximum size of a description, in bytes.
pub const DESCRIPTION_BYTES: usize = 4 << 10;
/// The maximum size of a check-in window as JSON, in bytes.
pub const WINDOW_BYTES: usize = 4 << 10;
/// The maximum size of an id that no stream or document has yet, in bytes.
pub const ID_BYTES: usize = 1_024;
/// The maximum size of the answers to one week as JSON, in bytes.
pub const ANSWERS_BYTES: usize = 1 << 20;
/// The maximum size of a document of a client, a coach or a form that a person gives, in bytes.
pub const DOCUMENT_BYTES: usize = 1 << 20;

/// A number of weeks as it is computed with. Documents and stored events can name any number, and
/// reading a series takes time and memory for each of its weeks.
pub fn cap_weeks(weeks: u32) -> u32 {
    weeks.min(MOST_WEEKS)
}

/// Checks the size of a text. `what` names it in the rejection.
///
/// # Errors
/// [`Rejection::TextTooLong`] if the text has more than `limit` bytes.
pub fn check_text(what: &'static str, text: &str, limit: usize) -> Result<(), Rejection> {
    let given = text.len();
    if given > limit { Err(Rejection::TextTooLong { what, limit, given }) } else { Ok(()) }
}

/// Checks the size and the nesting of a JSON value. `what` names it in the rejection.
///
/// # Errors
/// [`Rejection::TextTooLong`] if it has more than `limit` bytes, [`Rejection::TooDeep`] if it has
/// more than [`JSON_LEVELS`] levels.
pub fn check_json(what: &'static str, json: &JsonText, limit: usize) -> Result<(), Rejection> {
    check_text(what, json.as_str(), limit)?;
    let found = json.levels();
    if found > JSON_LEVELS {
        return Err(Rejection::TooDeep { what, limit: JSON_LEVELS, found });
    }
    Ok(())
}
