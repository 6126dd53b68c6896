//! The next step after an error, in terms of this command line: a command or an option. The layers
//! below name neither.
//!
//! Each enum has one function, an exhaustive match: a new error needs its hint here. `None` is
//! for an error whose message says everything, or where there is nothing to do but to read it.

use rollbook_application::backup::BackupError;
use rollbook_application::backup::erasure_ledger::LedgerError;
use rollbook_application::evidence::EvidenceError;
use rollbook_application::store::StoreError;
use rollbook_domain::control::{AcceptanceRejection, SwitchRejection};
use rollbook_domain::series::decide::Rejection;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_log::{AppendError, KeyringError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_projections::ProjectionError;

/// After an error of a store.
pub(crate) fn of_store(error: &StoreError) -> Option<String> {
    let text = match error {
        StoreError::Log(error) => return of_log(error),
        StoreError::Append(error) => return of_append(error),
        StoreError::Projection(error) => return of_projection(error),
        StoreError::Refused(refused) => return of_refused(refused),
        StoreError::Switch(refused) => return of_switch(refused),
        StoreError::Acceptance(refused) => return Some(of_acceptance(refused).to_owned()),
        StoreError::UnknownResponse(_) => {
            "`rollbook history` of its assignment shows the response's id"
        }
        StoreError::UnknownCorrection(_) => "`rollbook correct list` lists those that hold",
        StoreError::UnknownClient(_) => "`rollbook view legacy --all` lists every client document",
        StoreError::UnknownForm(_) | StoreError::UnknownCoach(_) => {
            "add it with `rollbook form put ID` or `rollbook coach put ID`, import an export that has it, or give --allow-unknown where the command takes it"
        }
        StoreError::NotAClient(_) => {
            "erase the clients with `rollbook erase --client ID`; an import without the documents of the coach removes those"
        }
        StoreError::UnknownSeries(_) => "`rollbook history client/<id>` lists what a client has",
        StoreError::UnfitDocument(_) => {
            "correct the document and put it again; nothing was written"
        }
        StoreError::IdentityTaken { client, .. } => {
            return Some(format!(
                "`rollbook history client/{client}` shows who that is; give this client another id or --auth-uid"
            ));
        }
        StoreError::Range(_) => "give the earlier position as --from and the later one as --to",
        StoreError::UnknownAssignment(_)
        | StoreError::NoSeries(_)
        | StoreError::Contended(_)
        | StoreError::UnknownId(_)
        | StoreError::AmbiguousDigest(_)
        | StoreError::Body(_) => return None,
    };
    Some(text.to_owned())
}

/// After an error of the log.
pub(crate) fn of_log(error: &LogError) -> Option<String> {
    match error {
        LogError::Missing { dir } => {
            Some(format!("rollbook --data {} import EXPORT_DIR", dir.display()))
        }
        LogError::Keyring(error) => of_keyring(error),
        _ => None,
    }
}

/// After an error of the keyring.
fn of_keyring(error: &KeyringError) -> Option<String> {
    let text = match error {
        KeyringError::WrongMasterKey { .. } => "name the right key with --master-key FILE",
        KeyringError::NoMasterKey { .. } => {
            "name it with --master-key FILE or ROLLBOOK_MASTER_KEY_FILE"
        }
        KeyringError::Outdated { .. } => {
            "`rollbook keyring repair` shows what the newest keyring had, and erases again what the log says was erased"
        }
        KeyringError::Unsealed => "`rollbook dump`, then `rollbook load` into a new store",
        _ => return None,
    };
    Some(text.to_owned())
}

/// After a commit that was not appended.
pub(crate) fn of_append(error: &AppendError) -> Option<String> {
    match error {
        AppendError::KeyReused { .. } => {
            Some("a new --key, or none, makes this a new request".to_owned())
        }
        AppendError::Storage(error) => of_log(error),
        _ => None,
    }
}

/// After an error of a projection.
pub(crate) fn of_projection(error: &ProjectionError) -> Option<String> {
    match error {
        ProjectionError::Log(error) => of_log(error),
        ProjectionError::Row { .. } | ProjectionError::TreeRow { .. } => {
            Some("`rollbook rebuild --all` builds the rows again from the log".to_owned())
        }
        ProjectionError::CutShort { .. } => Some("`rollbook verify` checks the log".to_owned()),
        _ => None,
    }
}

/// After a command on a series that a rule refuses.
pub(crate) fn of_refused(refused: &Rejection) -> Option<String> {
    let text = match refused {
        Rejection::NoSuchWeek { .. } => {
            "`rollbook history` of the series shows the weeks there are"
        }
        Rejection::Completed(_) => {
            "`rollbook history` shows the answer; `rollbook withdraw --assignment ID` sets the week back to pending"
        }
        Rejection::AlreadyMissed(_) => "`rollbook reopen ID` opens the week again",
        Rejection::NotOverdue { due, .. } => {
            let from = due.plus_milliseconds(OVERDUE_AFTER_MILLISECONDS);
            return Some(format!("it can be marked missed from {from} on"));
        }
        Rejection::NoComment => "say it with --comment",
        Rejection::ShortReason { .. } => "write a longer text",
        Rejection::TextTooLong { .. } => "write a shorter text",
        Rejection::TooDeep { .. } => "nest the value less deep",
        Rejection::OutOfRange { least, most, .. } => {
            return Some(format!("give a number from {least} to {most}"));
        }
        Rejection::ResponseNotHeld(_) => {
            "`rollbook correct adopt-response RESPONSE --week N` binds it to a week"
        }
        Rejection::ResponseHeld { .. } => {
            "`rollbook correct move-response RESPONSE --week N` moves it"
        }
        Rejection::ResponseWasCleared(_) => "`rollbook history` of the series shows who cleared it",
        Rejection::WeekHasResponse { .. } => {
            "move that response first, or clear it with `rollbook withdraw --assignment ID`"
        }
        Rejection::NotADocument { .. } => "`rollbook history ID` shows what an id names",
        Rejection::WeekHasDocument { .. } => {
            "choose a free week, or give the other document its own with `rollbook correct set-week`"
        }
        Rejection::OnlyBase { .. } => {
            "give week 1 to another document first, with `rollbook correct set-week`"
        }
        Rejection::LinkedToWeek { .. } => {
            "`rollbook correct move-response RESPONSE --week N` moves the response"
        }
        Rejection::NotHolding { .. } => "`rollbook correct list` lists those that hold",
        Rejection::LaterCorrection { .. } => {
            "undo the later one first with `rollbook correct undo`"
        }
        Rejection::ChangedSince { .. } => {
            "`rollbook history` of the week shows what changed; a new correction can follow it"
        }
        Rejection::NothingToPause(_) => "`rollbook view live --client ID` shows what is due",
        Rejection::NoPause => "`rollbook history` of the series shows its pauses",
        Rejection::StillOpen(_) => "`rollbook respond ID` answers it",
        Rejection::NoSuchResponse { .. } => {
            "`rollbook history` of the assignment shows its response"
        }
        Rejection::NoSuchAssignment { .. } => {
            "`rollbook history` of the assignment shows what became of it"
        }
        Rejection::NoSuchSeries(_) => "`rollbook assign` allocates the form",
        Rejection::OpenWeeks { .. } => {
            "`rollbook withdraw` withdraws the run, and `rollbook assign --extend` makes it longer"
        }
        Rejection::BadAnswers(_) => return None,
    };
    Some(text.to_owned())
}

/// After findings that are not accepted, or an acceptance that is not withdrawn.
fn of_acceptance(refused: &AcceptanceRejection) -> &'static str {
    match refused {
        AcceptanceRejection::NoReason => "say it with --reason",
        AcceptanceRejection::NoFinding => "name them, or give --check",
        AcceptanceRejection::UnknownCheck(_)
        | AcceptanceRejection::UnknownFinding(_)
        | AcceptanceRejection::Count { .. } => "`rollbook migrate findings` lists the findings",
        AcceptanceRejection::NotAccepted(_) => {
            "`rollbook migrate findings --state accepted` lists those that are accepted"
        }
    }
}

