//! Schemas of types from crates without OpenAPI. A test compares responses with these schemas.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

pub use rollbook_application::reports::schemas::{LeftAsItIs, RecordedCheck, ViewName};

/// When a created week is due.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Due {
    /// On the Monday of its week at 09:00.
    Monday,
    /// On the base's weekday at 09:00.
    Weekday,
}

/// The kind of a migration.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum PlanKind {
    /// Stores every week of a recurring series as an assignment of its own.
    Precreate,
    /// Moves due dates to one day of the week.
    Realign,
    /// Changes the check-in window of weeks from an instant on.
    Window,
    /// Undoes a batch that changed weeks.
    Inverse,
}

/// A day of the week.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum DayOfWeek {
    /// The first day of a week.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

/// An event, as in histories, pages, live events and `rollbook history --json`.
#[derive(Debug, ToSchema)]
#[schema(example = json!({
    "position": 812, "stream": "control", "version": 4, "id": "0197f3a1-6c1e-7c52-8a7e-0d5c6f3b2a10",
    "occurred_at": "2026-01-15T09:30:00.000Z", "recorded_at": "2026-01-15T09:30:00.125Z", "actor": {"role": "admin", "id": "robin"},
    "cause": "0197f3a1-6c1e-7c52-8a7e-0d5c6f3b2a11",
    "event": {"type": "ViewSwitched", "data": {"view": "precreated", "audience": {"scope": "percent", "value": 10}, "reason": "first tenth", "forced": false}},
    "name": "ViewSwitched", "why": "first tenth", "batch": null
}))]
pub struct RecordedEvent {
    /// The position in the log, from 1, without gaps.
    pub position: u64,
    /// The stream.
    pub stream: String,
    /// The version in the stream, from 1, without gaps.
    pub version: u64,
    /// The id of the event.
    pub id: String,
    /// The time of the event.
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// The time of recording.
    #[schema(format = DateTime)]
    pub recorded_at: String,
    /// The actor.
    pub actor: EventActor,
    /// The cause: the key or id of a request, or the digest of a batch.
    pub cause: String,
    /// The content of an event.
    pub event: EventContent,
    /// The name of the event in histories, such as `ResponseImported`.
    pub name: String,
    /// The reason, if it is known.
    pub why: Option<String>,
    /// The digest of the batch or import that it belongs to.
    pub batch: Option<String>,
}

/// A server-sent event.
#[derive(Debug, ToSchema)]
pub struct LiveEvent {
    /// The position of the event: the `Last-Event-ID` to continue after it.
    #[schema(pattern = "^[0-9]+$")]
    pub id: String,
    /// The event, as JSON: see `RecordedEvent`.
    pub data: String,
}

/// The actor of an event.
#[derive(Debug, ToSchema)]
pub struct EventActor {
    /// The role: client, coach, admin, system or migration.
    pub role: String,
    /// The id or name of the actor, or the digest of a batch.
    pub id: String,
}

/// The content of an event.
#[derive(Debug, ToSchema)]
pub struct EventContent {
    /// The name of the event, such as `AssignmentCreated`.
    pub r#type: String,
    /// The fields of the event. `[…]` replaces personal content unless it was requested.
    pub data: Value,
}

/// The list that a client saw.
#[derive(Debug, ToSchema)]
pub struct SeenList {
    /// The client's id, as given.
    pub client: String,
    /// The instant.
    #[schema(format = DateTime)]
    pub at: String,
    /// The last position recorded by then.
    pub position: u64,
    /// The time at which that position was recorded; null if nothing was recorded yet.
    #[schema(format = DateTime)]
    pub recorded_at: Option<String>,
    /// The view that served the client.
    pub view: ViewName,
    /// The switch at that time.
    pub switch: SwitchState,
    /// The body of the list.
    pub body: crate::http::drop_in::shapes::CheckIns,
}

/// The state of the switch.
#[derive(Debug, ToSchema)]
pub struct SwitchState {
    /// The view of all clients without an exception.
    pub default: ViewName,
    /// The percentage of clients that had the other view.
    pub other_percent: u8,
    /// Clients by document id.
    pub clients: BTreeMap<String, ViewName>,
    /// The number of earlier switches.
    pub switched: u64,
}

/// The result of applying a batch.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"digest": "3f9a1c…", "series": 28, "created": 691, "linked": 2, "adopted": 0, "skipped": 0, "left_out": {"already": 0, "taken": 0, "withdrawn": 0, "erased": 0}, "head": 1024}))]
pub struct AppliedBatch {
    /// The digest of the batch.
    pub digest: String,
    /// The number of series that the migration concerns.
    pub series: u64,
    /// The number of weeks that this run created.
    pub created: u64,
    /// The number of responses that this run linked.
    pub linked: u64,
    /// The number of responses that this run adopted.
    pub adopted: u64,
    /// The number of weeks that this run changed.
    pub changed: u64,
    /// The number of events of the batch that this run left out.
    pub skipped: u64,
    /// The events that were left out, by reason.
    pub left_out: LeftOut,
    /// The head of the log after the run.
    pub head: u64,
}

