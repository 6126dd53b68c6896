//! The names projection: what an id refers to. Every id that ever named an imported assignment or
//! response resolves for ever. Ids that Rollbook derived itself are event ids; the log resolves
//! those.
//!
//! | row | key | value |
//! | --- | --- | --- |
//! | assignment | `<document id or assignment id>␀a␀<document id>` | [`Meaning::Assignment`] |
//! | response | `<document id>␀r␀<document id>` | [`Meaning::Response`] |
//! | legacy id | `<legacy id>␀l␀<document id>` | [`Meaning::LegacyId`] |

use rollbook_domain::event::Placement;
use rollbook_domain::series::assignment_id;
use rollbook_domain::{Collection, Content, Document, Event, EventRecord, StreamId};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{RowChanges, RowSource, decode};

/// The names projection.
pub struct Names;

/// What a name refers to. If one name refers to several things, the least of them in this order is
/// preferred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Meaning {
    /// An assignment, by its document id or its own id.
    Assignment {
        /// Its week, as last imported.
        week: u32,
        /// Its document.
        document: String,
        /// Its stream.
        stream: String,
    },
    /// A response, by its document id.
    Response {
        /// The response.
        document: String,
        /// Its stream.
        stream: String,
    },
    /// An assignment, by its legacy id. Several weeks may share one; the lowest week is preferred.
    LegacyId {
        /// Its week, as last imported.
        week: u32,
        /// Its document.
        document: String,
        /// Its stream.
        stream: String,
    },
}

impl Default for Meaning {
    fn default() -> Self {
        Self::Response { document: String::new(), stream: String::new() }
    }
}

fn key(name: &str, kind: &str, document: &str) -> Vec<u8> {
    format!("{name}\0{kind}\0{document}").into_bytes()
}

fn fold_document(rows: &mut RowChanges<'_>, stream: &StreamId, document: &Document) {
    let id = &document.id;
    let stream_name = stream.name();
    match document.content() {
        Content::Assignment(stored) => {
            let week = stored.week();
            let meaning =
                Meaning::Assignment { week, document: id.clone(), stream: stream_name.clone() };
            if let StreamId::Series { client, form } = stream {
                rows.put(
                    &key(&assignment_id(client, form, 1, week).to_string(), "a", id),
                    meaning.clone(),
                );
            }
            rows.put(&key(id, "a", id), meaning);
            if !stored.legacy_id.is_empty() {
                rows.put(
                    &key(&stored.legacy_id, "l", id),
                    Meaning::LegacyId { week, document: id.clone(), stream: stream_name },
                );
            }
        }
        Content::Response(_) => rows.put(
            &key(id, "r", id),
            Meaning::Response { document: id.clone(), stream: stream_name },
        ),
        Content::Nothing if document.body.is_erased() => fold_erased(rows, stream_name, document),
        Content::Client(_) | Content::Coach(_) | Content::Feedback(_) | Content::Nothing => {}
    }
}

/// The id keeps its meaning although the document is gone. Only the week is no longer known.
fn fold_erased(rows: &mut RowChanges<'_>, stream: String, document: &Document) {
    let id = &document.id;
    match document.collection {
        Collection::CheckInAssignments => rows
            .put(&key(id, "a", id), Meaning::Assignment { week: 0, document: id.clone(), stream }),
        Collection::FormResponses => {
            rows.put(&key(id, "r", id), Meaning::Response { document: id.clone(), stream })
        }
        _ => {}
    }
}

impl Projection for Names {
    const NAME: &'static str = "names";
    /// 2: weeks that a correction creates have a name. 3: documents have the name of the week that an
    /// event gave them.
    const VERSION: u32 = 3;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        for recorded in commit {
            let event =
                if let Event::Erased(event) = &recorded.event { event } else { &recorded.event };
            if let Event::DocumentImported(document) | Event::DocumentChanged(document) = event {
                fold_document(rows, &recorded.stream, document);
            }
            if let Event::WeekNumberSet(setting) = event
                && let StreamId::Series { client, form } = &recorded.stream
            {
                let (document, stream) = (setting.document.clone(), recorded.stream.name());
                let assignment = assignment_id(client, form, setting.run, setting.is());
                let name = key(&assignment.to_string(), "a", &document);
                rows.put(&name, Meaning::Assignment { week: setting.is(), document, stream });
            }
            // No event has the id of the week: the event that created it is the correction.
            if let Event::ResponsePlaced(placement) = event
                && let Placement { assignment, week, terms: Some(_), .. } = placement
            {
                let (id, stream) = (assignment.to_string(), recorded.stream.name());
                let meaning = Meaning::Assignment { week: *week, document: id.clone(), stream };
                rows.put(&key(&id, "a", &id), meaning);
            }
        }
        Ok(())
    }
}

/// Everything a name refers to, the preferred meaning first.
///
/// # Errors
/// If the rows cannot be read.
pub fn meanings(source: &dyn RowSource, name: &str) -> Result<Vec<Meaning>, ProjectionError> {
    let mut found = Vec::new();
    source.scan(format!("{name}\0").as_bytes(), &mut |key, value| {
        found.push(decode(key, value)?);
        Ok(())
    })?;
    found.sort();
    Ok(found)
}
