//! What the service tells of itself: messages, figures, traces. Owns how they are started and ended; `messages` has the form of the
//! log, `metrics` every figure, `figures` those that are looked up, `traces` the way to a collector, `request` for whom work is done.
//!
//! **Invariant: nothing personal, no token and no body is told.** Messages and labels hold ids of requests, templates of routes, codes,
//! and errors of this program; what a caller sent is none of these.

pub mod figures;
mod messages;
pub mod metrics;
pub mod request;
pub mod targets;
mod traces;

use std::panic;
use std::sync::Arc;

pub use metrics::{Metrics, RequestLabels, Route};
pub use traces::{RequestSpan, Traces};

use crate::configuration::Settings;

/// Why the service cannot tell of itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter of messages.
    #[error("log.level is no filter; write info, or directives such as info,rollbook::http=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter of traces.
    #[error("traces cannot be sent; check telemetry.endpoint and telemetry.headers")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The thread that writes messages out.
    #[error(
        "cannot start the thread that writes messages; raise the limit of threads, then run again"
    )]
    Thread(#[source] std::io::Error),
}

/// The running telemetry. Ends with [`Telemetry::end`].
#[derive(Debug)]
pub struct Telemetry {
    /// The service's figures.
    pub metrics: Arc<Metrics>,
    /// Where traces go, if anywhere.
    pub traces: Option<Arc<Traces>>,
    lines: messages::Lines,
}

impl Telemetry {
    /// Starts messages, figures and traces for this process, as configured.
    ///
    /// # Errors
    /// When the settings make no sense, or a thread cannot be started.
    pub fn start(settings: &Settings) -> Result<Self, TelemetryError> {
        let lines = messages::Lines::start()?;
        // In tests one process starts several services: the first one's messages serve all.
        let _already = tracing::subscriber::set_global_default(messages::subscriber(
            &settings.log,
            lines.clone(),
        )?);
        let metrics = Arc::new(Metrics::default());
        tell_of_panics(metrics.clone());
        let traces = Traces::new(&settings.telemetry)?.map(Arc::new);
        Ok(Self { metrics, traces, lines })
    }

    /// Figures alone, for tests inside this crate: nothing of the process is changed.
    #[cfg(test)]
    pub(crate) fn quiet() -> Self {
        Self { metrics: Arc::default(), traces: None, lines: messages::Lines::default() }
    }

    /// Writes and sends what waits.
    pub fn end(&self) {
        self.traces.iter().for_each(|traces| traces.end());
        self.lines.flush();
    }
}

/// A panic's message may hold what a caller sent: the place is told, and nothing else.
fn tell_of_panics(metrics: Arc<Metrics>) {
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
