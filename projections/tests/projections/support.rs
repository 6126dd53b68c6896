//! A real log in a temporary directory, an export's documents routed to their streams, and answers
//! of both views.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rollbook_domain::document::{StoredClient, feedback_response};
use rollbook_domain::event::{NewEvent, View};
use rollbook_domain::series::decide::Decider;
use rollbook_domain::series::{Series, event_id};
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, Personal, StreamId, Timestamp,
};
use rollbook_log::{Commit, Durability, ExpectedVersion, Log, OpenOptions};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::rows::RowSource;
use rollbook_projections::views::{self, ViewRows};
use rollbook_projections::{DynProjection, Runtime, directory};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A log, made when it is not there. Rows and events survive the process, which is all that these
/// tests ask of it.
pub fn open(directory: &Path) -> Log {
    Log::open(
        directory,
        OpenOptions { create: true, durability: Durability::Buffered, ..OpenOptions::default() },
    )
    .unwrap()
}

pub fn catch_up(runtime: &Runtime) -> u64 {
    runtime.catch_up(&|_, _| {}).unwrap()
}

/// Every projection, from position 1 in a store of its own that holds the same events.
pub fn fresh(log: &Log, projections: Vec<Box<dyn DynProjection>>) -> (tempfile::TempDir, Runtime) {
    let directory = tempfile::tempdir().unwrap();
    let copy = copy_of(log, directory.path(), u64::MAX);
    let runtime = Runtime::new(copy, projections);
    catch_up(&runtime);
    (directory, runtime)
}

/// A log with the events 1 to `until` of another.
pub fn copy_of(log: &Log, directory: &Path, until: u64) -> Log {
    let copy = open(directory);
    for commit in log.commits_after(0) {
        let events: Vec<NewEvent> =
            (commit.unwrap().into_iter().filter(|recorded| recorded.position <= until))
                .map(|recorded| NewEvent {
                    stream: recorded.stream,
                    id: Some(recorded.id),
                    occurred_at: recorded.occurred_at,
                    event: recorded.event,
                })
                .collect();
        if !events.is_empty() {
            append(&copy, events);
        }
    }
    copy
}

pub fn commit(events: Vec<NewEvent>) -> Commit {
    Commit {
        events,
        expected: vec![],
        actor: Actor::System("test".into()),
        cause: "test".into(),
        key: None,
    }
}

pub fn append(log: &Log, events: Vec<NewEvent>) {
    log.append(commit(events)).unwrap();
}

pub fn new_event(stream: &StreamId, event: Event) -> NewEvent {
    let id = match &event {
        Event::AssignmentCreated { assignment, .. } => Some(*assignment),
        _ => None,
    };
    NewEvent { stream: stream.clone(), id, occurred_at: Timestamp::EPOCH, event }
}

/// Events on one stream, which must be at the version its events say.
pub fn append_at(log: &Log, stream: &StreamId, version: u64, events: Vec<Event>) {
    let mut commit = commit(events.into_iter().map(|event| new_event(stream, event)).collect());
    commit.expected = vec![(stream.clone(), ExpectedVersion::Exact(version))];
    log.append(commit).unwrap();
}

pub fn document(collection: Collection, id: &str, body: &str) -> Document {
    Document::new(collection, id.into(), 0, Personal::new(JsonText::parse(body).unwrap()))
}

/// The series as deciders see it, folded from the log, and its version.
pub fn series(log: &Log, stream: &StreamId) -> (Series, u64) {
    let mut series = Series::default();
    let events = log.stream(stream, 0).unwrap();
    events.iter().for_each(|recorded| series.apply(stream, &recorded.event));
    (series, events.len() as u64)
}

pub fn decider<'a>(
    client: &'a str,
    form: &'a str,
    series: &'a Series,
    now: Timestamp,
) -> Decider<'a> {
    Decider { client, form, series, now, zone: rollbook_domain::calendar::Zone::UTC }
}

/// What a view answers, as text.
pub fn body<R: RowSource>(rows: &ViewRows<R>, client: &str, now: Timestamp) -> String {
    let identity = directory::identify(&rows.directory, client).unwrap();
    let asked = ListParameters {
        now,
        overdue_after_milliseconds: rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS,
    };
    views::answer(rows, &identity, asked, |answer| answer.to_json()).unwrap()
}

