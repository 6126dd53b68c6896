//! Progress of long work. Owns the bar on stderr, which is drawn only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use rollbook_migrations::monitor::Monitor;

use super::interrupt::{self, interrupted};
use crate::cli::error::CliError;

/// A progress bar on stderr; invisible where stderr is no terminal. It goes away when dropped.
pub struct Bar {
    bar: ProgressBar,
    progress: Box<dyn Fn(u64, u64) + Send + Sync>,
}

impl Bar {
    /// A bar that says what is done, and what is counted.
    pub fn new(what: &str, unit: &str) -> Self {
        let bar = ProgressBar::no_length().with_message(what.to_owned());
        // A template that does not parse would show the plain bar.
        if let Ok(style) = ProgressStyle::with_template(&format!(
            "{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit} {{eta}}"
        )) {
            bar.set_style(style);
        }
        let shown = bar.clone();
        let progress = move |done, of| {
            shown.set_length(of);
            shown.set_position(done);
        };
        Self { bar, progress: Box::new(progress) }
    }

    /// So many are done, of so many.
    pub fn set(&self, done: u64, of: u64) {
        (self.progress)(done, of);
    }

    /// As [`Bar::set`], saying what is being done.
    pub fn step(&self, what: &str, done: u64, of: u64) {
        if self.bar.message() != what {
            self.bar.set_message(what.to_owned());
        }
        self.set(done, of);
    }

    /// The bar and Ctrl-C, for work that asks between two commits whether to stop.
    pub fn watch(&self) -> Monitor<'_> {
        Monitor { progress: self.progress.as_ref(), interrupted: &interrupted }
    }

    /// The same where no caller can stop the work, as between two batches of folded events: there an interrupted process ends.
    /// What was folded is written with its checkpoint; the next command goes on behind it.
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

/// Runs a long step with a bar, stopping it at a boundary when somebody presses Ctrl-C.
pub(super) fn watched<R>(what: &str, unit: &str, run: impl FnOnce(&Monitor<'_>) -> R) -> R {
    interrupted();
    let bar = Bar::new(what, unit);
    run(&Monitor { progress: &|done, of| bar.set(done, of), interrupted: &interrupted })
}
