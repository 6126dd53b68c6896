//! The next step after a refusal, in the terms of this service: an endpoint, a field or a header.
//! The layers below name none of these.
//!
//! Each enum has one function with an exhaustive match, so a new error needs its hint here. `None`
//! means that the message is complete, that only the operator can act, or that the error is a
//! failure, which is not described to callers.

use rollbook_application::backup::BackupError;
use rollbook_application::evidence::EvidenceError;
use rollbook_application::store::StoreError;
use rollbook_domain::control::{AcceptanceRejection, SwitchRejection};
use rollbook_domain::series::decide::Rejection;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_log::AppendError;
use rollbook_migrations::MigrationError;
use rollbook_migrations::export_reader::ImportError;

/// After an error of a store.
pub(super) fn of_store(error: &StoreError) -> Option<String> {
    let text = match error {
        StoreError::Append(error) => return of_append(error),
        StoreError::Refused(refused) => return of_refused(refused),
        StoreError::Switch(refused) => return of_switch(refused),
        StoreError::Acceptance(refused) => return Some(of_acceptance(refused).to_owned()),
        StoreError::UnknownResponse(_) => {
            "GET /v1/history/{id} of its assignment shows the response's id"
        }
        StoreError::UnknownCorrection(_) => "GET /v1/corrections lists those that hold",
        StoreError::UnknownClient(_) => "GET /v1/check-ins lists every client document",
        StoreError::UnknownForm(_) | StoreError::UnknownCoach(_) => {
            "PUT /v1/forms/{id} or /v1/coaches/{id} adds it, and so does an import"
        }
        StoreError::IdentityTaken { client, .. } => {
            return Some(format!(
                "GET /v1/clients/{{id}} of {client} shows who that is; give this client another id or authUid"
            ));
        }
        StoreError::UnknownSeries(_) => "GET /v1/history/client/{id} lists what a client has",
        StoreError::Log(_)
        | StoreError::Projection(_)
        | StoreError::UnknownAssignment(_)
        | StoreError::NoSeries(_)
        | StoreError::Contended(_)
        | StoreError::NotAClient(_)
        | StoreError::UnknownId(_)
        | StoreError::AmbiguousDigest(_)
        | StoreError::Range(_)
        | StoreError::UnfitDocument(_)
        | StoreError::Body(_) => return None,
    };
    Some(text.to_owned())
}

/// After a commit that was not appended.
pub(super) fn of_append(error: &AppendError) -> Option<String> {
    match error {
        AppendError::KeyReused { .. } => {
            Some("a new Idempotency-Key, or none, makes this a new request".to_owned())
        }
        _ => None,
    }
}

