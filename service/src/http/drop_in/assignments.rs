//! GET `/api/check-in-assignments` and `/api/check-in-assignments/{id}`: stored weeks, one or a
//! page of them.

use axum::extract::State;
use rollbook_application::store::{Reading, Store, StoreError, WeekRef};
use rollbook_domain::{Event, StreamId};
use rollbook_projections::entry::ListParameters;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::answer::At;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::{PathOf, QueryOf};
use super::super::service::Service;
use super::assignment::{Assignment, Which};
use super::listing;
use super::week::{self, client_of};
use crate::access::{Caller, Permission};

/// One assignment.
#[derive(Debug, Serialize, ToSchema)]
pub struct One {
    /// Always true.
    success: bool,
    /// The assignment.
    assignment: Assignment,
}

/// Returns an assignment, by any of its ids.
#[utoipa::path(
    get,
    path = "/api/check-in-assignments/{id}",
    operation_id = "getAssignment",
    tag = "assignments",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones.")),
    responses(
        (status = 200, description = "The assignment.", body = One, headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn get(
    State(service): State<Service>,
    caller: Caller,
    PathOf(id): PathOf<String>,
) -> Result<At<One>, ApiError> {
    let asked = service.asked();
    let get = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let named = week::seen(reading, &caller, &id)?;
        one(reading, &caller, &named, asked)
    };
    service.blocking(get).await
}

/// Returns a week, if the caller may see it.
pub(super) fn one(
    reading: &Reading<'_>,
    caller: &Caller,
    named: &WeekRef,
    asked: ListParameters,
) -> Result<At<One>, ApiError> {
    let position = reading.store().log().head();
    let client = client_of(&named.stream);
    let stored = week::stored(reading, named, asked.now)?;
    let clock = asked.clock(reading.zone()?);
    let mut assignment = Assignment::of(client, named.run, &stored, &clock);
    if assignment.form_title.is_empty()
        && let StreamId::Series { form, .. } = &named.stream
    {
        assignment.form_title = match reading.form_title(form) {
            Err(StoreError::UnknownForm(_)) => String::new(),
            title => title?,
        };
    }
    if caller.authorize_in(reading, Permission::CoachOf { client, coach: None }).is_ok() {
        assignment.coach_notes = week::latest(reading, named, note)?.and_then(|(_at, note)| note);
    }
    Ok(At { position, body: One { success: true, assignment } })
}

/// Returns the note on a week that an event sets; an inner `None` if it was removed or erased.
fn note(event: &Event, of_run: u32, of_week: u32) -> Option<Option<String>> {
    match event {
        Event::NoteWritten { run, week, note } if (*run, *week) == (of_run, of_week) => {
            Some(note.expose().filter(|note| !note.is_empty()).cloned())
        }
        _ => None,
    }
}

/// A page of assignments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Always true.
    success: bool,
    /// The assignments, newest first.
    assignments: Vec<Assignment>,
    /// The total number of assignments.
    total: usize,
    /// The `cursor` of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// Lists assignments, newest first.
#[utoipa::path(
    get,
    path = "/api/check-in-assignments",
    operation_id = "listAssignments",
    tag = "assignments",
    params(Which),
    responses(
        (status = 200, description = "A page.", body = Page, headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        DropInRefusals
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(which): QueryOf<Which>,
) -> Result<At<Page>, ApiError> {
    let asked = service.asked();
    let list = move |store: &Store| -> Result<_, ApiError> {
        let listed = listing::list(store, &caller, &which, asked)?;
        let body = Page {
            success: true,
            assignments: listed.assignments,
            total: listed.total,
            next_cursor: listed.next_cursor,
        };
        Ok(At { position: listed.position, body })
    };
    service.blocking(list).await
}
