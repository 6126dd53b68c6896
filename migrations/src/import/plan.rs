//! The plan of an import: the events by which an export changes a store. Documents that are new,
//! changed or gone since the previous import give events; the others give none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::series::event_id;
use rollbook_domain::{Collection, Document, Event, JsonText, NewEvent, StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::digest::{self, body_digest, events_digest};
use super::routing::Routing;
use crate::export_reader::Export;

/// The place of a document: its collection, its `_id`, and the stream that contains it.
pub type DocumentPlace = (Collection, String, StreamId);

/// The state of one document in one stream of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldDocument {
    /// Its index in the file that it came from.
    pub ordinal: u32,
    /// SHA-256 of its body's canonical text: [`body_digest`].
    pub digest: [u8; 32],
}

/// What previous imports left in a store.
#[derive(Clone, Debug, Default)]
pub struct ImportedState {
    /// How many imports completed: the number of `ImportCompleted` events.
    pub imports: u64,
    /// Every document that an import added and no later import removed.
    pub documents: BTreeMap<DocumentPlace, HeldDocument>,
    /// When a person put the documents into the store that no import has replaced since.
    pub put: BTreeMap<DocumentPlace, Timestamp>,
    /// All ids of erased clients. Their documents are not imported.
    pub erased: BTreeSet<String>,
}

/// What an import does with the documents of one collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    /// Events for new documents.
    pub imported: u64,
    /// Events for changed documents.
    pub changed: u64,
    /// Events for documents that are gone or moved to another stream.
    pub removed: u64,
    /// Documents that the store already has.
    pub unchanged: u64,
    /// Documents that a person put into the store after the export was written. They stay as they
    /// are.
    pub kept: u64,
    /// Documents of erased clients, which are not imported.
    pub erased: u64,
}

/// A document that a person put into the store, and that an export has with another content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetPut {
    /// The name of the collection.
    pub collection: String,
    /// The id of the document.
    pub id: String,
    /// Whether the put stays, because it is not older than the export. Otherwise the document of the
    /// export replaces it.
    pub kept: bool,
}

impl MetPut {
    pub(super) fn of(collection: Collection, id: &str, kept: bool) -> Self {
        Self { collection: collection.name().to_owned(), id: id.to_owned(), kept }
    }
}

/// The plan of an import.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// The events, grouped by stream: clients, coaches and forms first, then series.
    pub events: Vec<NewEvent>,
    /// What the import does with each collection of the export.
    pub counts: BTreeMap<Collection, ImportCounts>,
    /// The documents that a person put into the store and that the export has with another content.
    pub puts: Vec<MetPut>,
    /// SHA-256 over the events, in hexadecimal: [`events_digest`].
    pub digest: String,
    collections: Vec<ExportedCollection>,
    summary: Option<JsonText>,
    pub(super) completed_at: Timestamp,
    pub(super) imports_before: u64,
}

impl ImportPlan {
    /// The control event that completes the import; `None` if the store already has an import and
    /// nothing changed.
    pub fn completed(&self, legacy_timezone: &str) -> Option<NewEvent> {
        if self.events.is_empty() && self.imports_before > 0 {
            return None;
        }
        let number = (self.imports_before + 1).to_string();
        let event = Event::ImportCompleted {
            digest: self.digest.clone(),
            legacy_timezone: legacy_timezone.to_owned(),
            collections: self.collections.clone(),
            summary: self.summary.clone(),
        };
        let id = Some(event_id(
            &StreamId::Control,
            &["import-completed", &self.digest, legacy_timezone, &number],
        ));
        Some(NewEvent { stream: StreamId::Control, id, occurred_at: self.completed_at, event })
    }
}

/// Plans the import of an export into a store with this state. The same export after the same
/// imports gives the same events, ids included, on every machine.
///
/// Documents of a collection that the export does not contain remain as they are.
pub fn plan_import(export: Export, held: &ImportedState) -> ImportPlan {
    let times = Times::of(&export);
    let routing = Routing::of(&export);
    let mut planner = Planner {
        held,
        times: &times,
        seen: HashMap::new(),
        counts: BTreeMap::new(),
        puts: Vec::new(),
        events: Vec::new(),
    };
    let mut collections = Vec::with_capacity(export.collections.len());
    for (exported, documents) in export.collections {
        planner.counts.insert(exported.collection, ImportCounts::default());
        for document in documents {
            let streams = routing.streams(&document);
            planner.document(document, streams);
        }
        collections.push(exported);
    }
    planner.removals();
    let Planner { mut events, counts, puts, .. } = planner;
    events.sort_by_cached_key(|(order, _)| order.clone());
    let events: Vec<NewEvent> = events.into_iter().map(|(_, event)| event).collect();
    let digest = events_digest(&events);
    ImportPlan {
        events,
        counts,
        puts,
        digest,
        collections,
        summary: export.summary,
        completed_at: times.latest(),
        imports_before: held.imports,
    }
}

/// When each collection was exported. It is the time of the events, because it is the same for
/// every store.
struct Times {
    of: BTreeMap<Collection, Timestamp>,
    fallback: Timestamp,
}

