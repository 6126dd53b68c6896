//! The digest of a request. An idempotency key is bound to it.
//!
//! The log keeps the digest forever, so the hashed form is frozen: JSON of this module's own types,
//! in the order of their fields, without spaces, with a version. It does not depend on the domain's
//! serde attributes or on `Debug`. To change the form, add a new version and continue to accept
//! this one.

use hmac::{Hmac, Mac as _};
use rollbook_domain::event::{AssignedStatus, Audience, MissedReason, Terms, View};
use rollbook_domain::series::decide::{Allocation, Correction, Repair};
use rollbook_domain::{JsonText, StreamId, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::legacy_request_form;
use super::series_command::SeriesCommand;

/// A request that an idempotency key can be bound to.
#[derive(Clone, Copy)]
pub(crate) enum KeyedRequest<'a> {
    /// A command on a series.
    Command(&'a StreamId, &'a SeriesCommand),
    /// A switch.
    Switch {
        /// The view to serve.
        view: View,
        /// The clients it applies to.
        audience: &'a Audience,
        /// The reason.
        reason: &'a str,
        /// Whether the guard is overridden.
        force: bool,
    },
    /// Puts a document into a stream, or merges it into the one that is there.
    Put {
        /// The stream of the document.
        stream: &'a StreamId,
        /// The document, or the changes.
        document: &'a JsonText,
        /// Whether it is merged.
        merge: bool,
    },
    /// Applies the batch with this digest.
    Apply(&'a str),
    /// A validation with this grace period, in milliseconds.
    Validate(i64),
}

impl KeyedRequest<'_> {
    /// Returns the digest to store.
    pub(crate) fn digest(&self) -> [u8; 32] {
        digest(&self.message(), None)
    }

    /// Returns the digests that other releases than 0.1.0 stored for the same request.
    pub(crate) fn earlier_digests(&self) -> Vec<[u8; 32]> {
        match self {
            // These releases named the week, not the assignment.
            Self::Command(
                stream,
                SeriesCommand::WithdrawWeek { run, week, assignment: Some(_), reason },
            ) => {
                let (run, week, reason) = (*run, *week, reason.clone());
                let command = SeriesCommand::WithdrawWeek { run, week, assignment: None, reason };
                vec![KeyedRequest::Command(stream, &command).digest()]
            }
            _ => Vec::new(),
        }
    }

    /// Returns the digest that release 0.1.0 stored for the same request. It had no puts, so they
    /// have only one digest.
    pub(crate) fn legacy_digest(&self) -> [u8; 32] {
        match *self {
            Self::Command(stream, command) => legacy_request_form::command(stream, command),
            Self::Switch { view, audience, reason, force } => {
                legacy_request_form::switch(view, audience, reason, force)
            }
            Self::Put { .. } => self.digest(),
            Self::Apply(batch) => legacy_request_form::apply(batch),
            Self::Validate(milliseconds) => legacy_request_form::validate(milliseconds),
        }
    }

    /// Returns the bytes to hash.
    fn message(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Versioned<'a> {
            version: u32,
            request: RequestForm<'a>,
        }
        let mut message = DOMAIN.to_vec();
        let versioned = Versioned { version: 1, request: RequestForm::of(self) };
        // Serializing texts, numbers and booleans cannot fail.
        message.extend(serde_json::to_vec(&versioned).unwrap_or_default());
        message
    }
}

/// The prefix that separates this digest from every other SHA-256 in a store.
const DOMAIN: &[u8] = b"rollbook request\n";

