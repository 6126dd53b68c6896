//! Corrections of stored data: a response in the wrong week, a response that no week holds, a
//! document with a wrong week number, and the undoing of a correction.

use rollbook_domain::event::{NumberSetting, Placement, View};
use rollbook_domain::series::decide::Repair;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Event, Position, StreamId};
use rollbook_projections::entry::ListParameters;
use serde::Serialize;
use uuid::Uuid;

use crate::store::{EntryChange, Outcome, Reading, Request, SeriesCommand, StoreError};

/// A correction, or the undoing of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrectionRequest {
    /// Moves a response to another week of its series.
    MoveResponse {
        /// The response.
        response: String,
        /// The week.
        week: u32,
        /// The run; `None` for that of the week that holds the response.
        run: Option<u32>,
        /// The reason.
        reason: String,
    },
    /// Adopts a response that no week holds into a week of its series.
    AdoptResponse {
        /// The response.
        response: String,
        /// The week.
        week: u32,
        /// The run; `None` for the first run, which imports store.
        run: Option<u32>,
        /// The reason.
        reason: String,
    },
    /// Sets the number of a stored document's week.
    SetWeek {
        /// The document, by any of its ids.
        document: String,
        /// The week.
        week: u32,
        /// The reason.
        reason: String,
    },
    /// Undoes the correction with this id.
    Undo {
        /// The correction.
        correction: Uuid,
        /// The reason.
        reason: String,
    },
    /// Undoes the correction that was recorded at this position.
    UndoAt {
        /// The position.
        position: Position,
        /// The reason.
        reason: String,
    },
}

/// An event of a correction.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedEvent {
    /// The position; `None` in a dry run.
    pub position: Option<Position>,
    /// The name of the event.
    pub event: &'static str,
    /// The content of the event.
    #[serde(skip)]
    pub content: Event,
}

/// The effect of a correction, or of its dry run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CorrectionReport {
    /// The stream of the series.
    pub series: String,
    /// The id of the correction that was made or undone; `None` if there is nothing to correct.
    pub correction: Option<Uuid>,
    /// Whether this was a dry run: nothing was written.
    pub dry_run: bool,
    /// Whether an earlier request with the same idempotency key wrote the events.
    pub repeated: bool,
    /// The events.
    pub events: Vec<RecordedEvent>,
    /// The changes of the client's list in the legacy view; only in a dry run.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<serde_json::Value>))]
    pub legacy: Vec<EntryChange>,
    /// The changes of the client's list in the pre-created view; only in a dry run.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<serde_json::Value>))]
    pub precreated: Vec<EntryChange>,
}

/// Returns the stream of the series that a correction concerns.
///
/// # Errors
/// [`StoreError::UnknownResponse`], [`StoreError::UnknownAssignment`] or
/// [`StoreError::UnknownCorrection`] if the request names something unknown; if the store cannot be read.
pub fn stream_of(
    reading: &Reading<'_>,
    wanted: &CorrectionRequest,
) -> Result<StreamId, StoreError> {
    match wanted {
        CorrectionRequest::MoveResponse { response, .. }
        | CorrectionRequest::AdoptResponse { response, .. } => reading.response(response),
        CorrectionRequest::SetWeek { document, .. } => Ok(reading.assignment(document)?.stream),
        CorrectionRequest::Undo { .. } | CorrectionRequest::UndoAt { .. } => {
            Ok(named(reading, wanted)?.0)
        }
    }
}

/// Returns the stream and the id of the correction to undo.
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
        CorrectionRequest::MoveResponse { .. }
        | CorrectionRequest::AdoptResponse { .. }
        | CorrectionRequest::SetWeek { .. } => (None, String::new()),
    };
    let correction = recorded.filter(|recorded| {
        let event = match &recorded.event {
            Event::Erased(event) => event,
            event => event,
        };
        match event {
            Event::ResponsePlaced(_) => true,
            Event::WeekNumberSet(setting) => setting.correction.is_some(),
            _ => false,
        }
    });
    correction
        .map(|recorded| (recorded.stream, recorded.id))
        .ok_or(StoreError::UnknownCorrection(name))
}

/// Makes or undoes a correction. With `dry_run`, nothing is written, and the report has the changes
/// in both views.
///
/// # Errors
/// If the request names something unknown, if a rule forbids it, or if the store fails. Then
/// nothing was written.
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
        let asked = ListParameters { now: request.now, overdue_after_milliseconds };
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
        Event::WeekNumberSet(NumberSetting { correction, .. }) => correction,
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

/// Returns the command on the series.
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
        CorrectionRequest::SetWeek { document, week, reason } => {
            let named = reading.named_assignment(document)?.1;
            Repair::SetWeek {
                document: named.unwrap_or_else(|| document.clone()),
                week: *week,
                reason: reason.clone(),
            }
        }
        CorrectionRequest::Undo { reason, .. } | CorrectionRequest::UndoAt { reason, .. } => {
            Repair::Undo { correction: named(reading, wanted)?.1, reason: reason.clone() }
        }
    })
}

/// Returns the given run, or that of the week that holds the response, or else the first run, which
/// imports store.
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
