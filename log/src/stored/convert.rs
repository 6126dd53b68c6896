//! Version 1 of a stored event: conversion from domain events and back. `body` defines the layouts.
//!
//! The list at the end names every event with every field once. It expands to two matches without a
//! wildcard, one for each direction, so a new event or field in the domain does not compile until
//! it has a stored form.

use rollbook_domain::event::{
    Acceptance, AcceptedFindings, Audience, CheckOutcome, Event, ExportedCollection, FindingName,
    Placement, QualifiedValidation, RunTerms, Terms, WeekDue, WeekMove, WeekOfRun,
};
use rollbook_domain::{Document, JsonText, Number, Personal, Timestamp};

use super::body::{
    Body, StoredAudience, StoredDocument, StoredExport, StoredPersonal, StoredPlacement,
    StoredTerms, StoredWeekDue, StoredWeekMove, StoredWeekOfRun,
};
use super::finding::{
    StoredAcceptance, StoredAcceptedFindings, StoredCheck, StoredFindingName,
    StoredQualifiedValidation,
};
use super::instant::Instant;
use super::mirrored::StoredForm;
use crate::error::DecodeError;

impl StoredForm<'_> for Timestamp {
    type Form = Instant;
    fn to_form(&self) -> Instant {
        (*self).into()
    }
    fn from_form(form: Instant) -> Result<Self, DecodeError> {
        form.try_into()
    }
}

impl StoredForm<'_> for Number {
    type Form = f64;
    fn to_form(&self) -> f64 {
        self.value()
    }
    fn from_form(form: f64) -> Result<Self, DecodeError> {
        Ok(Self::new(form))
    }
}