/// After a switch that the guard refuses.
pub(crate) fn of_switch(refused: &SwitchRejection) -> Option<String> {
    let text = match refused {
        SwitchRejection::NoReason => "say it with --reason",
        SwitchRejection::NotValidated | SwitchRejection::Stale { .. } => {
            "run `rollbook migrate validate`, or override with --force and a reason"
        }
        SwitchRejection::Unfinished(_) => "run `rollbook migrate apply` with the same file again",
        SwitchRejection::Red(_) => {
            "`rollbook migrate findings` lists what was found: correct it, or accept it with `rollbook migrate accept`, and validate again; --force, with a reason, overrides the whole guard"
        }
        SwitchRejection::Percent(_) | SwitchRejection::Retired => return None,
    };
    Some(text.to_owned())
}

/// After a batch that was not planned, read, applied or validated.
pub(crate) fn of_migration(error: &MigrationError) -> Option<String> {
    let text = match error {
        MigrationError::Log(error) => return of_log(error),
        MigrationError::Append(error) => return of_append(error),
        MigrationError::Projection(error) => return of_projection(error),
        MigrationError::File { .. } => return None,
        MigrationError::Exists { .. } => "give another name with --out, or move it away",
        MigrationError::Line { .. }
        | MigrationError::Count { .. }
        | MigrationError::Digest { .. } => "fetch the file again, or plan again",
        MigrationError::NothingToMigrate { .. } => return None,
        MigrationError::Version { .. } => "use a newer rollbook",
        MigrationError::Rules { .. } => "`rollbook verify` checks the log",
        MigrationError::Kind { .. } => "use the rollbook that planned it",
        MigrationError::Drift { .. } => {
            "plan again on this store, compare with `rollbook migrate show`, and apply the new file"
        }
        MigrationError::Zone { .. } => "plan again on this store",
        MigrationError::ImportZone { .. } => {
            "leave --legacy-timezone out, or import into a new store"
        }
        MigrationError::OlderExport { .. } => {
            "import the newest export; --allow-older goes back to this one"
        }
        MigrationError::Removals { .. } => {
            "--dry-run lists them; --allow-removals imports the export and removes them"
        }
        MigrationError::Unfinished { .. } => "apply its file again first",
        MigrationError::NoSeriesOf { .. } => "--client takes the document ids of clients",
        MigrationError::NoSuchBatch { .. } => "`rollbook status` lists the applied batches",
        MigrationError::NoInverse { .. } => {
            "`rollbook switch legacy` takes back what a migration that adds weeks shows"
        }
        MigrationError::NothingImported => "run `rollbook import EXPORT_DIR` first",
        MigrationError::Interrupted => "the same command resumes",
    };
    Some(text.to_owned())
}

