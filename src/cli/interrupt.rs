//! Ctrl-C. Owns the flag that long steps look at between two commits; a step that never looks is ended by the signal at once,
//! which no store minds.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::error::CliError;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static WATCHING: Once = Once::new();

/// The exit code of an interrupted command: 128 and the number of SIGINT.
pub(crate) const EXIT_CODE: u8 = 130;

/// Whether somebody pressed Ctrl-C, or asked the process to end, since the first call of this function.
///
/// The first call begins to watch: from then on the first signal only sets the flag, and a second one ends the process at
/// once. So call it before a long step and at every boundary where the step can stop; then return
/// [`CliError::Interrupted`].
pub fn interrupted() -> bool {
    WATCHING.call_once(|| {
        let watched = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                process::exit(i32::from(EXIT_CODE));
            }
        });
        // Without a handler the signal ends the process as it always does.
        drop(watched);
    });
    INTERRUPTED.load(Ordering::SeqCst)
}

/// [`interrupted`] as an error, for `?`.
///
/// # Errors
/// [`CliError::Interrupted`].
pub(crate) fn check() -> Result<(), CliError> {
    if interrupted() { Err(CliError::Interrupted) } else { Ok(()) }
}
