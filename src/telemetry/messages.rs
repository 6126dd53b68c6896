//! The service's own messages: as text for people or as one JSON object a line, on stderr. Owns their form and how they get out:
//! together, ten times a second, and at once from a warning on, because a write for each request would cost more than the request.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::ChronoUtc;

use super::TelemetryError;
use crate::configuration::{Log, LogFormat};

/// How long a message below a warning may wait.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How many bytes may wait.
const WAITING_BYTES: usize = 1 << 16;

/// Lines on their way to stderr. Clones are handles of the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Starts the thread that writes them out.
    pub(super) fn start() -> Result<Self, TelemetryError> {
        let lines = Self::default();
        let waiting = Arc::downgrade(&lines.0);
        let write_out = move || {
            while let Some(held) = waiting.upgrade() {
                Lines(held).flush();
                thread::sleep(FLUSH_INTERVAL);
            }
        };
        thread::Builder::new().name("rollbook-messages".to_owned()).spawn(write_out).map_err(TelemetryError::Thread)?;
        Ok(lines)
    }

    /// Writes out what waits.
    pub(super) fn flush(&self) {
        // Held while writing: lines stay in their order. Who panicked here has left whole lines.
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.is_empty() {
            // Who cannot read stderr cannot be told anything.
            let _unheard = io::stderr().lock().write_all(&waiting);
            waiting.clear();
        }
    }
}

/// One message being written.
pub(super) struct Line<'l> {
    lines: &'l Lines,
    urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend_from_slice(bytes);
        self.urgent |= waiting.len() >= WAITING_BYTES;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.urgent {
            self.lines.flush();
        }
    }
}

impl<'l> MakeWriter<'l> for Lines {
    type Writer = Line<'l>;

    fn make_writer(&'l self) -> Line<'l> {
        Line { lines: self, urgent: false }
    }

    fn make_writer_for(&'l self, about: &Metadata<'_>) -> Line<'l> {
        Line { lines: self, urgent: *about.level() <= Level::WARN }
    }
}

/// Where messages go, in the form that is configured.
///
/// # Errors
/// [`TelemetryError::Filter`].
pub(super) fn subscriber<W>(settings: &Log, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter: EnvFilter = settings.level.parse()?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_timer(ChronoUtc::rfc_3339());
    Ok(match settings.format {
        LogFormat::Human => Box::new(builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).with_current_span(true).with_span_list(false).finish()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wait_and_a_warning_takes_them_along() {
        let lines = Lines::default();
        let held = || lines.0.lock().unwrap().len();
        lines.make_writer().write_all(b"a\n").unwrap();
        assert_eq!(held(), 2);
        lines.make_writer().write_all(&vec![b'.'; WAITING_BYTES]).unwrap();
        assert_eq!(held(), 0);
    }
}
