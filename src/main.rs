//! The binary `rollbook`: runs the command line and returns its exit code.

fn main() -> std::process::ExitCode {
    rollbook::cli::main()
}