/// After a command on a series that a rule refuses.
pub(super) fn of_refused(refused: &Rejection) -> Option<String> {
    let text = match refused {
        Rejection::NoSuchWeek { .. } | Rejection::NoPause => {
            "GET /v1/history/{id} of the series shows its weeks and pauses"
        }
        Rejection::Completed(_) => {
            "GET /v1/history/{id} shows the answer; DELETE /api/check-in-assignments/{id} sets the week back to pending"
        }
        Rejection::AlreadyMissed(_) => {
            "POST /api/check-in-assignments/{id}/open-for-check-in opens the week again"
        }
        Rejection::NotOverdue { due, .. } => {
            let from = due.plus_milliseconds(OVERDUE_AFTER_MILLISECONDS);
            return Some(format!("it can be marked missed from {from} on"));
        }
        Rejection::NoComment => "say it in the field comment",
        Rejection::ShortReason { .. } => "write a longer text",
        Rejection::TextTooLong { .. } => "write a shorter text",
        Rejection::TooDeep { .. } => "nest the value less deep",
        Rejection::OutOfRange { least, most, .. } => {
            return Some(format!("give a number from {least} to {most}"));
        }
        Rejection::NothingToPause(_) => "GET /v1/clients/{id}/check-ins shows what is due",
        Rejection::StillOpen(_) => "POST /api/client-portal/check-in/{id} answers it",
        Rejection::NoSuchResponse { .. } => {
            "GET /v1/history/{id} of the assignment shows its response"
        }
        Rejection::NoSuchAssignment { .. } => {
            "GET /v1/history/{id} of the assignment shows what became of it"
        }
        Rejection::NoSuchSeries(_) => "POST /api/check-in-assignments allocates the form",
        Rejection::OpenWeeks { .. } => {
            "DELETE /api/check-in-assignments/series withdraws the run, and the field extend makes it longer"
        }
        Rejection::ResponseNotHeld(_) => "POST /v1/corrections with the kind adopt-response",
        Rejection::ResponseHeld { .. } => "POST /v1/corrections with the kind move-response",
        Rejection::WeekHasResponse { .. } => {
            "POST /v1/corrections moves that response first; DELETE /api/check-in-assignments/{id} clears it"
        }
        Rejection::NotADocument { .. } => "GET /v1/history/{id} shows what an id names",
        Rejection::WeekHasDocument { .. } => {
            "choose a free week, or give the other document its own: POST /v1/corrections with the kind set-week"
        }
        Rejection::OnlyBase { .. } => {
            "give week 1 to another document first: POST /v1/corrections with the kind set-week"
        }
        Rejection::LinkedToWeek { .. } => {
            "POST /v1/corrections with the kind move-response moves the response"
        }
        Rejection::NotHolding { .. } => "GET /v1/corrections lists those that hold",
        Rejection::LaterCorrection { .. } => "POST /v1/corrections undoes the later one first",
        Rejection::ChangedSince { .. } => {
            "GET /v1/history/{id} of the week shows what changed; a new correction can follow it"
        }
        Rejection::BadAnswers(_) | Rejection::ResponseWasCleared(_) => return None,
    };
    Some(text.to_owned())
}

/// After findings that are not accepted, or an acceptance that is not withdrawn.
fn of_acceptance(refused: &AcceptanceRejection) -> &'static str {
    match refused {
        AcceptanceRejection::NoReason => "say it in the field reason",
        AcceptanceRejection::NoFinding => "name them in the field findings",
        AcceptanceRejection::UnknownCheck(_)
        | AcceptanceRejection::UnknownFinding(_)
        | AcceptanceRejection::Count { .. } => "GET /v1/migrations/findings lists the findings",
        AcceptanceRejection::NotAccepted(_) => {
            "GET /v1/migrations/findings?state=accepted lists those that are accepted"
        }
    }
}

/// After a switch that the guard refuses.
pub(super) fn of_switch(refused: &SwitchRejection) -> Option<String> {
    let text = match refused {
        SwitchRejection::NoReason => "say it in the field reason",
        SwitchRejection::Red(_) => {
            "GET /v1/migrations/findings lists what was found: correct it, or accept it with POST /v1/migrations/acceptances, and validate again; the field force, with a reason, overrides the whole guard"
        }
        SwitchRejection::NotValidated | SwitchRejection::Stale { .. } => {
            "POST /v1/migrations/validations runs the checks; the field force, with a reason, overrides the guard"
        }
        SwitchRejection::Unfinished(_) => "POST /v1/migrations/apply with the same file resumes it",
        SwitchRejection::Percent(_) | SwitchRejection::Retired => return None,
    };
    Some(text.to_owned())
}

