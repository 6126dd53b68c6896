//! The form of the service's log: text for people, or one JSON object per line. `log_writer` writes
//! the lines.

use std::fmt::{self, Debug};
use std::io;

use rollbook_domain::Timestamp;
use rollbook_log::system_clock;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultFields, DefaultVisitor, FormatFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;

use super::TelemetryError;
use crate::configuration::{Log, LogFormat};

/// The time of an event: RFC 3339 in UTC, in milliseconds.
struct Now;

impl FormatTime for Now {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = system_clock();
        let milliseconds = now.nanoseconds() / 1_000_000;
        let now = Timestamp::from_parts(now.seconds(), milliseconds * 1_000_000).unwrap_or(now);
        write!(writer, "{now}")
    }
}

/// Writes fields exactly as the library does; without colours, in half of its time, because there
/// is a line for each request.
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

/// Writes numbers and texts without escapes itself, and leaves the rest to the library.
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

/// The subscriber that writes events in the configured form.
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
    use super::super::log_writer::LogWriter;
    use super::*;

    /// What a subscriber writes for some events, line by line, without the time.
    fn written(format: impl FnOnce(LogWriter) -> Box<dyn Subscriber + Send + Sync>) -> Vec<String> {
        let lines = LogWriter::default();
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
}
