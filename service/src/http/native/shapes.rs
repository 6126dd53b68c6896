//! Schemas of types that other crates serialize and that know no OpenAPI. A test compares the
//! answers with these schemas.

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
    /// Place in the stream, from 1, without gaps.
    pub version: u64,
    /// The event's id, the same wherever the same thing is recorded.
    pub id: String,
    /// When it happened.
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// When the log recorded it.
    #[schema(format = DateTime)]
    pub recorded_at: String,
    /// On whose behalf.
    pub actor: EventActor,
    /// What caused it: a request's key or id, or the digest of a batch.
    pub cause: String,
    /// What happened.
    pub event: EventContent,
    /// Its name in histories, such as `ResponseImported`.
    pub name: String,
    /// Why it happened, where that is known.
    pub why: Option<String>,
    /// The digest of the batch or import that it came with.
    pub batch: Option<String>,
}

/// One of the server-sent events.
#[derive(Debug, ToSchema)]
pub struct LiveEvent {
    /// The event's position: the `Last-Event-ID` to continue after it.
    #[schema(pattern = "^[0-9]+$")]
    pub id: String,
    /// The event, as JSON: see `RecordedEvent`.
    pub data: String,
}

/// Who acted.
#[derive(Debug, ToSchema)]
pub struct EventActor {
    /// As what: client, coach, admin, system or migration.
    pub role: String,
    /// Who: an id, a name, or a batch's digest.
    pub id: String,
}

/// What happened.
#[derive(Debug, ToSchema)]
pub struct EventContent {
    /// Its name in the past tense, such as `AssignmentCreated`.
    pub r#type: String,
    /// Its data. Personal content reads `[…]` unless it was requested.
    pub data: Value,
}

/// What a client saw.
#[derive(Debug, ToSchema)]
pub struct SeenList {
    /// The requested id.
    pub client: String,
    /// The instant.
    #[schema(format = DateTime)]
    pub at: String,
    /// The last position recorded by then.
    pub position: u64,
    /// When that was recorded; null when nothing was yet.
    #[schema(format = DateTime)]
    pub recorded_at: Option<String>,
    /// The view that served the client.
    pub view: ViewName,
    /// The switch at that time.
    pub switch: SwitchState,
    /// The body that the endpoint answered, or would have answered.
    pub body: crate::http::drop_in::shapes::CheckIns,
}

/// The switch: which view served which client.
#[derive(Debug, ToSchema)]
pub struct SwitchState {
    /// The view of all clients without an exception.
    pub default: ViewName,
    /// The percentage of clients that had the other view.
    pub other_percent: u8,
    /// Clients by document id.
    pub clients: BTreeMap<String, ViewName>,
    /// How often it was switched before.
    pub switched: u64,
}

/// What applying a batch did.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"digest": "3f9a1c…", "series": 28, "created": 691, "linked": 2, "adopted": 0, "skipped": 0, "left_out": {"already": 0, "taken": 0, "withdrawn": 0, "erased": 0}, "head": 1024}))]
pub struct AppliedBatch {
    /// The batch's digest.
    pub digest: String,
    /// Series that the migration is about.
    pub series: u64,
    /// Weeks created now.
    pub created: u64,
    /// Responses linked now.
    pub linked: u64,
    /// Responses adopted now.
    pub adopted: u64,
    /// Events of the batch that this run left out.
    pub skipped: u64,
    /// The same events by reason.
    pub left_out: LeftOut,
    /// The head of the log afterwards.
    pub head: u64,
}

/// Events of a batch that a run left out, by reason.
#[derive(Debug, ToSchema)]
pub struct LeftOut {
    /// An earlier run of the same batch appended them.
    pub already: u64,
    /// The week was stored or answered meanwhile, or the response was linked meanwhile.
    pub taken: u64,
    /// The week or its series was withdrawn meanwhile.
    pub withdrawn: u64,
    /// The client was erased.
    pub erased: u64,
}

/// All checks on one state of the store.
#[derive(Debug, ToSchema)]
pub struct ValidationOutcome {
    /// The batch that was applied last; empty when there is none.
    pub digest: String,
    /// The head that was looked at.
    pub at: u64,
    /// The checks, in their order.
    pub checks: Vec<CheckedOutcome>,
    /// How many hold.
    pub green: u64,
    /// Of how many.
    pub total: u64,
    /// Whether all do.
    pub all_green: bool,
}

/// One check.
#[derive(Debug, ToSchema)]
pub struct CheckedOutcome {
    /// Its name.
    pub name: String,
    /// Whether it holds.
    pub green: bool,
    /// The result, in one line.
    pub detail: String,
    /// The findings, if it does not hold.
    pub findings: Vec<String>,
}

/// Both views, compared.
#[derive(Debug, ToSchema)]
pub struct Parity {
    /// How many clients were compared.
    pub clients: u64,
    /// At how many instants, all clients together.
    pub instants: u64,
    /// By class: how many weeks differ so at some instant.
    pub differences: BTreeMap<String, u64>,
    /// A few of each class.
    pub examples: BTreeMap<String, Vec<Difference>>,
    /// The decisions behind the class `changed-since`; the first of them in the order of the log.
    /// Absent if there are none.
    #[schema(required = false)]
    pub decisions: Vec<Decision>,
    /// How many differences no class explains.
    pub unexplained_total: u64,
    /// The first of them.
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
    /// The first instant at which it shows.
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