/// Returns the SHA-256 of a message, or its HMAC-SHA256 with a key. No digest has a key yet, see
/// decision 26.
fn digest(message: &[u8], keyed: Option<Hmac<Sha256>>) -> [u8; 32] {
    match keyed {
        None => Sha256::digest(message).into(),
        Some(mac) => mac.chain_update(message).finalize().into_bytes().into(),
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum RequestForm<'a> {
    Allocate {
        stream: String,
        terms: TermsForm<'a>,
        first_due: InstantForm,
        status: Option<&'static str>,
        extend: bool,
    },
    Respond {
        stream: String,
        run: u32,
        week: u32,
        answers: &'a str,
        score: Option<u32>,
    },
    Miss {
        stream: String,
        run: u32,
        week: u32,
        reason: &'static str,
        comment: Option<&'a str>,
    },
    Extend {
        stream: String,
        run: u32,
        week: u32,
        reason: &'a str,
    },
    AskToReopen {
        stream: String,
        run: u32,
        week: u32,
        reason: &'a str,
    },
    Correct {
        stream: String,
        run: u32,
        week: u32,
        due: Option<InstantForm>,
        status: Option<&'static str>,
        note: Option<&'a str>,
    },
    Reopen {
        stream: String,
        run: u32,
        week: u32,
    },
    Pause {
        stream: String,
        weeks: u32,
    },
    Resume {
        stream: String,
    },
    Withdraw {
        stream: String,
        keep_answered: bool,
        reason: &'a str,
    },
    WithdrawWeek {
        stream: String,
        run: u32,
        week: u32,
        reason: &'a str,
    },
    WithdrawAssignment {
        stream: String,
        run: u32,
        week: u32,
        assignment: &'a str,
        reason: &'a str,
    },
    Feedback {
        stream: String,
        response: &'a str,
        coach: &'a str,
        text: &'a str,
    },
    MoveResponse {
        stream: String,
        response: &'a str,
        run: u32,
        week: u32,
        reason: &'a str,
    },
    AdoptResponse {
        stream: String,
        response: &'a str,
        run: u32,
        week: u32,
        reason: &'a str,
    },
    SetWeek {
        stream: String,
        document: &'a str,
        week: u32,
        reason: &'a str,
    },
    UndoCorrection {
        stream: String,
        correction: String,
        reason: &'a str,
    },
    Switch {
        view: &'static str,
        audience: AudienceForm<'a>,
        reason: &'a str,
        force: bool,
    },
    Put {
        stream: String,
        document: &'a str,
        merge: bool,
    },
    Apply {
        batch: &'a str,
    },
    Validate {
        overdue_after_milliseconds: i64,
    },
}

/// An instant: seconds since 1970, and nanoseconds.
type InstantForm = (i64, u32);

#[derive(Serialize)]
struct TermsForm<'a> {
    stored_client: &'a str,
    coach: &'a str,
    title: &'a str,
    description: &'a str,
    assigned_by: Option<&'a str>,
    assigned_at: Option<InstantForm>,
    /// The text of the JSON value.
    window: Option<&'a str>,
    recurring: bool,
    total_weeks: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum AudienceForm<'a> {
    Everyone,
    Percent(u8),
    Clients(&'a [String]),
}

impl<'a> RequestForm<'a> {
    fn of(request: &KeyedRequest<'a>) -> Self {
        match *request {
            KeyedRequest::Command(stream, command) => Self::of_command(stream.to_string(), command),
            KeyedRequest::Switch { view, audience, reason, force } => {
                let view = match view {
                    View::Legacy => "legacy",
                    View::Precreated => "precreated",
                };
                let audience = match audience {
                    Audience::Everyone => AudienceForm::Everyone,
                    Audience::Percent(percent) => AudienceForm::Percent(*percent),
                    Audience::Clients(clients) => AudienceForm::Clients(clients),
                };
                Self::Switch { view, audience, reason, force }
            }
            KeyedRequest::Put { stream, document, merge } => {
                Self::Put { stream: stream.to_string(), document: document.as_str(), merge }
            }
            KeyedRequest::Apply(batch) => Self::Apply { batch },
            KeyedRequest::Validate(overdue_after_milliseconds) => {
                Self::Validate { overdue_after_milliseconds }
            }
        }
    }

    fn of_command(stream: String, command: &'a SeriesCommand) -> Self {
        match command {
            SeriesCommand::Allocate(Allocation { terms, first_due, status, extend }) => {
                Self::Allocate {
                    stream,
                    terms: TermsForm::of(terms),
                    first_due: instant(*first_due),
                    status: status.map(status_name),
                    extend: *extend,
                }
            }
            &SeriesCommand::Respond { run, week, ref answers, score } => {
                Self::Respond { stream, run, week, answers: answers.as_str(), score }
            }
            &SeriesCommand::Miss { run, week, reason, ref comment } => {
                let reason = match reason {
                    MissedReason::Sick => "sick",
                    MissedReason::Traveling => "traveling",
                    MissedReason::PersonalEmergency => "personal_emergency",
                    MissedReason::Other => "other",
                };
                Self::Miss { stream, run, week, reason, comment: comment.as_deref() }
            }
            &SeriesCommand::Extend { run, week, ref reason } => {
                Self::Extend { stream, run, week, reason }
            }
            &SeriesCommand::AskToReopen { run, week, ref reason } => {
                Self::AskToReopen { stream, run, week, reason }
            }
            &SeriesCommand::Correct { run, week, ref correction } => {
                let Correction { due, status, note } = correction;
                let (due, status) = (due.map(instant), status.map(status_name));
                Self::Correct { stream, run, week, due, status, note: note.as_deref() }
            }
            &SeriesCommand::Reopen { run, week } => Self::Reopen { stream, run, week },
            &SeriesCommand::Pause { weeks } => Self::Pause { stream, weeks },
            SeriesCommand::Resume => Self::Resume { stream },
            &SeriesCommand::Withdraw { keep_answered, ref reason } => {
                Self::Withdraw { stream, keep_answered, reason }
            }
            &SeriesCommand::WithdrawWeek { run, week, assignment: None, ref reason } => {
                Self::WithdrawWeek { stream, run, week, reason }
            }
            &SeriesCommand::WithdrawWeek {
                run,
                week,
                assignment: Some(ref assignment),
                ref reason,
            } => Self::WithdrawAssignment { stream, run, week, assignment, reason },
            SeriesCommand::Feedback { response, coach, text } => {
                Self::Feedback { stream, response, coach, text }
            }
            SeriesCommand::Repair(repair) => Self::of_repair(stream, repair),
        }
    }

    fn of_repair(stream: String, repair: &'a Repair) -> Self {
        match repair {
            &Repair::MoveResponse { ref response, run, week, ref reason } => {
                Self::MoveResponse { stream, response, run, week, reason }
            }
            &Repair::AdoptResponse { ref response, run, week, ref reason } => {
                Self::AdoptResponse { stream, response, run, week, reason }
            }
            &Repair::SetWeek { ref document, week, ref reason } => {
                Self::SetWeek { stream, document, week, reason }
            }
            Repair::Undo { correction, reason } => {
                Self::UndoCorrection { stream, correction: correction.to_string(), reason }
            }
        }
    }
}

impl<'a> TermsForm<'a> {
    fn of(terms: &'a Terms) -> Self {
        let Terms { stored_client, coach, title, description, .. } = terms;
        Self {
            stored_client,
            coach,
            title,
            description,
            assigned_by: terms.assigned_by.as_deref(),
            assigned_at: terms.assigned_at.map(instant),
            window: terms.window.as_ref().map(|window| window.as_str()),
            recurring: terms.recurring,
            total_weeks: terms.total_weeks,
        }
    }
}

fn instant(instant: Timestamp) -> InstantForm {
    (instant.seconds(), instant.nanoseconds())
}

fn status_name(status: AssignedStatus) -> &'static str {
    match status {
        AssignedStatus::Pending => "pending",
        AssignedStatus::Active => "active",
        AssignedStatus::Inactive => "inactive",
        AssignedStatus::Overdue => "overdue",
        AssignedStatus::Missed => "missed",
        AssignedStatus::Completed => "completed",
    }
}

#[cfg(test)]
mod tests;
