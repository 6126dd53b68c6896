//! The id of a request: the caller's `x-request-id` if it is well formed, otherwise a new UUID v7.
//! It is in the answer and in every log line about the request, and it is the cause of what the
//! request writes without an idempotency key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rollbook_log::{new_id, system_clock};
use std::convert::Infallible;
use uuid::Uuid;

use crate::telemetry::request::request_id;

/// The header, in requests and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of a caller's own id.
const LONGEST: usize = 128;

/// The id of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id that the headers bring, or a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(REQUEST_ID).filter(|value| is_well_formed(value.as_bytes())) {
            Some(value) => Self(value.clone()),
            None => Self::new(),
        }
    }

    fn new() -> Self {
        let mut text = Uuid::encode_buffer();
        let text = new_id(system_clock()).hyphenated().encode_lower(&mut text);
        // Hexadecimal digits and hyphens make a header.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none")))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As a header.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// 1 to 128 letters, digits and `-_.:+/=`: enough for any id, and nothing that could break a log
/// line.
fn is_well_formed(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(byte))
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(request_id().map_or_else(Self::new, Self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_all_different() {
        let ids: std::collections::BTreeSet<String> =
            (0..10_000).map(|_| RequestId::new().as_str().to_owned()).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn a_well_formed_id_is_kept_and_anything_else_replaced() {
        let of = |text: &str| {
            RequestId::of(&HeaderMap::from_iter([(REQUEST_ID, text.parse().unwrap())]))
                .as_str()
                .to_owned()
        };
        for kept in ["a", "0f8e-1", "Root=1-67891233-abcdef012345678912345678", &"x".repeat(128)] {
            assert_eq!(of(kept), kept);
        }
        for replaced in ["", "two words", "a\tb", "\"quoted\"", "<b>", "a,b", &"x".repeat(129)] {
            assert_eq!(
                Uuid::parse_str(&of(replaced)).unwrap().get_version_num(),
                7,
                "{replaced:?}"
            );
        }
    }
}
