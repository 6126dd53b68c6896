//! Telemetry: log, metrics and traces, and how they are started and ended. `logging` has the form
//! of the log, `log_writer` its output and `targets` its targets; `metrics` defines every metric
//! and `store_metrics` reads those that are looked up; `traces` exports spans; `request` knows
//! which request a piece of work is for.
//!
//! **Invariant: no personal data, no token and no body is logged.** Log lines and labels hold request
//! ids, route templates, codes and this program's own errors, but nothing else that a caller sent.

mod log_writer;
mod logging;
pub mod metrics;
pub mod request;
pub mod store_metrics;
pub mod targets;
mod traces;

use std::panic;
use std::sync::Arc;

pub use metrics::{Metrics, RequestLabels, Route};
pub use traces::{RequestSpan, Traces};

use crate::configuration::Settings;

/// Why telemetry cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter of the log.
    #[error(
        "log.level is not a filter; write info, or directives such as info,rollbook::http=debug"
    )]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter of traces.
    #[error("traces cannot be sent; check telemetry.endpoint and telemetry.headers")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The thread that writes the log.
    #[error(
        "cannot start the thread that writes messages; raise the limit of threads, then run again"
    )]
    Thread(#[source] std::io::Error),
}

/// The running telemetry. Ends with [`Telemetry::end`].
#[derive(Debug)]
pub struct Telemetry {
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Where traces go, if anywhere.
    pub traces: Option<Arc<Traces>>,
    log: log_writer::LogWriter,
}

impl Telemetry {
    /// Starts log, metrics and traces for this process, as configured.
    ///
    /// # Errors
    /// If the settings make no sense, or a thread cannot be started.
    pub fn start(settings: &Settings) -> Result<Self, TelemetryError> {
        let log = log_writer::LogWriter::start()?;
        // In tests one process starts several services, which share the first one's log.
        let _already = tracing::subscriber::set_global_default(logging::subscriber(
            &settings.log,
            log.clone(),
        )?);
        let metrics = Arc::new(Metrics::default());
        record_panics(metrics.clone());
        let traces = Traces::new(&settings.telemetry)?.map(Arc::new);
        Ok(Self { metrics, traces, log })
    }

    /// Metrics only, for tests inside this crate: the process is not changed.
    #[cfg(test)]
    pub(crate) fn quiet() -> Self {
        Self { metrics: Arc::default(), traces: None, log: log_writer::LogWriter::default() }
    }

    /// Writes and sends what is buffered.
    pub fn end(&self) {
        self.traces.iter().for_each(|traces| traces.end());
        self.log.flush();
    }
}

/// Logs the place of a panic, but not its message, which may hold what a caller sent.
fn record_panics(metrics: Arc<Metrics>) {
    panic::set_hook(Box::new(move |panicked| {
        metrics.panic();
        let place = panicked.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            target: targets::TELEMETRY,
            request_id = request::request_id_text(),
            place,
            "a mistake in the service itself; report it with this place"
        );
    }));
}
