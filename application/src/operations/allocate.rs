//! Allocates a form to a client.

use chrono::{NaiveDate, NaiveTime};
use rollbook_domain::event::{AssignedStatus, Terms};
use rollbook_domain::series::decide::{Allocation, first_due_date};
use rollbook_domain::{JsonText, StreamId};

use super::coach;
use crate::store::{Outcome, Reading, Request, SeriesCommand, StoreError};

/// A request to allocate a form.
#[derive(Clone, Debug)]
pub struct AllocationRequest {
    /// The client, by any id.
    pub client: String,
    /// The form.
    pub form: String,
    /// The coach.
    pub coach: String,
    /// The first due date. Another weekday than Monday moves to the next Monday.
    pub first_due: Option<NaiveDate>,
    /// Without a first due date, the first week is due on the Monday after this date; `None` for
    /// today.
    pub start: Option<NaiveDate>,
    /// The local time at which every week is due.
    pub due_time: NaiveTime,
    /// The number of weeks; with `extend`, the number of additional weeks.
    pub weeks: u32,
    /// Allocates one week that does not recur, regardless of `weeks`.
    pub once: bool,
    /// Extends a run that still has open weeks, instead of refusing the allocation.
    pub extend: bool,
    /// The initial status of the weeks; `None` for open weeks.
    pub status: Option<AssignedStatus>,
    /// The title; `None` for the title of the form.
    pub title: Option<String>,
    /// The description.
    pub description: String,
    /// Who assigned it: a coach's id, or a name.
    pub assigned_by: Option<String>,
    /// The check-in window, any JSON.
    pub window: Option<JsonText>,
    /// Accepts a client, a form and a coach without an imported document.
    pub allow_unknown: bool,
}

/// The outcome of an allocation.
#[derive(Clone, Debug)]
pub struct AllocationOutcome {
    /// The stream of the series.
    pub stream: StreamId,
    /// The written events.
    pub outcome: Outcome,
}

/// Allocates a form to a client. A repeat with the same idempotency key is the same allocation,
/// also on a later day.
///
/// # Errors
/// If the client, the coach or the form is unknown, if a rule forbids the allocation, or if the
/// store fails. Then nothing was written.
pub fn allocate(
    reading: &Reading<'_>,
    wanted: &AllocationRequest,
    request: &Request,
) -> Result<AllocationOutcome, StoreError> {
    // The digest of an allocation has its time, so the same request twice at once must wait here.
    let _lock = reading.store().lock_key(request);
    let request = reading.store().at_first_arrival(request)?;
    let client = client(reading, wanted)?;
    if !wanted.allow_unknown {
        coach::require_known(reading, &client, &wanted.coach)?;
    }
    let title = match reading.form_title(&wanted.form) {
        Err(StoreError::UnknownForm(_)) if wanted.allow_unknown => String::new(),
        title => title?,
    };
    let zone = reading.zone()?;
    let start = wanted.start.unwrap_or_else(|| zone.date(request.now));
    let first_due = zone.instant(first_due_date(wanted.first_due, start).and_time(wanted.due_time));
    let terms = Terms {
        stored_client: client.clone(),
        coach: wanted.coach.clone(),
        title: wanted.title.clone().unwrap_or(title),
        description: wanted.description.clone(),
        assigned_by: wanted.assigned_by.clone(),
        assigned_at: Some(request.now),
        window: wanted.window.clone(),
        recurring: !wanted.once,
        total_weeks: if wanted.once { 1 } else { wanted.weeks },
    };
    let allocation = Allocation { terms, first_due, status: wanted.status, extend: wanted.extend };
    let stream = StreamId::series(&client, &wanted.form);
    let outcome = reading.command(&stream, &SeriesCommand::Allocate(allocation), &request)?;
    Ok(AllocationOutcome { stream, outcome })
}

/// Returns the id of the client's document; with `allow_unknown`, any id.
fn client(reading: &Reading<'_>, wanted: &AllocationRequest) -> Result<String, StoreError> {
    if wanted.allow_unknown {
        Ok(reading.identify(&wanted.client)?.canonical().to_owned())
    } else {
        reading.client(&wanted.client)
    }
}
