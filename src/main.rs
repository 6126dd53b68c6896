//! The binary `rollbook`: hands the command line to the application and its outcome to the shell.

fn main() -> std::process::ExitCode {
    rollbook::cli::main()
}
