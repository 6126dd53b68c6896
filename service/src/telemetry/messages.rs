//! The service's own messages: as text for people or as one JSON object a line, on stderr. Owns their form and how they get out:
//! together, ten times a second, and at once from a warning on, because a write for each request would cost more than the request.

use std::fmt::{self, Debug};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultFields, DefaultVisitor, FormatFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;

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
        thread::Builder::new()
            .name("rollbook-messages".to_owned())
            .spawn(write_out)
            .map_err(TelemetryError::Thread)?;
        Ok(lines)
    }

    /// What waits to be written.
    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
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

/// When a message was said: RFC 3339 in UTC, in milliseconds.
struct Now;

impl FormatTime for Now {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Fields as the library writes them, and where no colours are wanted, in half of its time: there is a line for each request.
struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        if writer.has_ansi_escapes() {
            return DefaultFields::new().format_fields(writer, fields);
        }
        let mut plain = Plain { writer, is_first: true, written: Ok(()) };
        fields.record(&mut plain);
        plain.written
    }
}

/// Writes texts that need no escapes, and numbers, by itself.
struct Plain<'w> {
    writer: Writer<'w>,
    is_first: bool,
    written: fmt::Result,
}

impl Plain<'_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.written.is_ok() {
            let separated = if self.is_first { Ok(()) } else { self.writer.write_char(' ') };
            let named = separated
                .and_then(|()| self.writer.write_str(field.name()))
                .and_then(|()| self.writer.write_char('='));
            self.written = named.and_then(|()| value(&mut self.writer));
            self.is_first = false;
        }
    }

    fn as_the_library_does(&mut self, record: impl FnOnce(&mut DefaultVisitor<'_>)) {
        if self.written.is_ok() {
            let mut visitor = DefaultVisitor::new(self.writer.by_ref(), self.is_first);
            record(&mut visitor);
            self.written = visitor.finish();
            self.is_first = false;
        }
    }
}

impl Visit for Plain<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let needs_no_escape =
            value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        if needs_no_escape && field.name() != MESSAGE {
            self.write(field, |writer| {
                writer.write_char('"')?;
                writer.write_str(value)?;
                writer.write_char('"')
            });
        } else {
            self.as_the_library_does(|visitor| visitor.record_str(field, value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |writer| write!(writer, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, |writer| write!(writer, "{value:?}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.as_the_library_does(|visitor| visitor.record_debug(field, value));
    }
}

/// The field that is the message itself.
const MESSAGE: &str = "message";

/// Where messages go, in the form that is configured.
///
/// # Errors
/// [`TelemetryError::Filter`].
pub(super) fn subscriber<W>(
    settings: &Log,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter: EnvFilter = settings.level.parse()?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_timer(Now);
    Ok(match settings.format {
        LogFormat::Human => Box::new(
            builder
                .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
                .fmt_fields(Fields)
                .finish(),
        ),
        LogFormat::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .finish(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a subscriber writes of some messages, line by line, without the time.
    fn written(format: impl FnOnce(Lines) -> Box<dyn Subscriber + Send + Sync>) -> Vec<String> {
        let lines = Lines::default();
        tracing::subscriber::with_default(format(lines.clone()), || {
            let (text, nothing) = ("plain", None::<&str>);
            tracing::info!(
                text,
                nothing,
                number = 42_u64,
                below = -1,
                fraction = 0.000_25,
                whole = 2.0,
                is = true,
                "several"
            );
            tracing::info!(quoted = "a \"b\" \\ c\n\u{1b}[0m", accented = "é", shown = %"a b", debugged = ?Some("x"), r#type = "t", "escapes \u{1b}[0m");
            tracing::info!(target: "elsewhere", "{} arguments", 2);
            tracing::info!(message = "a text as the message", after = "it");
            tracing::info!(only = "a field");
        });
        lines.text().lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn fields_are_written_as_the_library_writes_them() {
        let settings = Log { level: "trace".to_owned(), format: LogFormat::Human };
        let ours = written(|lines| subscriber(&settings, lines).unwrap());
        let theirs = written(|lines| {
            Box::new(tracing_subscriber::fmt().with_ansi(false).with_writer(lines).finish())
        });
        assert_eq!(ours.len(), 5);
        assert_eq!(ours, theirs);
    }

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
