//! Shared by all tests of this crate: the fixtures, small exports, golden files, and stores.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollbook_domain::document::StoredClient;
use rollbook_domain::series::Series;
use rollbook_domain::{Collection, Document, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::{Durability, Log, OpenOptions};
use rollbook_migrations::audit::AuditSource;
use rollbook_migrations::export_reader::{Export, ExportSource, JsonDirectory};
use rollbook_migrations::import::{HeldDocument, ImportedState, body_digest};
use rollbook_migrations::monitor::Monitor;
use rollbook_projections::{Runtime, all};
use serde_json::{Value, json};
use uuid::Uuid;

pub const FIXTURES: [&str; 4] = ["tracker", "clean", "dirty", "dirty-london"];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name).join("export")
}

pub fn read_fixture(name: &str) -> Export {
    JsonDirectory::new(fixture(name)).read().unwrap()
}

/// The path of a golden file.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Compares bytes with a golden file. On a difference, writes them into a file beside it.
pub fn assert_golden(name: &str, actual: &[u8]) {
    let path = golden(name);
    if std::fs::read(&path).ok().as_deref() != Some(actual) {
        let beside = golden(&format!("{name}.actual"));
        std::fs::write(&beside, actual).unwrap();
        panic!("the bytes differ from {}; see {}", path.display(), beside.display());
    }
}

/// A new store with a fixed id and a fixed clock. It is unsealed, so that its bytes are always the
/// same.
pub fn fixed_store(directory: &Path) -> Runtime {
    let now: Timestamp = "2026-01-15T09:30:00Z".parse().unwrap();
    let options = OpenOptions {
        create: true,
        durability: Durability::Buffered,
        clock: Arc::new(move || now),
        store_id: Some(Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef)),
        unsealed: true,
        ..OpenOptions::default()
    };
    Runtime::new(Log::open(directory, options).unwrap(), all())
}

/// A monitor that never stops a run.
pub const MONITOR: Monitor<'static> = Monitor { progress: &|_, _| {}, interrupted: &|| false };

/// Every file of an export directory as JSON.
pub fn as_json(directory: &Path) -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                serde_json::from_str(&text).unwrap(),
            )
        })
        .collect()
}

/// Writes a collection's file.
pub fn write_collection(directory: &Path, name: &str, documents: &[Value]) {
    let file = json!({"collection": name, "exportDate": "2026-01-11T00:52:51.000Z", "totalDocuments": documents.len(), "documents": documents});
    std::fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
}

/// A directory with the three collections that every export has.
pub fn small_export(
    clients: &[Value],
    assignments: &[Value],
    responses: &[Value],
) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_collection(directory.path(), "clients", clients);
    write_collection(directory.path(), "check_in_assignments", assignments);
    write_collection(directory.path(), "formResponses", responses);
    directory
}

/// What a store holds after these events.
pub fn apply(held: &mut ImportedState, events: &[NewEvent]) {
    for event in events {
        match &event.event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                let place = (document.collection, document.id.clone(), event.stream.clone());
                let was_there = held
                    .documents
                    .insert(
                        place,
                        HeldDocument {
                            ordinal: document.ordinal,
                            digest: body_digest(document.body.expose().unwrap()),
                        },
                    )
                    .is_some();
                assert_eq!(
                    was_there,
                    matches!(event.event, Event::DocumentChanged(_)),
                    "{}",
                    document.id
                );
            }
            Event::DocumentRemoved { collection, id } => {
                assert!(
                    held.documents
                        .remove(&(*collection, id.clone(), event.stream.clone()))
                        .is_some(),
                    "{id}"
                );
            }
            other => panic!("no import makes {other:?}"),
        }
    }
    held.imports += 1;
}

/// A store in memory: series folded from events.
#[derive(Default)]
pub struct MemoryStore {
    pub clients: BTreeMap<String, StoredClient>,
    pub coaches: BTreeSet<String>,
    pub series: BTreeMap<StreamId, Series>,
    pub documents: Vec<(StreamId, Document)>,
}

impl MemoryStore {
    pub fn of(events: &[NewEvent]) -> Self {
        let mut store = Self::default();
        store.append(events);
        store
    }

    pub fn append(&mut self, events: &[NewEvent]) {
        for event in events {
            if let Event::DocumentImported(document) = &event.event {
                self.documents.push((event.stream.clone(), document.clone()));
                match document.collection {
                    Collection::Clients => {
                        self.clients.insert(
                            document.id.clone(),
                            StoredClient::read(document.body.expose().unwrap()),
                        );
                    }
                    Collection::Coaches => {
                        self.coaches.insert(document.id.clone());
                    }
                    _ => {}
                }
            }
            if matches!(event.stream, StreamId::Series { .. }) {
                self.series
                    .entry(event.stream.clone())
                    .or_default()
                    .apply(&event.stream, &event.event);
            }
        }
    }
}

impl AuditSource for MemoryStore {
    type Error = std::convert::Infallible;

    fn clients(&self) -> Result<BTreeMap<String, StoredClient>, Self::Error> {
        Ok(self.clients.clone())
    }

    fn coaches(&self) -> Result<BTreeSet<String>, Self::Error> {
        Ok(self.coaches.clone())
    }

    fn series(&self, each: &mut dyn FnMut(&StreamId, &Series)) -> Result<(), Self::Error> {
        self.series.iter().for_each(|(stream, series)| each(stream, series));
        Ok(())
    }

    fn documents(&self, each: &mut dyn FnMut(&StreamId, &Document)) -> Result<(), Self::Error> {
        self.documents.iter().for_each(|(stream, document)| each(stream, document));
        Ok(())
    }
}
