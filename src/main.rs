//! The binary `rollbook`: runs the command line and returns its exit code.

use rustix::process::{Resource, getrlimit, setrlimit};

fn main() -> std::process::ExitCode {
    raise_open_file_limit();
    rollbook::cli::main()
}

/// Lets this process open as many files as the system allows it. A store with many table files and
/// a service with many connections need more than the usual 1,024.
fn raise_open_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If the system refuses, the old limit holds: opening a store checks it.
    let _ = setrlimit(Resource::Nofile, limit);
}
