//! The issuer's keys from a URL. They are fetched at first use, when they are no longer fresh, and
//! when a token names an unknown key, but never more often than [`REFETCH_AFTER`]. While the issuer
//! is unreachable, cached keys stay valid for [`STALE_AT_MOST`]; whether a token with another key
//! is genuine is then unknown (503 rather than 401).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::CACHE_CONTROL;

use super::error::AccessError;
use super::jwks::{IssuerKey, IssuerKeys};
use crate::telemetry::targets;

/// The minimum time between two fetches. A new key of the issuer is known at most this long after
/// its first use.
pub(super) const REFETCH_AFTER: Duration = Duration::from_secs(10);
/// The time for which keys are fresh if the issuer sets none.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// The maximum time for which keys are fresh. A withdrawn key expires within a day.
const FRESH_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// The time for which fetched keys stay valid if the issuer cannot be reached.
const STALE_AT_MOST: Duration = Duration::from_secs(48 * 60 * 60);
/// The timeout of a fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The size limit of a JWKS, in bytes.
const LONGEST_BYTES: u64 = 1 << 20;

/// The keys of an issuer at a URL.
#[derive(Debug)]
pub(super) struct RemoteKeys {
    url: String,
    agent: ureq::Agent,
    state: Mutex<State>,
    /// The lock of a fetch. Other requests wait for its result.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    fetched: Option<FetchedKeys>,
    tried_at: Option<Instant>,
    /// The error of the last fetch, if it failed.
    failure: Option<String>,
}

#[derive(Debug)]
struct FetchedKeys {
    keys: Arc<IssuerKeys>,
    at: Instant,
    fresh_for: Duration,
}

/// The next action for a key id.
#[derive(Debug)]
enum Next {
    Use(IssuerKey),
    Unknown,
    Fetch,
    Unavailable(String),
}

impl State {
    /// Returns the next action for a key id.
    fn next(&self, kid: &str, now: Instant) -> Next {
        let may_fetch =
            self.tried_at.is_none_or(|tried| now.saturating_duration_since(tried) >= REFETCH_AFTER);
        let held = self
            .fetched
            .as_ref()
            .map(|fetched| (fetched, now.saturating_duration_since(fetched.at)));
        let unavailable = || {
            Next::Unavailable(
                self.failure.clone().unwrap_or_else(|| "they are being fetched".to_owned()),
            )
        };
        match held.map(|(fetched, age)| (fetched.keys.get(kid), age, fetched.fresh_for)) {
            Some((Some(key), age, fresh_for)) if age < fresh_for => Next::Use(key.clone()),
            _ if may_fetch => Next::Fetch,
            Some((Some(key), age, _)) if age < STALE_AT_MOST => Next::Use(key.clone()),
            Some((None, _, _)) if self.failure.is_none() => Next::Unknown,
            _ => unavailable(),
        }
    }

    fn settle(&mut self, outcome: Result<(IssuerKeys, Duration), String>, now: Instant) {
        match outcome {
            Ok((keys, fresh_for)) => {
                self.fetched = Some(FetchedKeys { keys: Arc::new(keys), at: now, fresh_for });
                self.failure = None;
            }
            Err(why) => self.failure = Some(why),
        }
    }
}