impl<'a> StoredForm<'a> for String {
    type Form = &'a str;
    fn to_form(&'a self) -> &'a str {
        self
    }
    fn from_form(form: &'a str) -> Result<Self, DecodeError> {
        Ok(form.to_owned())
    }
}

impl<'a> StoredForm<'a> for JsonText {
    type Form = &'a str;
    fn to_form(&'a self) -> &'a str {
        self.as_str()
    }
    fn from_form(form: &'a str) -> Result<Self, DecodeError> {
        Ok(Self::from_canonical(form))
    }
}

impl<'a, T: StoredForm<'a, Form = &'a str>> StoredForm<'a> for Personal<T> {
    type Form = StoredPersonal<'a>;
    fn to_form(&'a self) -> StoredPersonal<'a> {
        self.expose()
            .map_or(StoredPersonal::Erased, |content| StoredPersonal::Clear(content.to_form()))
    }
    fn from_form(form: StoredPersonal<'a>) -> Result<Self, DecodeError> {
        match form {
            StoredPersonal::Clear(content) => T::from_form(content).map(Self::new),
            // Content with a key was opened earlier. If it is still sealed, its key is gone.
            StoredPersonal::Sealed | StoredPersonal::Erased => Ok(Self::erased()),
        }
    }
}

impl<'a, T: StoredForm<'a>> StoredForm<'a> for Option<T> {
    type Form = Option<T::Form>;
    fn to_form(&'a self) -> Option<T::Form> {
        self.as_ref().map(T::to_form)
    }
    fn from_form(form: Option<T::Form>) -> Result<Self, DecodeError> {
        form.map(T::from_form).transpose()
    }
}

impl<'a, T: StoredForm<'a>> StoredForm<'a> for Vec<T> {
    type Form = Vec<T::Form>;
    fn to_form(&'a self) -> Vec<T::Form> {
        self.iter().map(T::to_form).collect()
    }
    fn from_form(form: Vec<T::Form>) -> Result<Self, DecodeError> {
        form.into_iter().map(T::from_form).collect()
    }
}

impl<'a, A: StoredForm<'a>, B: StoredForm<'a>> StoredForm<'a> for (A, B) {
    type Form = (A::Form, B::Form);
    fn to_form(&'a self) -> (A::Form, B::Form) {
        (self.0.to_form(), self.1.to_form())
    }
    fn from_form(form: (A::Form, B::Form)) -> Result<Self, DecodeError> {
        Ok((A::from_form(form.0)?, B::from_form(form.1)?))
    }
}

/// Implements [`StoredForm`] for a domain struct whose stored form has the same fields.
macro_rules! fields {
    ($domain:ident = $form:ident $(<$life:lifetime>)? { $($field:ident),+ }) => {
        impl<'a> StoredForm<'a> for $domain {
            type Form = $form $(<$life>)?;
            fn to_form(&'a self) -> Self::Form {
                let Self { $($field),+ } = self;
                $form { $($field: $field.to_form()),+ }
            }
            fn from_form(form: Self::Form) -> Result<Self, DecodeError> {
                let $form { $($field),+ } = form;
                Ok(Self { $($field: StoredForm::from_form($field)?),+ })
            }
        }
    };
}

impl<'a> StoredForm<'a> for Document {
    type Form = StoredDocument<'a>;
    fn to_form(&'a self) -> StoredDocument<'a> {
        let Self { collection, id, ordinal, body, .. } = self;
        StoredDocument {
            collection: collection.to_form(),
            id: id.to_form(),
            ordinal: *ordinal,
            body: body.to_form(),
        }
    }
    fn from_form(form: StoredDocument<'a>) -> Result<Self, DecodeError> {
        let StoredDocument { collection, id, ordinal, body } = form;
        Ok(Self::new(
            StoredForm::from_form(collection)?,
            StoredForm::from_form(id)?,
            ordinal,
            StoredForm::from_form(body)?,
        ))
    }
}
fields!(Placement = StoredPlacement<'a> { correction, response, assignment, run, week, left, completed_at, score, legacy_due, terms, reason });
fields!(Terms = StoredTerms<'a> { stored_client, coach, title, description, assigned_by, assigned_at, window, recurring, total_weeks });
impl<'a> StoredForm<'a> for RunTerms {
    type Form = StoredTerms<'a>;
    fn to_form(&'a self) -> StoredTerms<'a> {
        (**self).to_form()
    }
    fn from_form(form: StoredTerms<'a>) -> Result<Self, DecodeError> {
        Terms::from_form(form).map(Self::from)
    }
}
fields!(WeekDue = StoredWeekDue { week, due });
fields!(WeekMove = StoredWeekMove { week, from, to });
fields!(WeekOfRun = StoredWeekOfRun { run, week });
fields!(CheckOutcome = StoredCheck<'a> { name, green, detail });
fields!(FindingName = StoredFindingName<'a> { id, about });
fields!(Acceptance = StoredAcceptance<'a> { check, findings, reason });
fields!(QualifiedValidation = StoredQualifiedValidation<'a> { digest, at, checks, accepted });
fields!(AcceptedFindings = StoredAcceptedFindings<'a> { check, findings, reason, by, at });
fields!(ExportedCollection = StoredExport<'a> { collection, documents, header });

impl<'a> StoredForm<'a> for Audience {
    type Form = StoredAudience<'a>;
    fn to_form(&'a self) -> StoredAudience<'a> {
        match self {
            Self::Everyone => StoredAudience::Everyone,
            Self::Percent(percent) => StoredAudience::Percent(*percent),
            Self::Clients(clients) => StoredAudience::Clients(clients.to_form()),
        }
    }
    fn from_form(form: StoredAudience<'a>) -> Result<Self, DecodeError> {
        Ok(match form {
            StoredAudience::Everyone => Self::Everyone,
            StoredAudience::Percent(percent) => Self::Percent(percent),
            StoredAudience::Clients(clients) => Self::Clients(StoredForm::from_form(clients)?),
        })
    }
}

macro_rules! events {
    ($($variant:ident { $($field:ident),+ $(,)? }),+ $(,)?) => {
        impl<'a> StoredForm<'a> for Event {
            type Form = Body<'a>;
            fn to_form(&'a self) -> Body<'a> {
                match self {
                    Self::DocumentImported(document) => Body::DocumentImported(document.to_form()),
                    Self::DocumentChanged(document) => Body::DocumentChanged(document.to_form()),
                    Self::ResponsePlaced(placement) => Body::ResponsePlaced(placement.to_form()),
                    Self::FindingsAccepted(accepted) => Body::FindingsAccepted(accepted.to_form()),
                    Self::QualifiedValidationRecorded(validation) => {
                        Body::QualifiedValidationRecorded(validation.to_form())
                    }
                    // The keyring records that the client was erased, not the stored event.
                    Self::Erased(event) => event.to_form(),
                    $(Self::$variant { $($field),+ } => Body::$variant { $($field: $field.to_form()),+ },)+
                }
            }
            fn from_form(form: Body<'a>) -> Result<Self, DecodeError> {
                Ok(match form {
                    Body::DocumentImported(document) => Self::DocumentImported(StoredForm::from_form(document)?),
                    Body::DocumentChanged(document) => Self::DocumentChanged(StoredForm::from_form(document)?),
                    Body::ResponsePlaced(placement) => Self::ResponsePlaced(StoredForm::from_form(placement)?),
                    Body::FindingsAccepted(accepted) => Self::FindingsAccepted(StoredForm::from_form(accepted)?),
                    Body::QualifiedValidationRecorded(validation) => {
                        Self::QualifiedValidationRecorded(StoredForm::from_form(validation)?)
                    }
                    $(Body::$variant { $($field),+ } => Self::$variant { $($field: StoredForm::from_form($field)?),+ },)+
                })
            }
        }
    };
}

events! {
    DocumentRemoved { collection, id },
    AssignmentCreated { assignment, run, week, due, origin, terms },
    ResponseSubmitted { assignment, run, week, response, submitted_at, score, answers, legacy_due },
    ResponseLinked { response, run, week, named, kind, completed_at, score },
    AssignmentRescheduled { run, week, due },
    AssignmentMissed { run, week, reason, comment },
    ExtensionGranted { run, week, reason },
    ReopenRequested { run, week, reason },
    AssignmentReopened { run, week },
    SeriesPaused { run, pause_weeks, until, moved },
    SeriesResumed { run, restored },
    SeriesExtended { run, total_weeks },
    SeriesWithdrawn { run, keep_answered, reason },
    AssignmentWithdrawn { run, week, reason },
    ResponseCleared { run, week, response, reason },
    FeedbackGiven { response, coach, text },
    ImportCompleted { digest, legacy_timezone, collections, summary },
    BatchPlanned { digest, kind, rules, base, log_digest, responses_digest, responses },
    BatchApplied { digest, series, created, linked, adopted, skipped },
    ValidationRecorded { digest, at, checks },
    ParityRecorded { at, classes, unexplained },
    ViewSwitched { view, audience, reason, forced },
    BackupTaken { name, at },
    StageRecorded { stage, note },
    LegacyRetired { reason },
    ClientErased { client, ids, reason },
    ResponsesAttested { digest, responses, responses_digest },
    StatusAssigned { run, week, status },
    NoteWritten { run, week, note },
    CorrectionUndone { correction, reason },
    DocumentAdopted { assignment, run, week, document },
    DuplicateWithdrawn { run, week, assignment, reason },
    DuplicateCleared { run, week, assignment, response, reason },
    WeeksChanged { digest, series, changed, skipped },
    WindowChanged { run, week, window },
    AcceptanceWithdrawn { findings, reason },
}
