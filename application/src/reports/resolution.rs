//! How a finding of the audit is resolved. The edges put it into words: a command, or an endpoint.

use rollbook_domain::StreamId;
use rollbook_domain::series::Series;
use rollbook_migrations::audit::{AuditReport, Finding, FindingKind};
use uuid::Uuid;

use crate::store::{Reading, StoreError};

/// How a finding is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Move the response to this week; `None` for a week that a person must choose.
    MoveResponse {
        /// The response.
        response: String,
        /// The week.
        week: Option<u32>,
    },
    /// Bind the response to this week; `None` for a week that a person must choose.
    AdoptResponse {
        /// The response.
        response: String,
        /// The week.
        week: Option<u32>,
    },
    /// The week that the response says has another response: that one must be moved or cleared
    /// first, or the finding is accepted.
    WeekTaken {
        /// The week.
        week: u32,
        /// The response that it has.
        held: String,
    },
    /// Clear the completion of this assignment: its response does not exist.
    ClearWeek(String),
    /// Set the due date of this assignment.
    SetDue(String),
    /// Store the missing weeks by a migration.
    Migrate,
    /// Undo the correction, or leave it.
    Undo(Uuid),
    /// Nothing here corrects it, and both views can be used with it. A mended export resolves it.
    Accept,
    /// Only an export that has the missing document resolves it.
    MendExport,
}

/// How a finding is resolved.
///
/// # Errors
/// When the store cannot be read.
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
        FindingKind::CompletedWeekAhead => Resolution::Migrate,
        FindingKind::CorrectionOvertaken => overtaken(reading, finding)?,
        FindingKind::ClientUnknown | FindingKind::SeriesWithoutWeek1 => Resolution::MendExport,
        // Every other kind, also of a later release, is one that no command here corrects.
        _ => Resolution::Accept,
    })
}

/// Adds to every finding how it is resolved, in the words of an edge.
///
/// # Errors
/// When the store cannot be read.
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

/// How a response finds its week: the one that holds it, or else the one that it says.
fn of_response(
    reading: &Reading<'_>,
    finding: &Finding,
    response: Option<&String>,
    says: Option<u32>,
) -> Result<Resolution, StoreError> {
    let (Some(stream), Some(response)) = (stream_of(finding), response) else {
        return Ok(Resolution::MendExport);
    };
    let folded = reading.series(&stream)?;
    let series: &Series = &folded.series;
    // A response of another series is corrected in that series.
    if !series.responses.contains_key(response) {
        return Ok(Resolution::MendExport);
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

fn overtaken(reading: &Reading<'_>, finding: &Finding) -> Result<Resolution, StoreError> {
    let (Some(stream), Some(response)) = (stream_of(finding), finding.documents.first()) else {
        return Ok(Resolution::Accept);
    };
    let folded = reading.series(&stream)?;
    let placed = folded.series.corrections.of_response(response);
    Ok(placed.map_or(Resolution::Accept, |placed| Resolution::Undo(placed.id)))
}