pub fn view(runtime: &Runtime, view: View, client: &str, now: Timestamp) -> String {
    let snapshot = runtime.snapshot().unwrap();
    body(&snapshot.view(view).unwrap().0, client, now)
}

/// `tests/fixtures/<name>` of the repository.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

fn documents(export: &Path, collection: Collection) -> Vec<Document> {
    let text = std::fs::read_to_string(export.join(format!("{}.json", collection.name()))).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let read = |(ordinal, document): (usize, &serde_json::Value)| {
        let mut fields = document.as_object().unwrap().clone();
        let id = fields.remove("_id").unwrap().as_str().unwrap().to_owned();
        Document::new(
            collection,
            id,
            u32::try_from(ordinal).unwrap(),
            Personal::new(JsonText::from_value(&fields.into())),
        )
    };
    file["documents"].as_array().unwrap().iter().enumerate().map(read).collect()
}

/// An export's documents as events in their streams, and the old server's zone: one commit a
/// hundred events.
pub fn import(log: &Log, export: &Path, zone: &str) {
    let collections = [
        Collection::Clients,
        Collection::Coaches,
        Collection::CheckInAssignments,
        Collection::FormResponses,
        Collection::CoachFeedback,
    ];
    let all: BTreeMap<Collection, Vec<Document>> = collections
        .into_iter()
        .map(|collection| (collection, documents(export, collection)))
        .collect();
    let streams = Streams::of(&all);
    let mut events = Vec::new();
    for document in all.into_values().flatten() {
        for stream in streams.of_document(&document) {
            let id =
                Some(event_id(&stream, &["imported", document.collection.name(), &document.id]));
            events.push(NewEvent {
                stream,
                id,
                occurred_at: Timestamp::EPOCH,
                event: Event::DocumentImported(document.clone()),
            });
        }
    }
    let completed = Event::ImportCompleted {
        digest: "test".into(),
        legacy_timezone: zone.into(),
        collections: vec![],
        summary: None,
    };
    events.push(new_event(&StreamId::Control, completed));
    events.chunks(100).for_each(|events| append(log, events.to_vec()));
}

/// The least routing there is: a client's identities are one client, and feedback stands where its
/// response is named.
#[derive(Default)]
struct Streams {
    canonical: HashMap<String, String>,
    named_in: HashMap<String, Vec<StreamId>>,
}

fn field(document: &Document, name: &str) -> String {
    let fields: BTreeMap<String, serde_json::Value> =
        document.body.expose().unwrap().read().unwrap();
    fields.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

impl Streams {
    fn of(all: &BTreeMap<Collection, Vec<Document>>) -> Self {
        let mut streams = Self::default();
        let mut clients: Vec<&Document> = all[&Collection::Clients].iter().collect();
        clients.sort_by(|a, b| a.id.cmp(&b.id));
        for client in &clients {
            let other = StoredClient::read(client.body.expose().unwrap()).auth_uid;
            streams.canonical.entry(other).or_insert_with(|| client.id.clone());
        }
        for client in clients {
            streams.canonical.insert(client.id.clone(), client.id.clone());
        }
        for assignment in &all[&Collection::CheckInAssignments] {
            let stream = streams.series(assignment);
            let named = streams.named_in.entry(field(assignment, "responseId")).or_default();
            if !named.contains(&stream) {
                named.push(stream);
            }
        }
        streams
    }

    fn series(&self, document: &Document) -> StreamId {
        let stored = field(document, "clientId");
        StreamId::series(self.canonical.get(&stored).unwrap_or(&stored), &field(document, "formId"))
    }

    fn of_document(&self, document: &Document) -> Vec<StreamId> {
        match document.collection {
            Collection::Clients => vec![StreamId::Client(document.id.clone())],
            Collection::Coaches => vec![StreamId::Coach(document.id.clone())],
            Collection::CoachFeedback => self
                .named_in
                .get(&feedback_response(document.body.expose().unwrap()))
                .cloned()
                .unwrap_or_else(|| vec![StreamId::Client("nobody".into())]),
            _ => vec![self.series(document)],
        }
    }
}
