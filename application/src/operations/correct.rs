//! Corrections of what is stored wrongly: a response in the wrong week, a response that no week
//! holds, and the undoing of a correction.

use rollbook_domain::event::{Placement, View};
use rollbook_domain::series::decide::Repair;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Event, Position, StreamId};
use rollbook_projections::entry::Asked;
use serde::Serialize;
use uuid::Uuid;

use crate::store::{EntryChange, Outcome, Reading, Request, SeriesCommand, StoreError};

/// A correction, or the undoing of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrectionRequest {
    /// Move a response to another week of its series.
    MoveResponse {
        /// The response.
        response: String,
        /// The week.
        week: u32,
        /// The run; `None` for that of the week that holds the response.
        run: Option<u32>,
        /// Why.
        reason: String,
    },
    /// Bind a response that no week holds to a week of its series.
    AdoptResponse {
        /// The response.
        response: String,
        /// The week.
        week: u32,
        /// The run; `None` for the first one, which imports store.
        run: Option<u32>,
        /// Why.
        reason: String,
    },
    /// Undo the correction with this id.
    Undo {
        /// The correction.
        correction: Uuid,
        /// Why.
        reason: String,
    },
    /// Undo the correction that was recorded at this position.
    UndoAt {
        /// The position.
        position: Position,
        /// Why.
        reason: String,
    },
}

/// An event of a correction.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedEvent {
    /// Its position; `None` if it was only tried.
    pub position: Option<Position>,
    /// Its name.
    pub event: &'static str,
    /// The event itself.
    #[serde(skip)]
    pub content: Event,
}

/// What a correction did, or would do.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CorrectionReport {
    /// The series' stream.
    pub series: String,
    /// The id of the correction that was made or undone; `None` if nothing needs to be corrected.
    pub correction: Option<Uuid>,
    /// Whether it was only tried: nothing was written.
    pub dry_run: bool,
    /// Whether an earlier request under the same key wrote the events.
    pub repeated: bool,
    /// The events.
    pub events: Vec<RecordedEvent>,
    /// What changes in the client's list in the legacy view; only if it was tried.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<serde_json::Value>))]
    pub legacy: Vec<EntryChange>,
    /// What changes in the client's list in the pre-created view; only if it was tried.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<serde_json::Value>))]
    pub precreated: Vec<EntryChange>,
}

/// The series that a correction is about.
///
/// # Errors
/// [`StoreError::UnknownResponse`] or [`StoreError::UnknownCorrection`] when the request names
/// nothing; when the store cannot be read.
pub fn stream_of(
    reading: &Reading<'_>,
    wanted: &CorrectionRequest,
) -> Result<StreamId, StoreError> {
    match wanted {
        CorrectionRequest::MoveResponse { response, .. }
        | CorrectionRequest::AdoptResponse { response, .. } => reading.response(response),
        CorrectionRequest::Undo { .. } | CorrectionRequest::UndoAt { .. } => {
            Ok(named(reading, wanted)?.0)
        }
    }
}

/// The stream and the id of the correction to undo.
fn named(
    reading: &Reading<'_>,
    wanted: &CorrectionRequest,
) -> Result<(StreamId, Uuid), StoreError> {
    let log = reading.store().log();
    let (recorded, name) = match wanted {
        CorrectionRequest::Undo { correction, .. } => {
            (log.event(*correction)?, correction.to_string())
        }
        CorrectionRequest::UndoAt { position, .. } => {
            (log.at(*position)?, format!("position {position}"))
        }
        CorrectionRequest::MoveResponse { .. } | CorrectionRequest::AdoptResponse { .. } => {
            (None, String::new())
        }
    };
    let correction = recorded.filter(|recorded| {
        let event = match &recorded.event {
            Event::Erased(event) => event,
            event => event,
        };
        matches!(event, Event::ResponsePlaced(_))
    });
    correction
        .map(|recorded| (recorded.stream, recorded.id))
        .ok_or(StoreError::UnknownCorrection(name))
}

/// Makes or undoes a correction. With `dry_run` nothing is written, and the report has what would
/// change in both views.
///
/// # Errors
/// When the request names nothing, the rules refuse it, or the store fails. Then nothing was
/// written.
pub fn correct(
    reading: &Reading<'_>,
    stream: &StreamId,
    wanted: &CorrectionRequest,
    request: &Request,
    dry_run: bool,
) -> Result<CorrectionReport, StoreError> {
    let command = SeriesCommand::Repair(repair(reading, stream, wanted)?);
    if dry_run {
        let events = reading.proposed(stream, &command, request.now)?;
        let overdue_after_milliseconds = OVERDUE_AFTER_MILLISECONDS;
        let asked = Asked { now: request.now, overdue_after_milliseconds };
        return Ok(CorrectionReport {
            legacy: reading.preview(View::Legacy, stream, &events, asked)?,
            precreated: reading.preview(View::Precreated, stream, &events, asked)?,
            ..report(stream, events.into_iter().map(|event| (None, event)), true, false)
        });
    }
    let outcome: Outcome = reading.command(stream, &command, request)?;
    let events = outcome.events().iter();
    let events = events.map(|written| (Some(written.position), written.event.clone()));
    Ok(report(stream, events, false, outcome.is_repeated()))
}

fn report(
    stream: &StreamId,
    events: impl Iterator<Item = (Option<Position>, Event)>,
    dry_run: bool,
    repeated: bool,
) -> CorrectionReport {
    let events: Vec<RecordedEvent> = events
        .map(|(position, content)| RecordedEvent { position, event: content.name(), content })
        .collect();
    let correction = events.iter().find_map(|recorded| match recorded.content {
        Event::ResponsePlaced(Placement { correction, .. })
        | Event::CorrectionUndone { correction, .. } => Some(correction),
        _ => None,
    });
    CorrectionReport {
        series: stream.to_string(),
        correction,
        dry_run,
        repeated,
        events,
        legacy: Vec::new(),
        precreated: Vec::new(),
    }
}

/// The command on the series.
fn repair(
    reading: &Reading<'_>,
    stream: &StreamId,
    wanted: &CorrectionRequest,
) -> Result<Repair, StoreError> {
    Ok(match wanted {
        CorrectionRequest::MoveResponse { response, week, run, reason } => Repair::MoveResponse {
            run: run_of(reading, stream, response, *run)?,
            response: response.clone(),
            week: *week,
            reason: reason.clone(),
        },
        CorrectionRequest::AdoptResponse { response, week, run, reason } => Repair::AdoptResponse {
            run: run_of(reading, stream, response, *run)?,
            response: response.clone(),
            week: *week,
            reason: reason.clone(),
        },
        CorrectionRequest::Undo { reason, .. } | CorrectionRequest::UndoAt { reason, .. } => {
            Repair::Undo { correction: named(reading, wanted)?.1, reason: reason.clone() }
        }
    })
}

/// The given run, or that of the week that holds the response; an import stores the first run.
fn run_of(
    reading: &Reading<'_>,
    stream: &StreamId,
    response: &str,
    given: Option<u32>,
) -> Result<u32, StoreError> {
    if let Some(run) = given {
        return Ok(run);
    }
    let folded = reading.series(stream)?;
    let mut items = folded.series.items.iter();
    let held = items.find(|item| item.stored.response_id() == Some(response));
    Ok(held.map_or(1, |item| item.run))
}