impl RemoteKeys {
    pub(super) fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(FETCH_TIMEOUT))
            .max_redirects(0)
            .build();
        Self {
            url,
            agent: config.into(),
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the issuer's key with this id; `None` if the issuer has none.
    pub(super) async fn get(&self, kid: &str) -> Result<Option<IssuerKey>, AccessError> {
        if let Some(answer) = self.known(kid) {
            return answer;
        }
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(answer) = self.known(kid) {
            return answer;
        }
        self.state().tried_at = Some(Instant::now());
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let outcome = tokio::task::spawn_blocking(move || fetch(&agent, &url))
            .await
            .unwrap_or_else(|error| Err(error.to_string()));
        if let Err(why) = &outcome {
            tracing::warn!(target: targets::ACCESS, url = self.url, why, "the keys of the tokens' issuer cannot be had");
        }
        self.state().settle(outcome, Instant::now());
        self.known(kid)
            .unwrap_or_else(|| Err(self.unavailable("they are to be fetched again".to_owned())))
    }

    /// Returns the result without a fetch, if it is known.
    fn known(&self, kid: &str) -> Option<Result<Option<IssuerKey>, AccessError>> {
        match self.state().next(kid, Instant::now()) {
            Next::Use(key) => Some(Ok(Some(key))),
            Next::Unknown => Some(Ok(None)),
            Next::Unavailable(why) => Some(Err(self.unavailable(why))),
            Next::Fetch => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // After a panic in another thread, the values are still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, why: String) -> AccessError {
        AccessError::IssuerKeys { from: self.url.clone(), why }
    }
}

fn fetch(agent: &ureq::Agent, url: &str) -> Result<(IssuerKeys, Duration), String> {
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    if answer.status() != http::StatusCode::OK {
        return Err(format!("the answer is {}", answer.status()));
    }
    let fresh_for = answer
        .headers()
        .get(CACHE_CONTROL)
        .and_then(|value| max_age(value.to_str().ok()?))
        .unwrap_or(FRESH_FOR);
    let text = answer
        .body_mut()
        .with_config()
        .limit(LONGEST_BYTES)
        .read_to_string()
        .map_err(|error| error.to_string())?;
    let keys =
        IssuerKeys::parse(&text).map_err(|error| format!("the answer is no JWKS: {error}"))?;
    Ok((keys, fresh_for.clamp(REFETCH_AFTER, FRESH_AT_MOST)))
}

/// Returns the time for which a response is fresh, from its `Cache-Control` header.
fn max_age(directives: &str) -> Option<Duration> {
    let mut directives =
        directives.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    directives.find_map(|directive| match directive.split_once('=') {
        Some(("max-age", seconds)) => {
            seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
        }
        None if directive == "no-store" || directive == "no-cache" => Some(Duration::ZERO),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::Issuer;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(state: &State, kid: &str, now: Instant) -> &'static str {
        match state.next(kid, now) {
            Next::Use(_) => "use",
            Next::Unknown => "unknown",
            Next::Fetch => "fetch",
            Next::Unavailable(_) => "unavailable",
        }
    }

    fn with_key(kid: &str, at: Instant) -> State {
        let keys = IssuerKeys::parse(
            &serde_json::json!({"keys": [Issuer::elliptic(kid).jwk()]}).to_string(),
        )
        .unwrap();
        let mut state = State { tried_at: Some(at), ..State::default() };
        state.settle(Ok((keys, FRESH_FOR)), at);
        state
    }

    #[test]
    fn keys_are_fetched_at_first_use_when_stale_and_for_an_unknown_id_but_not_too_often() {
        let start = Instant::now();
        assert_eq!(told(&State::default(), "a", start), "fetch");
        let state = with_key("a", start);
        assert_eq!(told(&state, "a", start + FRESH_FOR - SECOND), "use");
        assert_eq!(told(&state, "a", start + FRESH_FOR), "fetch");
        assert_eq!(told(&state, "b", start + REFETCH_AFTER - SECOND), "unknown");
        assert_eq!(told(&state, "b", start + REFETCH_AFTER), "fetch");
    }

    #[test]
    fn while_the_issuer_is_away_known_keys_go_on_for_a_while_and_others_are_neither_right_nor_wrong()
     {
        let start = Instant::now();
        let mut state = State { tried_at: Some(start), ..State::default() };
        state.settle(Err("away".to_owned()), start);
        assert_eq!(told(&state, "a", start + SECOND), "unavailable");

        let mut state = with_key("a", start);
        for (after, known) in
            [(FRESH_FOR, "use"), (STALE_AT_MOST - SECOND, "use"), (STALE_AT_MOST, "unavailable")]
        {
            let now = start + after;
            state.tried_at = Some(now);
            state.settle(Err("away".to_owned()), now);
            assert_eq!(
                (told(&state, "a", now), told(&state, "b", now)),
                (known, "unavailable"),
                "{after:?}"
            );
        }
    }

    #[test]
    fn how_long_keys_are_fresh_is_the_issuers_to_say() {
        assert_eq!(
            max_age("public, max-age=19302, must-revalidate"),
            Some(Duration::from_secs(19302))
        );
        assert_eq!(max_age("Max-Age=5"), Some(Duration::from_secs(5)));
        assert_eq!(max_age("no-store"), Some(Duration::ZERO));
        assert_eq!((max_age("public"), max_age("max-age=soon"), max_age("")), (None, None, None));
    }
}