impl Times {
    fn of(export: &Export) -> Self {
        let fallback = export
            .summary
            .as_ref()
            .and_then(|summary| time_field(summary, "backupDate"))
            .unwrap_or(Timestamp::EPOCH);
        let of = export.collections.iter().filter_map(|(exported, _)| {
            Some((exported.collection, time_field(&exported.header, "exportDate")?))
        });
        Self { of: of.collect(), fallback }
    }

    fn at(&self, collection: Collection) -> Timestamp {
        self.of.get(&collection).copied().unwrap_or(self.fallback)
    }

    fn latest(&self) -> Timestamp {
        self.of.values().copied().max().unwrap_or(self.fallback)
    }
}

fn time_field(fields: &JsonText, name: &str) -> Option<Timestamp> {
    let fields: BTreeMap<String, &serde_json::value::RawValue> = fields.read().ok()?;
    serde_json::from_str(fields.get(name)?.get()).ok()
}

/// The sort key of events: kind of stream, stream, collection, index in the file, document.
type Order = (u8, String, Collection, u32, String);

struct Planner<'a> {
    held: &'a ImportedState,
    times: &'a Times,
    /// The streams of the export's documents.
    seen: HashMap<(Collection, String), Vec<StreamId>>,
    counts: BTreeMap<Collection, ImportCounts>,
    puts: Vec<MetPut>,
    events: Vec<(Order, NewEvent)>,
}

impl Planner<'_> {
    fn document(&mut self, document: Document, streams: Vec<StreamId>) {
        let collection = document.collection;
        let Some(digest) = document.body.expose().map(body_digest) else { return };
        for stream in &streams {
            let place = (collection, document.id.clone(), stream.clone());
            let before = self.held.documents.get(&place).copied();
            let put = self.held.put.get(&place).copied();
            let counts = self.counts.entry(collection).or_default();
            if stream.client().is_some_and(|client| self.held.erased.contains(client)) {
                counts.erased += 1;
                continue;
            }
            match before {
                Some(before) if before.digest == digest => counts.unchanged += 1,
                Some(_) if put.is_some_and(|put| self.times.at(collection) <= put) => {
                    counts.kept += 1;
                    self.puts.push(MetPut::of(collection, &document.id, true));
                }
                Some(before) => {
                    counts.changed += 1;
                    if put.is_some() {
                        self.puts.push(MetPut::of(collection, &document.id, false));
                    }
                    let id = self.id(
                        stream,
                        "changed",
                        (collection, &document.id),
                        Some(digest),
                        Some(before.digest),
                    );
                    self.push(
                        stream,
                        (document.ordinal, &document.id),
                        id,
                        collection,
                        Event::DocumentChanged(document.clone()),
                    );
                }
                None => {
                    counts.imported += 1;
                    let id =
                        self.id(stream, "imported", (collection, &document.id), Some(digest), None);
                    self.push(
                        stream,
                        (document.ordinal, &document.id),
                        id,
                        collection,
                        Event::DocumentImported(document.clone()),
                    );
                }
            }
        }
        self.seen.insert((collection, document.id), streams);
    }

    /// Adds events for documents that the export no longer has in their stream. A document that a
    /// person put into the store stays.
    fn removals(&mut self) {
        let held = self.held;
        for (place, before) in &held.documents {
            if held.put.contains_key(place) {
                continue;
            }
            let (collection, id, stream) = place;
            let Some(counts) = self.counts.get_mut(collection) else { continue };
            if self
                .seen
                .get(&(*collection, id.clone()))
                .is_some_and(|streams| streams.contains(stream))
            {
                continue;
            }
            counts.removed += 1;
            let event_id = self.id(stream, "removed", (*collection, id), None, Some(before.digest));
            self.push(
                stream,
                (before.ordinal, id),
                event_id,
                *collection,
                Event::DocumentRemoved { collection: *collection, id: id.clone() },
            );
        }
    }

    /// The id of an event. From the second import on it depends on the number of the import, so
    /// that removing and re-adding a document, or changing it back, gives a new event each time.
    fn id(
        &self,
        stream: &StreamId,
        kind: &str,
        (collection, document): (Collection, &str),
        to: Option<[u8; 32]>,
        from: Option<[u8; 32]>,
    ) -> uuid::Uuid {
        let hexadecimal =
            |digest: Option<[u8; 32]>| digest.map(digest::hexadecimal).unwrap_or_default();
        let (to, from) = (hexadecimal(to), hexadecimal(from));
        let number = (self.held.imports + 1).to_string();
        let mut parts = vec![kind, collection.name(), document, &to];
        if self.held.imports > 0 || !from.is_empty() {
            parts.extend([from.as_str(), number.as_str()]);
        }
        event_id(stream, &parts)
    }

    fn push(
        &mut self,
        stream: &StreamId,
        (ordinal, document): (u32, &str),
        id: uuid::Uuid,
        collection: Collection,
        event: Event,
    ) {
        let kind = match stream {
            StreamId::Client(_) => 0,
            StreamId::Coach(_) => 1,
            StreamId::Form(_) => 2,
            StreamId::Series { .. } => 3,
            StreamId::Control => 4,
        };
        let order = (kind, stream.to_string(), collection, ordinal, document.to_owned());
        let occurred_at = self.times.at(collection);
        self.events
            .push((order, NewEvent { stream: stream.clone(), id: Some(id), occurred_at, event }));
    }
}
