//! `/api/check-in-assignments/{id}/…`: marks a week as missed, extends it, opens it, or asks to
//! reopen it. This module defines the bodies of the old application. The rules are in the domain.

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::store::{SeriesCommand, Store};
use rollbook_domain::Event;
use rollbook_domain::event::MissedReason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::answer::At;
use super::super::caller::WriteRequest;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::{Body, OptionalBody, PathOf};
use super::super::service::Service;
use super::shapes::Done;
use super::week::{self, As, client_of};
use crate::access::{AccessDenied, Caller};

/// A request to mark a week as missed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"clientId": "ada", "reason": "sick"}))]
pub struct Missed {
    /// The client, by any id.
    #[schema(required = true, nullable = false, min_length = 1)]
    client_id: Option<String>,
    /// The reason.
    #[schema(required = true, nullable = false, value_type = Reason)]
    reason: Option<String>,
    /// The client's words. The reason `other` needs them.
    comment: Option<String>,
}

/// The reason for a missed week.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Reason {
    /// The client was ill.
    Sick,
    /// The client was travelling.
    Traveling,
    /// An emergency.
    PersonalEmergency,
    /// Another reason, given in the comment.
    Other,
}

fn reason(text: Option<&str>) -> Result<MissedReason, ApiError> {
    match text {
        Some("sick") => Ok(MissedReason::Sick),
        Some("traveling") => Ok(MissedReason::Traveling),
        Some("personal_emergency") => Ok(MissedReason::PersonalEmergency),
        Some("other") => Ok(MissedReason::Other),
        _ => Err(ApiError::bad_request(
            Code::BadReason,
            "reason is sick, traveling, personal_emergency or other",
        )),
    }
}

/// Marks a week as missed. This is possible from three days after its due date.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments/{id}/mark-missed",
    operation_id = "markMissed",
    tag = "check-ins",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), super::shapes::IdempotencyKey),
    request_body = Missed,
    responses(
        (status = 200, description = "The assignment is marked as missed.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn mark_missed(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    Body(missed): Body<Missed>,
) -> Result<At<Done>, ApiError> {
    let Some(client) = missed.client_id.filter(|client| !client.is_empty()) else {
        return Err(ApiError::bad_request(Code::NoClient, "Client ID is required"));
    };
    let (reason, comment) = (reason(missed.reason.as_deref())?, missed.comment);
    let mark = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let named = week::found(reading, writing.caller(), reading.assignment(&id))?;
        if reading.identify(&client)?.canonical() != client_of(&named.stream) {
            return Err(AccessDenied::Forbidden.into());
        }
        let command = |run, week| SeriesCommand::Miss { run, week, reason, comment };
        let (_, outcome) = week::command(reading, &writing, &id, As::Client, command)?;
        Ok(Done::at(week::position(reading, &outcome), "Check-in marked as missed"))
    };
    service.blocking(mark).await
}

/// A request for an extension.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"reason": "moving house this week"}))]
pub struct ExtensionBody {
    /// The reason, at least 10 characters.
    #[schema(required = true, nullable = false, min_length = 10)]
    reason: Option<String>,
}

/// An extension.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Extension {
    /// Always true.
    success: bool,
    /// Whether an extension was granted.
    has_extension: bool,
    /// The reason in the client's words; null if it is not known.
    reason: Option<String>,
    /// The time of the extension; null if it is not known.
    #[schema(format = DateTime)]
    granted_at: Option<String>,
}

/// Asks for an extension. It is granted at once.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments/{id}/extension",
    operation_id = "grantExtension",
    tag = "check-ins",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), super::shapes::IdempotencyKey),
    request_body = ExtensionBody,
    responses(
        (status = 200, description = "The extension is granted.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn extend(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    Body(extending): Body<ExtensionBody>,
) -> Result<At<Done>, ApiError> {
    let extend = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let command = |run, week| SeriesCommand::Extend {
            run,
            week,
            reason: extending.reason.unwrap_or_default(),
        };
        let (_, outcome) = week::command(reading, &writing, &id, As::Client, command)?;
        Ok(Done::at(week::position(reading, &outcome), "Extension granted"))
    };
    service.blocking(extend).await
}

/// Whether an extension was granted.
#[utoipa::path(
    get,
    path = "/api/check-in-assignments/{id}/extension",
    operation_id = "getExtension",
    tag = "check-ins",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones.")),
    responses(
        (status = 200, description = "The extension, with its reason and time.", body = Extension, headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn extension(
    State(service): State<Service>,
    caller: Caller,
    PathOf(id): PathOf<String>,
) -> Result<At<Extension>, ApiError> {
    let now = service.now();
    let get = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let position = store.log().head();
        let named = week::seen(reading, &caller, &id)?;
        let has_extension = week::stored(reading, &named, now)?.extension_granted;
        let granted = week::latest(reading, &named, |event, of_run, of_week| match event {
            Event::ExtensionGranted { run, week, reason } if (*run, *week) == (of_run, of_week) => {
                Some(reason.expose().cloned())
            }
            _ => None,
        })?;
        let (granted_at, reason) = granted.unzip();
        let granted_at = granted_at.map(rollbook_domain::Timestamp::to_milliseconds_text);
        Ok(At {
            position,
            body: Extension { success: true, has_extension, reason: reason.flatten(), granted_at },
        })
    };
    service.blocking(get).await
}

/// A request to open a week.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"coachId": "robin"}))]
pub struct OpeningBody {
    /// The coach.
    coach_id: Option<String>,
}

/// Opens a week, as the client's coach.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments/{id}/open-for-check-in",
    operation_id = "openForCheckIn",
    tag = "assignments",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), super::shapes::IdempotencyKey),
    request_body = Option<OpeningBody>,
    responses(
        (status = 200, description = "The assignment is open.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn open(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    OptionalBody(opening): OptionalBody<OpeningBody>,
) -> Result<At<Done>, ApiError> {
    let open = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let command = |run, week| SeriesCommand::Reopen { run, week };
        let (_, outcome) =
            week::command(reading, &writing, &id, As::Coach(opening.coach_id.as_deref()), command)?;
        Ok(Done::at(week::position(reading, &outcome), "Check-in opened"))
    };
    service.blocking(open).await
}

/// A request to reopen a week.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"reason": "was away"}))]
pub struct ReopenBody {
    /// The client's words.
    reason: Option<String>,
}

/// Asks the coach to reopen a closed week.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments/{id}/request-reopen",
    operation_id = "requestReopen",
    tag = "check-ins",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), super::shapes::IdempotencyKey),
    request_body = Option<ReopenBody>,
    responses(
        (status = 200, description = "The request was recorded.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn request_reopen(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    OptionalBody(asking): OptionalBody<ReopenBody>,
) -> Result<At<Done>, ApiError> {
    let ask = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let command = |run, week| SeriesCommand::AskToReopen {
            run,
            week,
            reason: asking.reason.unwrap_or_default(),
        };
        let (_, outcome) = week::command(reading, &writing, &id, As::Client, command)?;
        Ok(Done::at(week::position(reading, &outcome), "Reopening requested"))
    };
    service.blocking(ask).await
}
