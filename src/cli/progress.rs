//! Progress of long work. Owns the bar on stderr, which is drawn only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt::{self, interrupted};
use crate::error::StoreError;

/// A progress bar on stderr; invisible where stderr is no terminal. It goes away when dropped.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar that says what is done, and what is counted.
    pub fn new(what: &str, unit: &str) -> Self {
        let bar = ProgressBar::no_length().with_message(what.to_owned());
        // A template that does not parse would show the plain bar.
        if let Ok(style) = ProgressStyle::with_template(&format!("{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit} {{eta}}")) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// So many are done, of so many.
    pub fn set(&self, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
    }

    /// The same between two batches of folded events, where no caller can stop the fold: there an interrupted process ends.
    /// The batch and its checkpoint are written; the next command goes on behind it.
    pub fn fold_progress(&self, done: u64, of: u64) {
        self.set(done, of);
        if interrupted() {
            self.bar.finish_and_clear();
            super::output::print_error(&StoreError::Interrupted);
            std::process::exit(i32::from(interrupt::EXIT_CODE));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
