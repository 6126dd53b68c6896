//! Writes log lines to stderr. Lines below a warning are buffered and written ten times a second,
//! because a write for each request would cost more than the request. A warning is written at once,
//! together with everything before it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::TelemetryError;

/// How long a line below a warning may be buffered.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How many bytes may be buffered.
const WAITING_BYTES: usize = 1 << 16;

/// Buffered lines. Clones share the buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct LogWriter(Arc<Mutex<Vec<u8>>>);

impl LogWriter {
    /// Starts the thread that writes the lines.
    pub(super) fn start() -> Result<Self, TelemetryError> {
        let lines = Self::default();
        let waiting = Arc::downgrade(&lines.0);
        let write_out = move || {
            while let Some(held) = waiting.upgrade() {
                LogWriter(held).flush();
                thread::sleep(FLUSH_INTERVAL);
            }
        };
        thread::Builder::new()
            .name("rollbook-messages".to_owned())
            .spawn(write_out)
            .map_err(TelemetryError::Thread)?;
        Ok(lines)
    }

    /// The buffered lines.
    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Writes the buffered lines.
    pub(super) fn flush(&self) {
        // Locked while writing, to keep the lines in order. A panic in here leaves complete lines.
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.is_empty() {
            // There is nowhere to report that stderr cannot be written.
            let _unwritten = io::stderr().lock().write_all(&waiting);
            waiting.clear();
        }
    }
}

/// A line being written.
pub(super) struct LogLine<'l> {
    lines: &'l LogWriter,
    urgent: bool,
}

impl Write for LogLine<'_> {
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

impl Drop for LogLine<'_> {
    fn drop(&mut self) {
        if self.urgent {
            self.lines.flush();
        }
    }
}

impl<'l> MakeWriter<'l> for LogWriter {
    type Writer = LogLine<'l>;

    fn make_writer(&'l self) -> LogLine<'l> {
        LogLine { lines: self, urgent: false }
    }

    fn make_writer_for(&'l self, about: &Metadata<'_>) -> LogLine<'l> {
        LogLine { lines: self, urgent: *about.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_buffered_until_there_are_too_many() {
        let lines = LogWriter::default();
        let held = || lines.0.lock().unwrap().len();
        lines.make_writer().write_all(b"a\n").unwrap();
        assert_eq!(held(), 2);
        lines.make_writer().write_all(&vec![b'.'; WAITING_BYTES]).unwrap();
        assert_eq!(held(), 0);
    }
}
