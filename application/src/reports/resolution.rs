//! The resolution of an audit finding, as a value. Each edge turns it into its own words: a
//! command, or an endpoint.

use rollbook_domain::series::decide::Decider;
use rollbook_domain::series::{Corrected, CorrectionState, Series};
use rollbook_domain::{StreamId, Timestamp};
use rollbook_migrations::audit::{AuditReport, Finding, FindingKind};
use uuid::Uuid;

use crate::store::{Reading, StoreError};

/// The resolution of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Move the response to this week; `None` for a week that a person must choose.
    MoveResponse {
        /// The response.
        response: String,
        /// The week.
        week: Option<u32>,
    },
    /// Adopt the response into this week; `None` for a week that a person must choose.
    AdoptResponse {
        /// The response.
        response: String,
        /// The week.
        week: Option<u32>,
    },
    /// Set the week number of this document; `None` for a week that a person must choose.
    SetWeek {
        /// The document.
        document: String,
        /// The week.
        week: Option<u32>,
    },
    /// The week that the response names holds another response. Move or clear that one first.
    WeekTaken {
        /// The week.
        week: u32,
        /// The response that the week holds.
        held: String,
    },
    /// Clear this assignment: it is completed by a response that does not exist.
    ClearWeek(String),
    /// Set the due date of this assignment.
    SetDue(String),
    /// Put a document of this client.
    PutClient(String),
    /// Create the missing weeks with a migration.
    Migrate,
    /// Undo the correction, or keep it.
    Undo(Uuid),
    /// No command corrects the finding, and both views work with it. A corrected export resolves
    /// it.
    Accept,
    /// Only an export with the missing document resolves the finding.
    CorrectExport,
}

/// The resolution of a finding.
///
/// # Errors
/// If the store cannot be read.
pub fn resolution(
    reading: &Reading<'_>,
    kind: FindingKind,
    finding: &Finding,
) -> Result<Resolution, StoreError> {
    Ok(match kind {
        FindingKind::ResponseWithoutWeek
        | FindingKind::ResponseNamesWeek1
        | FindingKind::ResponseNamesLegacyId
        | FindingKind::ResponseNamesNothing
        | FindingKind::ResponseNotNamedBack => {
            of_response(reading, finding, finding.documents.first(), finding.week)?
        }
        // The assignment is listed first, then its response.
        FindingKind::AssignmentResponseNamesAnother => {
            of_response(reading, finding, finding.documents.get(1), finding.week)?
        }
        FindingKind::AssignmentResponseMissing => finding
            .documents
            .first()
            .map_or(Resolution::Accept, |document| Resolution::ClearWeek(document.clone())),
        FindingKind::DueNull | FindingKind::DueMissing => finding
            .documents
            .first()
            .map_or(Resolution::Accept, |document| Resolution::SetDue(document.clone())),
        FindingKind::AssignmentWithoutWeek | FindingKind::RecurringWeekTooLarge => {
            let found = set_week(reading, finding, &|_| true)?;
            found.unwrap_or(Resolution::CorrectExport)
        }
        FindingKind::DuplicateWeek => {
            let is_free = |week: Option<u32>| week.is_some();
            set_week(reading, finding, &is_free)?.unwrap_or(Resolution::Accept)
        }
        FindingKind::CompletedWeekAhead => Resolution::Migrate,
        FindingKind::CorrectionOvertaken => overtaken(reading, finding)?,
        FindingKind::ClientUnknown if !finding.client.is_empty() => {
            Resolution::PutClient(finding.client.clone())
        }
        FindingKind::ClientUnknown | FindingKind::SeriesWithoutWeek1 => Resolution::CorrectExport,
        // No command corrects any other kind, including kinds of a later release.
        _ => Resolution::Accept,
    })
}

/// Adds its resolution to every finding, in the words of an edge.
///
/// # Errors
/// If the store cannot be read.
pub fn resolve(
    reading: &Reading<'_>,
    report: &mut AuditReport,
    words: &dyn Fn(&Resolution) -> String,
) -> Result<(), StoreError> {
    for group in &mut report.findings {
        for finding in &mut group.findings {
            finding.resolve = Some(words(&resolution(reading, group.code, finding)?));
        }
    }
    Ok(())
}

fn stream_of(finding: &Finding) -> Option<StreamId> {
    Some(StreamId::series(&finding.client, finding.form.as_deref()?))
}

/// Returns the resolution for a response: by the week that holds it, or else by the week that it
/// names.
fn of_response(
    reading: &Reading<'_>,
    finding: &Finding,
    response: Option<&String>,
    says: Option<u32>,
) -> Result<Resolution, StoreError> {
    let (Some(stream), Some(response)) = (stream_of(finding), response) else {
        return Ok(Resolution::CorrectExport);
    };
    let folded = reading.series(&stream)?;
    let series: &Series = &folded.series;
    // A response of another series is corrected in that series.
    if !series.responses.contains_key(response) {
        return Ok(Resolution::CorrectExport);
    }
    let held: Vec<u32> = series
        .items
        .iter()
        .filter(|item| item.stored.response_id() == Some(response))
        .map(|item| item.week())
        .collect();
    let week = says.or_else(|| held.first().copied());
    let other = week.and_then(|week| {
        let mut of_week = series.items.of_week(1, week);
        let held = of_week
            .find_map(|item| item.stored.response_id().filter(|held| *held != response.as_str()));
        Some((week, held?.to_owned()))
    });
    if let Some((week, held)) = other {
        return Ok(Resolution::WeekTaken { week, held });
    }
    let response = response.clone();
    Ok(if held.is_empty() {
        Resolution::AdoptResponse { response, week }
    } else {
        Resolution::MoveResponse { response, week }
    })
}

/// Returns how the number of the first document is set that is accepted with the free week that its
/// due date says; `None` for a week that a person must choose.
fn set_week(
    reading: &Reading<'_>,
    finding: &Finding,
    accepts: &dyn Fn(Option<u32>) -> bool,
) -> Result<Option<Resolution>, StoreError> {
    let Some(stream) = stream_of(finding) else { return Ok(None) };
    let folded = reading.series(&stream)?;
    let StreamId::Series { client, form } = &stream else { return Ok(None) };
    let (now, zone) = (Timestamp::EPOCH, reading.zone()?);
    let decider = Decider { client, form, series: &folded.series, now, zone };
    for document in &finding.documents {
        // A response can have a week that is too large as well.
        if folded.series.items.document(document).is_none_or(|item| !item.imported) {
            continue;
        }
        let week = decider.week_by_due(document).filter(|week| {
            decider.number_setting(document, *week).is_ok_and(|setting| setting.is_some())
        });
        if accepts(week) {
            return Ok(Some(Resolution::SetWeek { document: document.clone(), week }));
        }
    }
    Ok(None)
}

fn overtaken(reading: &Reading<'_>, finding: &Finding) -> Result<Resolution, StoreError> {
    let (Some(stream), Some(response)) = (stream_of(finding), finding.documents.first()) else {
        return Ok(Resolution::Accept);
    };
    let folded = reading.series(&stream)?;
    let corrections = &folded.series.corrections;
    let numbered = |held: &&CorrectionState| {
        held.corrected == Corrected::Number && held.documents.contains(response)
    };
    let placed = corrections.of_response(response).or_else(|| corrections.iter().find(numbered));
    Ok(placed.map_or(Resolution::Accept, |placed| Resolution::Undo(placed.id)))
}
