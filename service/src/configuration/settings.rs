//! The typed settings that the service uses, checked as a whole: some combinations are invalid. The
//! loader knows where each value came from.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::access::AccessSettings;

/// Every setting of the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address to answer on.
    pub listen: SocketAddr,
    /// The store's directory.
    pub data: PathBuf,
    /// The directory of backups; beside the store without one.
    pub backups: Option<PathBuf>,
    /// How long after its due time an open week is overdue.
    #[serde(deserialize_with = "milliseconds")]
    pub overdue_after: Duration,
    /// Whose tokens are accepted.
    pub access: AccessSettings,
    /// What is too much.
    pub limits: Limits,
    /// What takes too long.
    pub timeouts: Timeouts,
    /// The service's own messages.
    pub log: Log,
    /// `/metrics`.
    pub metrics: Metrics,
    /// Traces.
    pub telemetry: Telemetry,
}

/// What is too much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The largest batch file, in bytes.
    pub batch_bytes: usize,
    /// The largest request line with all headers, in bytes.
    pub header_bytes: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// The most connections at once.
    pub connections: usize,
    /// The most requests worked on at once.
    pub requests_in_flight: usize,
    /// The most requests a second from one address; 0 for no limit.
    pub requests_per_second: u32,
    /// How many requests one address may send at once.
    pub burst_requests: u32,
    /// Reverse proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// The most subscribers of live events.
    pub subscribers: usize,
}

/// What takes too long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// For a request's headers.
    #[serde(deserialize_with = "milliseconds")]
    pub headers: Duration,
    /// For a request's body.
    #[serde(deserialize_with = "milliseconds")]
    pub body: Duration,
    /// For a client to take any of its answer.
    #[serde(deserialize_with = "milliseconds")]
    pub send: Duration,
    /// For an answer.
    #[serde(deserialize_with = "milliseconds")]
    pub request: Duration,
    /// For the answer of an operator's long operation.
    #[serde(deserialize_with = "milliseconds")]
    pub operation: Duration,
    /// For a projection to reach the position that a read asks for.
    #[serde(deserialize_with = "milliseconds")]
    pub behind: Duration,
    /// Between two signs of life to a subscriber of live events.
    #[serde(deserialize_with = "milliseconds")]
    pub heartbeat: Duration,
    /// For requests in flight once the service shuts down.
    #[serde(deserialize_with = "milliseconds")]
    pub drain: Duration,
}

/// The service's own messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Their form.
    pub format: LogFormat,
    /// Directives of `tracing-subscriber`'s filter.
    pub level: String,
}

/// The form of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Whether it answers.
    pub enabled: bool,
}

/// Traces by OpenTelemetry.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Where they go; nowhere without it.
    pub endpoint: Option<String>,
    /// Headers for the endpoint, `NAME=VALUE`.
    pub headers: Option<Vec<String>>,
    /// The service's name.
    pub service_name: String,
    /// How many of a hundred requests are traced.
    pub traced_percent: u8,
}

/// Headers may hold a token, so they are left out.
impl std::fmt::Debug for Telemetry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, headers: _, service_name, traced_percent } = self;
        let mut shown = formatter.debug_struct("Telemetry");
        shown
            .field("endpoint", endpoint)
            .field("service_name", service_name)
            .field("traced_percent", traced_percent);
        shown.finish_non_exhaustive()
    }
}

impl Settings {
    /// [`Settings::overdue_after`] in milliseconds, as views take it.
    pub fn overdue_after_milliseconds(&self) -> i64 {
        i64::try_from(self.overdue_after.as_millis()).unwrap_or(i64::MAX)
    }

    /// Values that are valid alone but not together: the setting to blame, and why.
    pub(super) fn contradiction(&self) -> Option<(&'static str, String)> {
        let Limits { requests_per_second: rate, burst_requests: burst, .. } = self.limits;
        if rate > burst {
            return Some((
                "limits.burst_requests",
                format!("is {burst}, less than limits.requests_per_second ({rate}); raise it"),
            ));
        }
        if self.limits.batch_bytes < self.limits.body_bytes {
            return Some((
                "limits.batch_bytes",
                "is less than limits.body_bytes; raise it".to_owned(),
            ));
        }
        if self.timeouts.operation < self.timeouts.request {
            return Some((
                "timeouts.operation",
                "is shorter than timeouts.request; raise it".to_owned(),
            ));
        }
        if self.timeouts.behind >= self.timeouts.request {
            return Some((
                "timeouts.behind",
                "must be shorter than timeouts.request; lower it".to_owned(),
            ));
        }
        let named = |header: &&String| {
            header.split_once('=').is_none_or(|(name, value)| name.is_empty() || value.is_empty())
        };
        if self.telemetry.headers.iter().flatten().any(|header| named(&header)) {
            return Some((
                "telemetry.headers",
                "has an entry that is not NAME=VALUE; mend it".to_owned(),
            ));
        }
        if let Some(contradiction) = self.access.contradiction() {
            return Some(contradiction);
        }
        if let Err(error) = self.log.level.parse::<tracing_subscriber::filter::EnvFilter>() {
            return Some((
                "log.level",
                format!(
                    "is not a filter ({error}); write info, or directives such as info,rollbook::http=debug"
                ),
            ));
        }
        None
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Ok(Duration::from_millis(u64::deserialize(deserializer)?))
}
