//! The table of settings: name, kind, default and purpose. Flags, environment variables, the file,
//! `config show` and the manual all follow from it.

use super::kind::Kind;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The name in the file: `section.name`.
    pub name: &'static str,
    /// The flag, without dashes.
    pub flag: &'static str,
    /// The kind of its values.
    pub kind: Kind,
    /// The default value, as text; `None` for a setting that may be absent.
    pub default: Option<&'static str>,
    /// Whether the value is a secret that is never shown.
    pub secret: bool,
    /// The purpose, in one line.
    pub about: &'static str,
}

impl Key {
    /// The environment variable: `ROLLBOOK_` and the name in capitals.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('.', "_").to_uppercase())
    }
}

/// The prefix of the environment variables of settings.
pub const VARIABLE_PREFIX: &str = "ROLLBOOK_";

/// Returns the setting with a name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

const fn key(
    name: &'static str,
    flag: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Key {
    Key { name, flag, kind, default: Some(default), secret: false, about }
}

const fn optional(name: &'static str, flag: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, flag, kind, default: None, secret: false, about }
}

const fn secret(key: Key) -> Key {
    Key { secret: true, ..key }
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Every setting, in display order.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("listen", "listen", Kind::Address, "127.0.0.1:7350", "the address to answer on; port 0 takes a free one"),
    key("data", "data", Kind::Path, "./rollbook-data", "the store's directory"),
    optional("backups", "backups", Kind::Path, "the directory of backups that operators take over the network; without it the store's directory with -backups behind it"),
    key("overdue_after", "overdue-after", Kind::Span(0, 3_650 * DAY), "3d", "how long after its due time an open week is overdue, in the pre-created view"),

    optional("access.firebase_project", "access-firebase-project", Kind::Text, "a Firebase project whose tokens are accepted: stands for issuer, audience and JWKS"),
    optional("access.issuer", "access-issuer", Kind::Text, "the issuer that tokens must have (iss)"),
    optional("access.audience", "access-audience", Kind::Text, "the audience that tokens must have, alone or among others (aud)"),
    optional("access.jwks_url", "access-jwks-url", Kind::Url, "where the issuer's keys are fetched (JWKS): https, or http from this machine itself"),
    optional("access.jwks_file", "access-jwks-file", Kind::Path, "a file with the issuer's keys (JWKS), instead of a URL; read again when it changes"),
    key("access.leeway", "access-leeway", Kind::Span(0, 300 * SECOND), "30s", "how far the issuer's clock may be from this one"),

    key("limits.body_bytes", "limits-body-bytes", Kind::Size(KIB, 64 * MIB), "1MiB", "the largest request body; a larger one is 413"),
    key("limits.batch_bytes", "limits-batch-bytes", Kind::Size(KIB, 4_096 * MIB), "256MiB", "the largest batch file that an operator may send to be applied"),
    key("limits.export_bytes", "limits-export-bytes", Kind::Size(KIB, 16_384 * MIB), "512MiB", "the largest export that may be sent to be imported; its documents are in memory meanwhile"),
    key("limits.header_bytes", "limits-header-bytes", Kind::Size(8 * KIB, MIB), "16KiB", "the largest request line with all headers; more is 431"),
    key("limits.headers", "limits-headers", Kind::Count(8, 1_000), "64", "the most headers of a request; more is 431"),
    key("limits.connections", "limits-connections", Kind::Count(1, 1_000_000), "4096", "the most connections at once; further ones wait to be accepted"),
    key("limits.requests_in_flight", "limits-requests-in-flight", Kind::Count(1, 1_000_000), "512", "the most requests worked on at once; further ones are 503 with Retry-After"),
    key("limits.requests_per_second", "limits-requests-per-second", Kind::Count(0, 10_000_000), "10000", "the most requests a second from one address over time; more are 429; 0 for no limit"),
    key("limits.burst_requests", "limits-burst-requests", Kind::Count(1, 10_000_000), "20000", "how many requests one address may send at once before that limit holds"),
    key("limits.trusted_proxies", "limits-trusted-proxies", Kind::IpAddresses, "", "reverse proxies whose X-Forwarded-For says which address asks"),
    key("limits.subscribers", "limits-subscribers", Kind::Count(1, 1_000_000), "1024", "the most subscribers of live events at once; further ones are 503 with Retry-After"),

    key("timeouts.headers", "timeouts-headers", Kind::Span(100, HOUR), "10s", "how long a request's headers may take; then the connection is closed"),
    key("timeouts.body", "timeouts-body", Kind::Span(100, HOUR), "20s", "how long a request's body may take; then 408"),
    key("timeouts.send", "timeouts-send", Kind::Span(100, HOUR), "30s", "how long a client may take nothing of its answer; then the connection is closed"),
    key("timeouts.request", "timeouts-request", Kind::Span(100, HOUR), "30s", "how long an answer may take; then 503"),
    key("timeouts.operation", "timeouts-operation", Kind::Span(100, DAY), "15m", "how long a plan, an apply, a validation, a parity report or an import may take; then 503"),
    key("timeouts.behind", "timeouts-behind", Kind::Span(1, HOUR), "2s", "how long a read waits for the position it asks for; then 504"),
    key("timeouts.heartbeat", "timeouts-heartbeat", Kind::Span(100, HOUR), "15s", "how often a subscriber of live events hears something when nothing happens"),
    key("timeouts.drain", "timeouts-drain", Kind::Span(0, HOUR), "20s", "how long requests under way may take once the service was told to stop"),

    key("log.format", "log-format", Kind::Choice(&["human", "json"]), "human", "the form of the service's own messages, on stderr"),
    key("log.level", "log-level", Kind::Text, "info", "what is said: error, warn, info, debug, trace, or directives such as info,rollbook::http=debug"),

    key("metrics.enabled", "metrics-enabled", Kind::Switch, "true", "whether /metrics answers"),

    optional("telemetry.endpoint", "telemetry-endpoint", Kind::Url, "where to send traces (OTLP over HTTP), such as http://127.0.0.1:4318/v1/traces; without it none are sent"),
    secret(optional("telemetry.headers", "telemetry-headers", Kind::List, "headers for that endpoint, each NAME=VALUE; never shown")),
    key("telemetry.service_name", "telemetry-service-name", Kind::Text, "rollbook", "the service's name in traces"),
    key("telemetry.traced_percent", "telemetry-traced-percent", Kind::Count(0, 100), "100", "how many of a hundred requests are traced"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_flags_follow_from_them_and_defaults_are_possible() {
        assert_eq!(KEYS.iter().map(|key| key.name).collect::<BTreeSet<_>>().len(), KEYS.len());
        for key in KEYS {
            assert_eq!(key.flag, key.name.replace(['.', '_'], "-"), "{}", key.name);
            assert!(
                key.default.is_none_or(|text| key.kind.from_text(text).is_some()),
                "{}: {:?}",
                key.name,
                key.default
            );
            assert!(!key.about.is_empty() && !key.about.ends_with('.'), "{}", key.name);
        }
    }
}