/// After a batch that was not planned, read, applied or validated.
pub(super) fn of_migration(error: &MigrationError) -> Option<String> {
    let text = match error {
        MigrationError::Append(error) => return of_append(error),
        MigrationError::Line { .. }
        | MigrationError::Count { .. }
        | MigrationError::Digest { .. } => "send the file again as it was planned",
        MigrationError::Drift { .. } | MigrationError::Zone { .. } => {
            "GET /v1/migrations/plan plans again"
        }
        MigrationError::Unfinished { .. } => "POST /v1/migrations/apply with its file first",
        MigrationError::NoSeriesOf { .. } => "name clients by their document ids",
        MigrationError::NoSuchBatch { .. } => "GET /v1/status lists the applied batches",
        MigrationError::NoInverse { .. } => "PUT /v1/switch serves the legacy view again",
        MigrationError::NothingImported => "an export must be imported first",
        MigrationError::ImportZone { .. } => {
            "leave legacy_timezone out: the store keeps the zone of its first import"
        }
        MigrationError::OlderExport { .. } => {
            "import the newest export; dry_run=true shows what this one would do, and allow_older=true accepts it"
        }
        MigrationError::Removals { .. } => {
            "dry_run=true lists them; allow_removals=true removes them"
        }
        MigrationError::Log(_)
        | MigrationError::Projection(_)
        | MigrationError::File { .. }
        | MigrationError::Exists { .. }
        | MigrationError::Version { .. }
        | MigrationError::Kind { .. }
        | MigrationError::NothingToMigrate { .. }
        | MigrationError::Rules { .. }
        | MigrationError::Interrupted => return None,
    };
    Some(text.to_owned())
}

/// After an export that cannot be imported.
pub(super) fn of_import(error: &ImportError) -> Option<String> {
    let text = match error {
        ImportError::UnknownCollections { .. } => "skip_unknown=true leaves them out",
        ImportError::Unreadable { .. } => "send the export again",
        ImportError::FailedCollection { .. }
        | ImportError::FailedCollections { .. }
        | ImportError::CountDiffers { .. } => {
            "export again; there is no option that accepts this one"
        }
        ImportError::MissingCollection { .. } => "send every file of the export",
        ImportError::NotADirectory { .. }
        | ImportError::NotUtf8 { .. }
        | ImportError::ByteOrderMark { .. }
        | ImportError::File { .. }
        | ImportError::Untrue { .. }
        | ImportError::Document { .. } => return None,
    };
    Some(text.to_owned())
}

/// After a backup that was not taken.
pub(super) fn of_backup(error: &BackupError) -> Option<String> {
    match error {
        BackupError::NameTaken { .. } => Some("give another name".to_owned()),
        BackupError::Unknown { .. } => Some("GET /v1/backups lists those there are".to_owned()),
        BackupError::Log(_)
        | BackupError::Projection(_)
        | BackupError::File { .. }
        | BackupError::Name { .. }
        | BackupError::Busy { .. }
        | BackupError::Newer { .. }
        | BackupError::Damaged { .. }
        | BackupError::Differs { .. }
        | BackupError::UnsoundStore(_)
        | BackupError::Forget(_)
        | BackupError::Ledger(_)
        | BackupError::NotRecorded { .. } => None,
    }
}

/// After a checkpoint, proof or certificate that was not made.
pub(super) fn of_evidence(error: &EvidenceError) -> Option<String> {
    let text = match error {
        EvidenceError::Store(error) => return of_store(error),
        EvidenceError::NoKeyYet => "POST /v1/checkpoints makes one",
        EvidenceError::NotApplied => "POST /v1/migrations/apply applies one",
        EvidenceError::NotValidated => "POST /v1/migrations/validations validates it",
        EvidenceError::Proof(_)
        | EvidenceError::File { .. }
        | EvidenceError::NoKey { .. }
        | EvidenceError::OpenKey { .. }
        | EvidenceError::KeyGone { .. }
        | EvidenceError::OtherKey { .. }
        | EvidenceError::Contradicted { .. }
        | EvidenceError::Refused { .. }
        | EvidenceError::Certificate(_)
        | EvidenceError::NotPlanned
        | EvidenceError::CertificateRefused { .. }
        | EvidenceError::TwoBatches { .. }
        | EvidenceError::NoProof { .. }
        | EvidenceError::NoEvent { .. } => return None,
    };
    Some(text.to_owned())
}
