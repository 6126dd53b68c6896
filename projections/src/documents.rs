//! The documents projection: where each document of the old application is stored in the log. An
//! import compares with these rows. The documents themselves are stored only in the log.
//!
//! | row | key | value |
//! | --- | --- | --- |
//! | document | `<collection>␀<document id>␀<stream>` | [`DocumentRow`] |

use rollbook_domain::{Collection, Event, EventRecord, Position, StreamId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{RowChanges, RowSource, decode};

/// The documents projection.
pub struct Documents;

/// Where a document is stored, and the digest of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Its place in the export's file.
    pub ordinal: u32,
    /// SHA-256 of its canonical text.
    pub digest: [u8; 32],
    /// The event that holds it.
    pub position: Position,
}

fn key(collection: Collection, id: &str, stream: &StreamId) -> Vec<u8> {
    format!("{}\0{id}\0{stream}", collection.name()).into_bytes()
}

impl Projection for Documents {
    const NAME: &'static str = "documents";
    const VERSION: u32 = 1;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        for recorded in commit {
            match &recorded.event {
                Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                    // An erased document has no content that a later import could compare with.
                    let Some(body) = document.body.expose() else { continue };
                    let digest = Sha256::digest(body.as_str().as_bytes()).into();
                    let row = DocumentRow {
                        ordinal: document.ordinal,
                        digest,
                        position: recorded.position,
                    };
                    rows.put(&key(document.collection, &document.id, &recorded.stream), row);
                }
                Event::DocumentRemoved { collection, id } => {
                    rows.delete(&key(*collection, id, &recorded.stream))
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The row of a document that is stored in one stream only, such as a client's or a user's.
///
/// # Errors
/// If the rows cannot be read.
pub fn find(
    source: &dyn RowSource,
    collection: Collection,
    id: &str,
) -> Result<Option<DocumentRow>, ProjectionError> {
    let mut found = None;
    source.scan(format!("{}\0{id}\0", collection.name()).as_bytes(), &mut |key, value| {
        found = Some(decode(key, value)?);
        Ok(())
    })?;
    Ok(found)
}

/// Calls `visit` with the id, stream and row of every stored document of a collection, in id order.
///
/// # Errors
/// If the rows cannot be read, or `visit` fails.
pub fn each(
    source: &dyn RowSource,
    collection: Collection,
    visit: &mut dyn FnMut(&str, StreamId, DocumentRow) -> Result<(), ProjectionError>,
) -> Result<(), ProjectionError> {
    let prefix = format!("{}\0", collection.name()).into_bytes();
    source.scan(&prefix, &mut |key, value| {
        let text = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default());
        let (id, stream) = text.split_once('\0').unwrap_or((&text, ""));
        let broken = |source| ProjectionError::Row {
            key: text.clone().into_owned(),
            source: Box::new(source),
        };
        visit(id, stream.parse().map_err(broken)?, decode(key, value)?)
    })
}
