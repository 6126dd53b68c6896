//! Adapters from a store (its log and its projections' rows) to the inputs of import, audit and
//! export. The rows must be at the intended position already.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::document::StoredClient;
use rollbook_domain::series::Series;
use rollbook_domain::{Collection, Document, Event, EventRecord, Position, StreamId};
use rollbook_log::{Log, LogError};
use rollbook_projections::directory::{Directory, keys};
use rollbook_projections::rows::{RowSource, decode};
use rollbook_projections::views::{PrecreatedView, each_series};
use rollbook_projections::{ProjectionError, Snapshot, documents};

use crate::audit::AuditSource;
use crate::export_writer::{
    DocumentSource, ExportError, ExportMetadata, NO_PLACE, stream_documents,
};
use crate::import::{HeldDocument, ImportedState};

impl ImportedState {
    /// Reads the state from the rows of the projection `documents` and the events of the control
    /// stream.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn read(rows: &dyn RowSource, control: &[EventRecord]) -> Result<Self, ProjectionError> {
        let mut held = Self { imports: imports(control).count() as u64, ..Self::default() };
        for collection in Collection::ALL {
            documents::each(rows, collection, &mut |id, stream, row| {
                let document = HeldDocument { ordinal: row.ordinal, digest: row.digest };
                held.documents.insert((collection, id.to_owned(), stream), document);
                Ok(())
            })?;
        }
        Ok(held)
    }

    /// Adds when each document was put by a person, unless an import has replaced it since.
    ///
    /// # Errors
    /// If the rows or the log cannot be read.
    pub fn with_puts(mut self, rows: &dyn RowSource, log: &Log) -> Result<Self, ProjectionError> {
        for collection in [Collection::Clients, Collection::Coaches, Collection::Forms] {
            documents::each(rows, collection, &mut |id, stream, row| {
                if row.ordinal == NO_PLACE
                    && let Some(recorded) = log.at(row.position)?
                {
                    self.put.insert((collection, id.to_owned(), stream), recorded.occurred_at);
                }
                Ok(())
            })?;
        }
        Ok(self)
    }
}

impl ExportMetadata {
    /// The metadata of all imports. For each collection the last import that contained it counts.
    pub fn of(control: &[EventRecord]) -> Self {
        let mut collections = BTreeMap::new();
        let mut before = Self::default();
        for (exported, summary) in imports(control) {
            collections
                .extend(exported.iter().map(|exported| (exported.collection, exported.clone())));
            before.summary = summary.clone().or(before.summary);
        }
        before.collections = collections.into_values().collect();
        before
    }
}

type ImportRecord<'a> =
    (&'a [rollbook_domain::event::ExportedCollection], &'a Option<rollbook_domain::JsonText>);

fn imports(control: &[EventRecord]) -> impl Iterator<Item = ImportRecord<'_>> {
    control.iter().filter_map(|recorded| match &recorded.event {
        Event::ImportCompleted { collections, summary, .. } => {
            Some((collections.as_slice(), summary))
        }
        _ => None,
    })
}

/// An audit of the directory, the rows of the pre-created view, and the documents of the log at
/// the same position.
pub struct StoredAudit<'a> {
    /// The rows.
    pub snapshot: &'a Snapshot,
    /// The log.
    pub log: &'a Log,
}

fn id_after(prefix: &[u8], key: &[u8]) -> String {
    String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned()
}

impl AuditSource for StoredAudit<'_> {
    type Error = ProjectionError;

    fn clients(&self) -> Result<BTreeMap<String, StoredClient>, ProjectionError> {
        let mut clients = BTreeMap::new();
        self.snapshot.rows::<Directory>()?.0.scan(keys::ALL_CLIENTS, &mut |key, value| {
            clients.insert(id_after(keys::ALL_CLIENTS, key), decode(key, value)?);
            Ok(())
        })?;
        Ok(clients)
    }

    fn coaches(&self) -> Result<BTreeSet<String>, ProjectionError> {
        let mut coaches = BTreeSet::new();
        self.snapshot.rows::<Directory>()?.0.scan(keys::ALL_COACHES, &mut |key, _| {
            coaches.insert(id_after(keys::ALL_COACHES, key));
            Ok(())
        })?;
        Ok(coaches)
    }

    fn series(&self, each: &mut dyn FnMut(&StreamId, &Series)) -> Result<(), ProjectionError> {
        let (rows, _) = self.snapshot.rows::<PrecreatedView>()?;
        each_series(&rows, &mut |stream, series: Series| {
            each(&stream, &series);
            Ok(())
        })
    }

    fn documents(&self, each: &mut dyn FnMut(&StreamId, &Document)) -> Result<(), ProjectionError> {
        let (_, until) = self.snapshot.rows::<PrecreatedView>()?;
        for prefix in WITH_DOCUMENTS {
            for stream in self.log.streams_with_prefix(prefix)? {
                let events = self.log.stream_until(&stream, 0, until)?;
                stored_now(&events).into_values().for_each(|document| each(&stream, document));
            }
        }
        Ok(())
    }
}

/// The imported documents that the events of one stream leave.
fn stored_now(events: &[EventRecord]) -> BTreeMap<(Collection, &str), &Document> {
    let mut held = BTreeMap::new();
    for recorded in events {
        match &recorded.event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                held.insert((document.collection, document.id.as_str()), document);
            }
            Event::DocumentRemoved { collection, id } => {
                held.remove(&(*collection, id.as_str()));
            }
            _ => {}
        }
    }
    held
}

/// A log up to a position as the input of an export.
pub struct LogDocuments<'a> {
    /// The log.
    pub log: &'a Log,
    /// The position.
    pub until: Position,
}

/// The prefixes of the names of streams that contain documents.
const WITH_DOCUMENTS: [&str; 4] = ["client/", "coach/", "form/", "series/"];

impl DocumentSource for LogDocuments<'_> {
    fn each_document(
        &self,
        take: &mut dyn FnMut(&Document) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let store = |error: LogError| ExportError::Store(Box::new(error));
        for prefix in WITH_DOCUMENTS {
            for stream in self.log.streams_with_prefix(prefix).map_err(store)? {
                let events = self.log.stream_until(&stream, 0, self.until).map_err(store)?;
                stream_documents(&stream, &events).iter().try_for_each(&mut *take)?;
            }
        }
        Ok(())
    }
}
