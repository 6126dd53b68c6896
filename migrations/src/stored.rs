//! The parts of this crate over a real store: what an import compares with, an audit reads and an export writes, taken from the
//! log and from the projections' rows. Owns the reading only; the rows must have reached the head that is meant.

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
use crate::export::{ExportError, ExportedBefore, ExportedDocuments, stream_documents};
use crate::import::{Held, HeldDocument};

impl Held {
    /// What a store holds: from the rows of the projection `documents`, and the events of the control stream.
    ///
    /// # Errors
    /// When the rows cannot be read.
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
}

impl ExportedBefore {
    /// What the imports so far said: a later one counts for every collection it had.
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

type Imported<'a> =
    (&'a [rollbook_domain::event::ExportedCollection], &'a Option<rollbook_domain::JsonText>);

fn imports(control: &[EventRecord]) -> impl Iterator<Item = Imported<'_>> {
    control.iter().filter_map(|recorded| match &recorded.event {
        Event::ImportCompleted { collections, summary, .. } => {
            Some((collections.as_slice(), summary))
        }
        _ => None,
    })
}

/// An audit of the directory and the rows of the pre-created view.
pub struct StoredAudit<'a>(pub &'a Snapshot);

fn id_behind(prefix: &[u8], key: &[u8]) -> String {
    String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned()
}

impl AuditSource for StoredAudit<'_> {
    type Error = ProjectionError;

    fn clients(&self) -> Result<BTreeMap<String, StoredClient>, ProjectionError> {
        let mut clients = BTreeMap::new();
        self.0.rows::<Directory>()?.0.scan(keys::ALL_CLIENTS, &mut |key, value| {
            clients.insert(id_behind(keys::ALL_CLIENTS, key), decode(key, value)?);
            Ok(())
        })?;
        Ok(clients)
    }

    fn coaches(&self) -> Result<BTreeSet<String>, ProjectionError> {
        let mut coaches = BTreeSet::new();
        self.0.rows::<Directory>()?.0.scan(keys::ALL_COACHES, &mut |key, _| {
            coaches.insert(id_behind(keys::ALL_COACHES, key));
            Ok(())
        })?;
        Ok(coaches)
    }

    fn series(&self, each: &mut dyn FnMut(&StreamId, &Series)) -> Result<(), ProjectionError> {
        let (rows, _) = self.0.rows::<PrecreatedView>()?;
        each_series(&rows, &mut |stream, series: Series| {
            each(&stream, &series);
            Ok(())
        })
    }
}

/// An export of a log as it was at a position.
pub struct LogDocuments<'a> {
    /// The log.
    pub log: &'a Log,
    /// The position.
    pub until: Position,
}

/// What every stream with documents in it has in front of its name.
const WITH_DOCUMENTS: [&str; 4] = ["client/", "coach/", "form/", "series/"];

impl ExportedDocuments for LogDocuments<'_> {
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
