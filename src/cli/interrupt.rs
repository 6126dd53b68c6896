//! Ctrl-C and SIGTERM: a flag that long operations check between two commits. An operation that
//! never checks it ends at once, which is safe for every store.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::error::CliError;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INSTALL_HANDLER: Once = Once::new();

/// The exit code of an interrupted command: 128 + SIGINT.
pub(crate) const EXIT_CODE: u8 = 130;

/// Whether SIGINT or SIGTERM arrived since the first call of this function.
///
/// The first call installs the handler. The first signal then only sets the flag; a second one ends
/// the process at once. Call it before a long operation and wherever the operation can stop; then
/// return [`CliError::Interrupted`].
pub fn interrupted() -> bool {
    INSTALL_HANDLER.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                process::exit(i32::from(EXIT_CODE));
            }
        });
        // If this fails, the signal ends the process, as it does by default.
        drop(installed);
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
