//! The typed settings of the service. They are checked together, because some combinations are
//! invalid. The loader knows the source of each value.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::access::AccessSettings;

/// Every setting of the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The store's directory.
    pub data: PathBuf,
    /// The directory of backups; the default is beside the store.
    pub backups: Option<PathBuf>,
    /// The grace period before an open week is overdue.
    #[serde(deserialize_with = "milliseconds")]
    pub overdue_after: Duration,
    /// Access control.
    pub access: AccessSettings,
    /// The limits of sizes and counts.
    pub limits: Limits,
    /// The timeouts.
    pub timeouts: Timeouts,
    /// The log of the service.
    pub log: Log,
    /// `/metrics`.
    pub metrics: Metrics,
    /// Traces.
    pub telemetry: Telemetry,
}

/// The limits of sizes and counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The largest batch file, in bytes.
    pub batch_bytes: usize,
    /// The largest export, in bytes.
    pub export_bytes: usize,
    /// The largest request line with all headers, in bytes.
    pub header_bytes: usize,
    /// The maximum number of headers of a request.
    pub headers: usize,
    /// The maximum number of connections.
    pub connections: usize,
    /// The maximum number of requests in flight.
    pub requests_in_flight: usize,
    /// The rate limit of an address, in requests per second; 0 for no limit.
    pub requests_per_second: u32,
    /// The number of requests that an address may send at once.
    pub burst_requests: u32,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpAddr>,
    /// The maximum number of subscribers of live events.
    pub subscribers: usize,
}

/// The timeouts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// The timeout for the headers of a request.
    #[serde(deserialize_with = "milliseconds")]
    pub headers: Duration,
    /// The timeout for the body of a request.
    #[serde(deserialize_with = "milliseconds")]
    pub body: Duration,
    /// The timeout for a client that does not read its response.
    #[serde(deserialize_with = "milliseconds")]
    pub send: Duration,
    /// The timeout for a response.
    #[serde(deserialize_with = "milliseconds")]
    pub request: Duration,
    /// The timeout for the response of an operator's long operation.
    #[serde(deserialize_with = "milliseconds")]
    pub operation: Duration,
    /// The timeout for the position that a read waits for.
    #[serde(deserialize_with = "milliseconds")]
    pub behind: Duration,
    /// The interval of heartbeats to a subscriber of live events.
    #[serde(deserialize_with = "milliseconds")]
    pub heartbeat: Duration,
    /// The time for requests in flight after the service starts to shut down.
    #[serde(deserialize_with = "milliseconds")]
    pub drain: Duration,
}

/// The log of the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The format of log lines.
    pub format: LogFormat,
    /// The filter, in the syntax of `tracing-subscriber`.
    pub level: String,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people.
    Human,
    /// One JSON object per line.
    Json,
}

/// `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Whether `/metrics` is enabled.
    pub enabled: bool,
}

/// The export of OpenTelemetry traces.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// The endpoint that receives traces; `None` for no traces.
    pub endpoint: Option<String>,
    /// Headers for the endpoint, `NAME=VALUE`.
    pub headers: Option<Vec<String>>,
    /// The service's name.
    pub service_name: String,
    /// The percentage of traced requests.
    pub traced_percent: u8,
}

/// Leaves the headers out, because they may contain a token.
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
    /// Returns [`Settings::overdue_after`] in milliseconds.
    pub fn overdue_after_milliseconds(&self) -> i64 {
        i64::try_from(self.overdue_after.as_millis()).unwrap_or(i64::MAX)
    }

    /// Returns a setting that contradicts the others, with the reason.
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
        if self.limits.export_bytes < self.limits.body_bytes {
            return Some((
                "limits.export_bytes",
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
                "has an entry that is not NAME=VALUE; correct it".to_owned(),
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