/// The number of events that a run left out, by reason.
#[derive(Debug, ToSchema)]
pub struct LeftOut {
    /// An earlier run of the same batch appended them.
    pub already: u64,
    /// The week was stored, answered or marked as missed meanwhile, or has the due date or window
    /// already, or the response was linked meanwhile.
    pub taken: u64,
    /// The week or its series was withdrawn meanwhile.
    pub withdrawn: u64,
    /// The client was erased.
    pub erased: u64,
}

/// The result of all checks on one state of the store.
#[derive(Debug, ToSchema)]
pub struct ValidationOutcome {
    /// The digest of the batch that was applied last; empty if there is none.
    pub digest: String,
    /// The head of the log that was checked.
    pub at: u64,
    /// The checks, in their order.
    pub checks: Vec<CheckedOutcome>,
    /// The number of checks that passed.
    pub green: u64,
    /// The number of checks.
    pub total: u64,
    /// Whether every check passed.
    pub all_green: bool,
    /// Accepted findings that no check finds any more. Absent if there are none.
    #[schema(required = false)]
    pub stale: Vec<FindingAccepted>,
}

/// The result of one check.
#[derive(Debug, ToSchema)]
pub struct CheckedOutcome {
    /// The name of the check.
    pub name: String,
    /// Whether the check passed.
    pub green: bool,
    /// The result, in one line.
    pub detail: String,
    /// The findings that are not accepted, if the check is red.
    pub findings: Vec<String>,
    /// The id of each of these findings, in the same order. Absent if there are none.
    #[schema(required = false)]
    pub finding_ids: Vec<String>,
    /// The accepted findings. Absent if there are none.
    #[schema(required = false)]
    pub accepted: Vec<FindingAccepted>,
}

/// An accepted finding.
#[derive(Debug, ToSchema)]
pub struct FindingAccepted {
    /// The id.
    pub id: String,
    /// The name of the check.
    pub check: String,
    /// The finding in words; what it is about, if it is no longer found.
    pub what: String,
    /// What the finding is about, as recorded.
    pub about: String,
    /// The reason for accepting it.
    pub reason: String,
    /// Who accepted it, such as `admin:robin`.
    pub by: String,
    /// The position of the event that accepted it.
    pub position: u64,
}

/// The comparison of both views.
#[derive(Debug, ToSchema)]
pub struct Parity {
    /// The number of compared clients.
    pub clients: u64,
    /// The number of compared instants, over all clients.
    pub instants: u64,
    /// By class: the number of weeks that differ at some instant.
    pub differences: BTreeMap<String, u64>,
    /// Examples of each class.
    pub examples: BTreeMap<String, Vec<Difference>>,
    /// The decisions behind the class `changed-since`; the first of them in the order of the log.
    /// Absent if there are none.
    #[schema(required = false)]
    pub decisions: Vec<Decision>,
    /// The number of differences that no class explains.
    pub unexplained_total: u64,
    /// The first of these differences.
    pub unexplained: Vec<Unexplained>,
}

/// One difference of a class.
#[derive(Debug, ToSchema)]
pub struct Difference {
    /// The client's document id.
    pub client: String,
    /// The first instant at which the views differ.
    #[schema(format = DateTime)]
    pub at: String,
    /// The form; empty for the summary.
    pub form: String,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
    /// The field, or `entry` if only one view shows the week.
    pub what: String,
    /// The legacy view's value.
    pub legacy: String,
    /// The pre-created view's value.
    pub precreated: String,
    /// The event that causes the difference, in words; only for `changed-since`.
    #[schema(required = false, nullable = false)]
    pub event: Option<String>,
}

/// A recorded decision that causes differences.
#[derive(Debug, ToSchema)]
pub struct Decision {
    /// The position of its event.
    pub position: u64,
    /// The client's document id.
    pub client: String,
    /// The form.
    pub form: String,
    /// The number of fields of weeks that differ because of it.
    pub differences: u64,
    /// The event and one of these weeks.
    pub event: String,
}

/// A difference that no class explains.
#[derive(Debug, ToSchema)]
pub struct Unexplained {
    /// The client's document id.
    pub client: String,
    /// The first instant at which the views differ.
    #[schema(format = DateTime)]
    pub at: String,
    /// The form; empty for the summary.
    pub form: String,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
    /// The field, or the only view that shows the week, with both values.
    pub what: String,
}