/// After a backup that was not taken, is not good, or was not restored.
pub(crate) fn of_backup(error: &BackupError) -> Option<String> {
    let text = match error {
        BackupError::Log(error) => return of_log(error),
        BackupError::Projection(error) => return of_projection(error),
        BackupError::Forget(error) => return of_ledger(error),
        BackupError::Ledger(error) => return of_ledger(error),
        BackupError::Unknown { .. } => {
            "`rollbook backup list` shows those there are, --from names another directory"
        }
        BackupError::NameTaken { .. } => "give another --name",
        BackupError::UnsoundStore(_) => "run `rollbook verify`, and restore the latest good backup",
        BackupError::File { .. }
        | BackupError::Name { .. }
        | BackupError::Busy { .. }
        | BackupError::Newer { .. }
        | BackupError::Damaged { .. }
        | BackupError::Differs { .. }
        | BackupError::NotRecorded { .. } => return None,
    };
    Some(text.to_owned())
}

fn of_ledger(error: &LedgerError) -> Option<String> {
    match error {
        LedgerError::Store(error) => of_store(error),
        LedgerError::File { .. } => None,
    }
}

/// After a checkpoint, proof or certificate that was not made or does not verify.
pub(crate) fn of_evidence(error: &EvidenceError) -> Option<String> {
    let text = match error {
        EvidenceError::Store(error) => return of_store(error),
        EvidenceError::KeyGone { .. } => "name it with --signing-key",
        EvidenceError::OtherKey { .. } => "name the right key with --signing-key",
        EvidenceError::NoKeyYet => "`rollbook checkpoint` makes one",
        EvidenceError::Contradicted { .. } => "run `rollbook verify`",
        EvidenceError::NotApplied => "run `rollbook migrate apply`",
        EvidenceError::NotValidated => "run `rollbook migrate validate`",
        EvidenceError::NotPlanned => "run `rollbook verify`",
        EvidenceError::Proof(_)
        | EvidenceError::File { .. }
        | EvidenceError::NoKey { .. }
        | EvidenceError::OpenKey { .. }
        | EvidenceError::Refused { .. }
        | EvidenceError::Certificate(_)
        | EvidenceError::CertificateRefused { .. }
        | EvidenceError::TwoBatches { .. }
        | EvidenceError::NoProof { .. }
        | EvidenceError::NoEvent { .. } => return None,
    };
    Some(text.to_owned())
}
