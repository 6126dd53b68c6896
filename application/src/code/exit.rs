//! The exit codes of commands.

/// The exit code of a command that ends with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something failed.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// A rule forbids the request.
    Refused = 3,
    /// A signal interrupted the command: 128 and the number of SIGINT.
    Interrupted = 130,
}
