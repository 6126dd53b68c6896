//! The output of a command on stdout and stderr: text with colours on a terminal and without them
//! elsewhere, JSON, and the form of errors.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use rollbook_application::code::Coded;
use serde::Serialize;
use serde_json::json;

use crate::cli::error::CliError;

/// Headings and important values.
pub(crate) const BOLD: Style = Style::new().bold();
/// A good state.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// A bad state.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Details.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// `text` in a style. Printing removes the style if the output is not a terminal.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Where a command's results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Text, or JSON.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether `--json` was given.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints text, colours only on a terminal.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn text(self, text: &str) -> Result<(), CliError> {
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Output)
    }

    /// Prints one JSON value and a newline.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn json(self, value: &impl Serialize) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(value).map_err(|error| CliError::Output(error.into()))?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        out.write_all(&line).and_then(|()| out.flush()).map_err(CliError::Output)
    }

    /// Prints JSON with `--json`, text without.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn either(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.json { self.json(value) } else { self.text(&text()) }
    }

    /// Stdout for many lines without colours. Flush it in the end.
    pub fn lines(self) -> BufWriter<StdoutLock<'static>> {
        BufWriter::with_capacity(1 << 16, io::stdout().lock())
    }

    /// Stdout for many lines of text, colours only on a terminal. Flush it in the end.
    pub fn coloured_lines(self) -> BufWriter<anstream::AutoStream<StdoutLock<'static>>> {
        BufWriter::new(anstream::stdout().lock())
    }

    /// Prints an error on stderr; with `--json` also as a JSON object on the last line.
    pub fn report(self, error: &CliError) {
        print_error(error);
        if self.json {
            print_json_error(error.code().name(), &error.to_string(), &error.causes());
        }
    }
}

/// Prints `error: …`, the causes and the next step. A closed stderr is ignored.
pub(crate) fn print_error(error: &CliError) {
    let mut err = anstream::stderr().lock();
    let mut text = format!("{} {error}\n", styled(BAD, "error:"));
    for cause in error.causes() {
        text.push_str(&format!("  {} {cause}\n", styled(FAINT, "because:")));
    }
    if let Some(next) = error.next_step() {
        text.push_str(&format!("  {} {next}\n", styled(BOLD, "next:")));
    }
    let _unwritable = err.write_all(text.as_bytes());
}

/// Prints a note on stderr. A closed stderr is ignored.
pub(crate) fn notice(text: &str) {
    let _unwritable = writeln!(anstream::stderr().lock(), "{} {text}", styled(BOLD, "note:"));
}

fn print_json_error(code: &str, message: &str, causes: &[String]) {
    let object = json!({"error": {"code": code, "message": message, "causes": causes}});
    let _unwritable = writeln!(io::stderr().lock(), "{object}");
}

/// Prints the text of clap: help and version on stdout, a usage error on stderr.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _unwritable = error.print();
    let wants_json = std::env::args_os().skip(1).any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default();
        print_json_error("usage", message.strip_prefix("error: ").unwrap_or(message), &[]);
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
