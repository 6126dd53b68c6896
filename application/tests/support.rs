//! Stores for tests: commands, clients, an erased client, copies.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rollbook_application::code::{Code, Coded};
use rollbook_application::store::{Request, SeriesCommand, Store, StoreError};
use rollbook_domain::event::Terms;
use rollbook_domain::series::decide::Allocation;
use rollbook_domain::series::event_id;
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, NewEvent, Personal, StreamId, Timestamp,
};
use rollbook_log::Commit;

pub fn now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

pub fn request() -> Request {
    Request { actor: Actor::Admin("tester".to_owned()), now: now(), key: None, cause: None }
}

/// Opens a store that exists. Retries while it is locked: a child process of another test may have
/// a copy of the lock.
pub fn open(directory: &Path) -> Store {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Store::open(directory, false) {
            Err(error) if is_in_use(&error) && Instant::now() < deadline => {
                std::thread::yield_now();
            }
            opened => return opened.unwrap(),
        }
    }
}

/// Hold this while taking backups: a process takes one at a time.
pub fn backing_up() -> MutexGuard<'static, ()> {
    static BACKING_UP: Mutex<()> = Mutex::new(());
    BACKING_UP.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_in_use(error: &StoreError) -> bool {
    error.code() == Code::InUse
}

/// Allocates a form to a client.
pub fn allocation(client: &str) -> (StreamId, SeriesCommand) {
    let terms = Terms {
        stored_client: client.to_owned(),
        coach: "coach".to_owned(),
        title: "Weekly".to_owned(),
        description: String::new(),
        assigned_by: None,
        assigned_at: Some(now()),
        window: None,
        recurring: true,
        total_weeks: 4,
    };
    let first_due = "2026-03-02T09:00:00Z".parse().unwrap();
    let allocation = Allocation { terms, first_due, status: None, extend: false };
    (StreamId::series(client, "form"), SeriesCommand::Allocate(allocation))
}

fn commit(stream: StreamId, id: Option<uuid::Uuid>, event: Event) -> Commit {
    Commit {
        events: vec![NewEvent { stream, id, occurred_at: now(), event }],
        expected: Vec::new(),
        actor: request().actor,
        cause: "test".to_owned(),
        key: None,
    }
}

/// The import of a client document.
pub fn client(id: &str) -> Commit {
    let body = Personal::new(JsonText::parse(r#"{"onboardingStatus":"completed"}"#).unwrap());
    let document = Document::new(Collection::Clients, id.to_owned(), 0, body);
    commit(StreamId::Client(id.to_owned()), None, Event::DocumentImported(document))
}

/// The erasure of a client.
pub fn erasure(client: &str) -> Commit {
    let stream = StreamId::Client(client.to_owned());
    let id = event_id(&stream, &["client-erased"]);
    let event = Event::ClientErased {
        client: client.to_owned(),
        ids: vec![client.to_owned()],
        reason: "asked for it".to_owned(),
    };
    commit(stream, Some(id), event)
}

pub fn is_erased(store: &Store, client: &str) -> bool {
    store.log().is_erased(&StreamId::Client(client.to_owned()))
}

pub fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
