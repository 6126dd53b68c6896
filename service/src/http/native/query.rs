//! Query parameters of several endpoints: durations, names with slashes, waiting for a position.

use axum::http::StatusCode;
use rollbook_application::code::Code;
use rollbook_application::reports::span;
use rollbook_domain::Position;
use serde::{Deserialize, Deserializer};

use crate::http::error::ApiError;
use crate::http::service::Service;

/// Reads an optional duration such as `3d`. Returns milliseconds.
///
/// # Errors
/// If the text is not a duration.
pub fn optional_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| span::milliseconds(&text).map_err(serde::de::Error::custom)).transpose()
}

/// Joins the segments of a path to a name: `series/ada/weekly` is three segments, or one with
/// escaped slashes.
pub fn joined(segments: &[(String, String)]) -> String {
    segments.iter().map(|(_, segment)| segment.as_str()).collect::<Vec<_>>().join("/")
}

/// Rejects a position that the log has not reached.
///
/// # Errors
/// 400 `beyond_head`.
pub fn require_reached(position: Position, head: Position) -> Result<(), ApiError> {
    if position <= head {
        return Ok(());
    }
    Err(ApiError::bad_request(
        Code::BeyondHead,
        format!("Position {position} is beyond the head {head} of the log; name one up to {head}"),
    ))
}

/// Waits until the log contains a position, up to the service's limit. The next read folds it.
///
/// # Errors
/// 504 `behind` at the deadline.
pub async fn reach(service: &Service, position: Position) -> Result<(), ApiError> {
    let log = service.store().log().clone();
    if log.head() >= position {
        return Ok(());
    }
    let reached = tokio::time::timeout(
        service.settings().timeouts.behind,
        log.head_beyond(position.saturating_sub(1)),
    );
    tokio::select! {
        reached = reached => reached.map(drop).map_err(|_late| behind(position, log.head())),
        () = service.drained() => Err(behind(position, log.head())),
    }
}

fn behind(position: Position, head: Position) -> ApiError {
    let message = format!("This node is at position {head} and did not reach {position} in time");
    ApiError::new(StatusCode::GATEWAY_TIMEOUT, Code::Behind, message)
        .with_next("ask again in a moment, or ask the node that answered the write")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_segments_or_whole() {
        let of = |parts: &[&str]| {
            joined(
                &parts.iter().map(|part| ("x".to_owned(), (*part).to_owned())).collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&["series", "a%2Fb", "weekly"]), "series/a%2Fb/weekly");
        assert_eq!(of(&["series/ada/weekly"]), "series/ada/weekly");
    }
}
