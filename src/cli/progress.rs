//! The progress bar on stderr. It is drawn only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use rollbook_migrations::monitor::Monitor;

use super::interrupt::{self, interrupted};
use crate::cli::error::CliError;

/// A progress bar on stderr, hidden if stderr is not a terminal. Dropping it clears the line.
pub struct Bar {
    bar: ProgressBar,
    progress: Box<dyn Fn(u64, u64) + Send + Sync>,
}

impl Bar {
    /// A bar with a label and the unit of its counts.
    pub fn new(what: &str, unit: &str) -> Self {
        let bar = ProgressBar::no_length().with_message(what.to_owned());
        // Without the style the bar has the default look.
        if let Ok(style) = ProgressStyle::with_template(&format!(
            "{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit} {{eta}}"
        )) {
            bar.set_style(style);
        }
        let clone = bar.clone();
        let progress = move |done, of| {
            clone.set_length(of);
            clone.set_position(done);
        };
        Self { bar, progress: Box::new(progress) }
    }

    /// Sets the count and the total.
    pub fn set(&self, done: u64, of: u64) {
        (self.progress)(done, of);
    }

    /// Sets the label, the count and the total.
    pub fn step(&self, what: &str, done: u64, of: u64) {
        if self.bar.message() != what {
            self.bar.set_message(what.to_owned());
        }
        self.set(done, of);
    }

    /// Progress and Ctrl-C for work that can stop between two commits.
    pub fn watch(&self) -> Monitor<'_> {
        Monitor { progress: self.progress.as_ref(), interrupted: &interrupted }
    }

    /// Progress for folding, which has no way to stop early: Ctrl-C ends the process between two
    /// batches. Each batch is written with its checkpoint, so the next command resumes after it.
    pub fn fold_progress(&self, done: u64, of: u64) {
        self.set(done, of);
        if interrupted() {
            self.bar.finish_and_clear();
            super::output::print_error(&CliError::Interrupted);
            std::process::exit(i32::from(interrupt::EXIT_CODE));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Runs a long operation with a bar. Ctrl-C stops it between two commits.
pub(super) fn watched<R>(what: &str, unit: &str, run: impl FnOnce(&Monitor<'_>) -> R) -> R {
    interrupted();
    let bar = Bar::new(what, unit);
    run(&Monitor { progress: &|done, of| bar.set(done, of), interrupted: &interrupted })
}
