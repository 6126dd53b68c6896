//! Codes and exit codes of the command line's errors, compared with the manual.

use std::collections::BTreeMap;
use std::io::Error;

use rollbook_application::backup::erasure_ledger::LedgerError;
use strum::IntoEnumIterator;

use super::*;

/// The exit code of each code in docs/errors.md.
fn manual() -> BTreeMap<&'static str, u8> {
    let row = |line: &'static str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let code = cells.next()?.trim_end_matches('`');
        Some((code, cells.next()?.parse().ok()?))
    };
    include_str!("../../../docs/errors.md").lines().filter_map(row).collect()
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "gone")
}

fn existing() -> LogError {
    LogError::Exists { path: "x".into() }
}

fn text() -> String {
    "x".to_owned()
}

/// An error from every boundary, with its code.
fn errors() -> Vec<(CliError, Code)> {
    vec![
        (StoreError::UnknownClient(text()).into(), Code::UnknownId),
        (LogError::Missing { dir: "x".into() }.into(), Code::NoStore),
        (Rejection::NoPause.into(), Code::NoPause),
        (SwitchRejection::NotValidated.into(), Code::SwitchRefused),
        (MigrationError::NothingImported.into(), Code::NothingImported),
        (ImportError::NotADirectory { path: "x".into() }.into(), Code::Import),
        (ExportError::NotADirectory { path: "x".into() }.into(), Code::Export),
        (ProofError::NotCanonical.into(), Code::ProofRefused),
        (
            ConfigurationError::Unreadable { path: "x".into(), source: gone() }.into(),
            Code::Configuration,
        ),
        (DumpError::Empty.into(), Code::Empty),
        (
            BackupError::Forget(Box::new(LedgerError::File { path: "x".into(), source: gone() }))
                .into(),
            Code::Erasures,
        ),
        (EvidenceError::OpenKey { path: "x".into() }.into(), Code::Key),
        (AccessError::NameTaken(text()).into(), Code::NameTaken),
        (TelemetryError::Thread(gone()).into(), Code::Telemetry),
        (RemoteError::Url(text()).into(), Code::Usage),
        (
            VerifyError::Damaged { position: None, read: 0, head: 0, findings: Vec::new() }.into(),
            Code::Damaged,
        ),
        (VerifyError::UnfinishedErasure { clients: vec![text()] }.into(), Code::ErasureUnfinished),
        (CliError::Output(gone()), Code::Output),
        (CliError::system("start")(gone()), Code::System),
        (CliError::Input { path: "x".into(), source: gone() }, Code::Input),
        (CliError::Usage(text()), Code::Usage),
        (CliError::NotIdentical { projections: text(), digests: Vec::new() }, Code::NotIdentical),
        (CliError::DirectoryExists("x".into()), Code::Exists),
        (CliError::ValidationRed { green: 11, total: 12 }, Code::ValidationRed),
        (CliError::Unexplained(1), Code::Unexplained),
        (CliError::NotServed(text()), Code::NotServed),
        (CliError::Listen { address: ([127, 0, 0, 1], 1).into(), source: gone() }, Code::Listen),
        (CliError::Interrupted, Code::Interrupted),
    ]
}

#[test]
fn each_error_has_its_code_and_the_exit_code_of_the_manual() {
    let manual = manual();
    for (error, code) in errors() {
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(error.exit_code(), code.exit() as u8, "{error:?}");
        assert_eq!(Some(&error.exit_code()), manual.get(code.name()), "{error:?}");
    }
}

#[test]
fn a_refusal_by_a_service_has_the_exit_code_of_its_code() {
    let manual = manual();
    assert_eq!(manual.len(), Code::iter().count());
    for code in Code::iter() {
        let body = format!(r#"{{"code":"{code}","detail":"x"}}"#);
        let error = CliError::from(RemoteError::of_problem("http://127.0.0.1:1", 400, &body));
        assert_eq!(error.code(), code);
        assert_eq!(Some(&error.exit_code()), manual.get(code.name()), "{code}");
    }
}

#[test]
fn a_file_that_would_be_overwritten_is_a_refusal() {
    let errors = [
        CliError::FileExists("x".into()),
        DumpError::Log(existing()).into(),
        BackupError::Log(existing()).into(),
    ];
    for error in errors {
        assert_eq!((error.code(), error.exit_code()), (Code::Exists, 3), "{error:?}");
    }
    assert_eq!(CliError::from(existing()).exit_code(), 1);
}

#[test]
fn a_few_errors_exit_otherwise_than_their_code() {
    let week = Rejection::NoSuchResponse { series: text(), response: text() };
    let errors = [
        (CliError::from(week), Code::UnknownId, 3),
        (StoreError::NoSeries(text()).into(), Code::UnknownId, 2),
        (EvidenceError::NoKeyYet.into(), Code::Key, 1),
    ];
    for (error, code, exit) in errors {
        assert_eq!((error.code(), error.exit_code()), (code, exit), "{error:?}");
    }
}

#[test]
fn causes_are_the_chain_of_sources_without_repetitions() {
    let error = CliError::from(LogError::File { doing: "read", path: "x".into(), source: gone() });
    assert_eq!(error.causes(), ["gone"]);
    assert_eq!(error.code(), Code::Store);
}
