//! Tests of the use cases on a small store.

mod coaches;
mod keys;
mod puts;
mod reads;
mod switches;

use chrono::NaiveTime;
use rollbook_domain::event::{Audience, View};
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, NewEvent, Personal, StreamId, Timestamp,
};
use rollbook_log::{Commit, IdempotencyKey};
use tempfile::TempDir;

use super::switch::SwitchRequest;
use super::{AllocationRequest, allocate};
use crate::store::{CallerKey, Request, Store};

pub(super) struct Sample {
    pub(super) store: Store,
    _directory: TempDir,
}

/// A store in which the client `ada` has the coach `robin` (no document), and `kim` is a coach with
/// a document.
pub(super) fn sample() -> Sample {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), true).unwrap();
    let sample = Sample { store, _directory: directory };
    sample.document(
        StreamId::Client("ada".to_owned()),
        Collection::Clients,
        r#"{"_id":"ada","coachId":"robin"}"#,
    );
    sample.document(
        StreamId::Coach("kim".to_owned()),
        Collection::Coaches,
        r#"{"_id":"kim","firstName":"Kim"}"#,
    );
    sample.document(
        StreamId::Form("habits".to_owned()),
        Collection::Forms,
        r#"{"_id":"habits","title":"Habits"}"#,
    );
    sample
}

impl Sample {
    fn document(&self, stream: StreamId, collection: Collection, body: &str) {
        let id = match &stream {
            StreamId::Client(id) | StreamId::Coach(id) | StreamId::Form(id) => id.clone(),
            other => panic!("{other}"),
        };
        let body = Personal::new(JsonText::parse(body).unwrap());
        let document = Document::new(collection, id, 0, body);
        self.append(stream, Event::DocumentImported(document), None);
    }

    /// Appends an event as any writer of the log may.
    pub(super) fn append(&self, stream: StreamId, event: Event, key: Option<IdempotencyKey>) {
        let commit = Commit {
            events: vec![NewEvent { stream, id: None, occurred_at: now(), event }],
            expected: Vec::new(),
            actor: Actor::System("test".to_owned()),
            cause: "test".to_owned(),
            key,
        };
        self.store.log().append(commit).unwrap();
    }

    /// Allocates `habits` to `ada`; the id of week 1.
    pub(super) fn allocated(&self) -> String {
        let allocated =
            allocate(&self.store.reading(), &allocation("robin"), &request(None)).unwrap();
        let first = allocated.outcome.events().first().unwrap().event.clone();
        let Event::AssignmentCreated { assignment, .. } = first else { panic!("{first:?}") };
        assignment.to_string()
    }
}

pub(super) fn now() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

pub(super) fn request(key: Option<&str>) -> Request {
    let key = key.map(CallerKey::of_command_line);
    Request { actor: Actor::Admin("test".to_owned()), now: now(), key, cause: None }
}

pub(super) fn allocation(coach: &str) -> AllocationRequest {
    AllocationRequest {
        client: "ada".to_owned(),
        form: "habits".to_owned(),
        coach: coach.to_owned(),
        first_due: None,
        start: None,
        due_time: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
        weeks: 4,
        once: false,
        extend: false,
        status: None,
        title: None,
        description: String::new(),
        assigned_by: None,
        window: None,
        allow_unknown: false,
    }
}

pub(super) fn switch_to(
    view: View,
    audience: &Audience,
    reason: &str,
    force: bool,
) -> SwitchRequest {
    let (percent, clients) = match audience {
        Audience::Everyone => (None, Vec::new()),
        Audience::Percent(percent) => (Some(*percent), Vec::new()),
        Audience::Clients(clients) => (None, clients.clone()),
    };
    SwitchRequest { view, percent, clients, reason: reason.to_owned(), force }
}
