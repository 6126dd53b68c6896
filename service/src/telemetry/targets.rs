//! The targets of the service's log events. Operators filter by them (`log.level`), so they are
//! part of the public interface and do not follow the modules of the source.

/// One event for each request.
pub const REQUEST: &str = "rollbook::request";
/// Connections, endpoints and everything that happens while a request is handled.
pub const HTTP: &str = "rollbook::http";
/// Authentication: tokens, API keys and the issuer's keys.
pub const ACCESS: &str = "rollbook::access";
/// Metrics, traces and panics.
pub const TELEMETRY: &str = "rollbook::telemetry";

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::super::logging::subscriber;
    use super::*;
    use crate::configuration::{Log, LogFormat};

    const ALL: [&str; 4] = [REQUEST, HTTP, ACCESS, TELEMETRY];

    /// Keeps what is written. The service's own writer sends a warning out at once.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The events that a filter lets through, of one event of each level and target.
    fn passing(filter: &str) -> Vec<String> {
        let lines = Lines::default();
        let writer = {
            let lines = lines.clone();
            move || lines.clone()
        };
        let settings = Log { level: filter.to_owned(), format: LogFormat::Json };
        tracing::subscriber::with_default(subscriber(&settings, writer).unwrap(), || {
            macro_rules! each {
                ($($target:ident)*) => {$(
                    tracing::debug!(target: $target, "debug");
                    tracing::info!(target: $target, "info");
                    tracing::warn!(target: $target, "warn");
                )*};
            }
            each!(REQUEST HTTP ACCESS TELEMETRY);
        });
        let events = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let events = events.lines().map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| event[field].as_str().unwrap().to_owned();
            format!("{} {}", text("target"), text("message"))
        });
        events.collect()
    }

    #[test]
    fn the_documented_filters_do_what_is_said_about_them() {
        assert_eq!(passing("info").len(), 8);
        let more: Vec<String> = passing("info,rollbook::http=debug");
        assert_eq!(more.len(), 9);
        assert!(more.contains(&"rollbook::http debug".to_owned()), "{more:?}");
        let fewer = passing("info,rollbook::request=warn");
        assert_eq!(fewer.len(), 7);
        assert!(!fewer.contains(&"rollbook::request info".to_owned()), "{fewer:?}");
    }

    #[test]
    fn every_target_that_the_documentation_names_is_one_of_these() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for page in ["docs/service-operation.md", "deploy/rollbook.toml"] {
            let text = std::fs::read_to_string(root.join(page)).unwrap();
            let named = text.match_indices("rollbook::").map(|(at, _)| &text[at..]);
            let named = named.map(|rest| {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                rest.split(|c| !is_name(c)).next().unwrap()
            });
            let named: Vec<&str> = named.collect();
            assert!(!named.is_empty(), "{page}");
            named.iter().for_each(|name| assert!(ALL.contains(name), "{page}: {name}"));
        }
    }
}
