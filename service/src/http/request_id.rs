//! The id of a request: the caller's own (`x-request-id`) where it is well formed, else one that is made. It stands in the answer, in
//! every message about the request, and as the cause of what the request wrote under no key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
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
        let text = made().hyphenated().encode_lower(&mut text);
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

/// A v7 of the system's clock. Its random part is drawn once a process and counted on from there, so that no request asks the system
/// for randomness: an id names a request and guards nothing.
fn made() -> Uuid {
    // The random halves of two.
    static DRAWN: LazyLock<u128> = LazyLock::new(|| {
        (Uuid::now_v7().as_u128() << 64) | (Uuid::now_v7().as_u128() & u128::from(u64::MAX))
    });
    static MADE: AtomicU64 = AtomicU64::new(0);
    let milliseconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    // An odd factor: every count gives another value, and neighbours look nothing alike.
    let counted = u128::from(MADE.fetch_add(1, Ordering::Relaxed))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let [_, _, _, _, _, _, random @ ..] = DRAWN.wrapping_add(counted).to_be_bytes();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

/// Letters, digits and `-_.:+/=`, 1 to 128 of them: what ids are made of, and nothing that could stand for something else in a log.
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
    fn made_ids_are_all_different() {
        let made: std::collections::BTreeSet<Uuid> = (0..10_000).map(|_| made()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.get_version_num() == 7));
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
