//! The directory projection: clients and their identities, coaches' names, the old server's zone,
//! erased clients, and the streams that hold documents of a client id. Access control and both
//! views read it. Rules 1 and 2 of `docs/spec/legacy-view.md` are here; they hold for every view.
//!
//! | row | key | value |
//! | --- | --- | --- |
//! | client | `c/<client document id>` | [`StoredClient`] |
//! | identity | `u/<auth uid>␀<client document id>` | empty |
//! | coach | `k/<coach id>` | the name |
//! | stored series | `i/<stored client id>␀<stream>` | empty |
//! | erased client | `e/<client id>` | [`ErasedClient`] |
//! | zone | `z` | the zone's name |

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredClient;
use rollbook_domain::event::Origin;
use rollbook_domain::{
    Collection, Content, Document, Event, EventRecord, Position, StreamId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{RowChanges, RowSource, read_row};

/// The directory projection.
pub struct Directory;

/// Keys of the directory's rows.
pub mod keys {
    use rollbook_domain::StreamId;

    /// `c/<client document id>`: the client.
    pub fn client(id: &str) -> Vec<u8> {
        format!("c/{id}").into_bytes()
    }

    /// `u/<auth uid>␀`: prefix of the client documents that ever had this identity.
    pub fn identity_prefix(auth_uid: &str) -> Vec<u8> {
        format!("u/{auth_uid}\0").into_bytes()
    }

    /// `u/<auth uid>␀<client document id>`.
    pub fn identity(auth_uid: &str, client: &str) -> Vec<u8> {
        format!("u/{auth_uid}\0{client}").into_bytes()
    }

    /// `k/<coach id>`: the coach's name.
    pub fn coach(id: &str) -> Vec<u8> {
        format!("k/{id}").into_bytes()
    }

    /// `i/<stored client id>␀`: prefix of the series that hold documents of this client id.
    pub fn stored_prefix(client: &str) -> Vec<u8> {
        format!("i/{client}\0").into_bytes()
    }

    /// `i/<stored client id>␀<stream>`.
    pub fn stored(client: &str, stream: &StreamId) -> Vec<u8> {
        format!("i/{client}\0{stream}").into_bytes()
    }

    /// `e/<client id>`: the erasure of this client.
    pub fn erased(id: &str) -> Vec<u8> {
        format!("e/{id}").into_bytes()
    }

    /// Prefix of every identity that a client document ever had.
    pub const ALL_IDENTITIES: &[u8] = b"u/";
    /// Prefix of every id of an erased client.
    pub const ALL_ERASED: &[u8] = b"e/";
    /// Prefix of every client.
    pub const ALL_CLIENTS: &[u8] = b"c/";
    /// Prefix of every coach.
    pub const ALL_COACHES: &[u8] = b"k/";
    /// The zone of the old server.
    pub const ZONE: &[u8] = b"z";
}

impl Projection for Directory {
    const NAME: &'static str = "directory";
    const VERSION: u32 = 1;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        commit.iter().for_each(|recorded| fold_event(rows, recorded));
        Ok(())
    }
}

/// Folds one event.
///
/// The lists of identities and of series by stored client id only grow; readers check the row that
/// an entry leads to. So each row depends on its own events only, and today's lists contain
/// everything that `as_of` needs for any position.
fn fold_event(rows: &mut RowChanges<'_>, recorded: &EventRecord) {
    match &recorded.event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => {
            fold_document(rows, &recorded.stream, document);
        }
        Event::DocumentRemoved { collection: Collection::Clients, id } => {
            rows.delete(&keys::client(id));
        }
        Event::DocumentRemoved { collection: Collection::Coaches, id } => {
            rows.delete(&keys::coach(id));
        }
        Event::AssignmentCreated { origin: Origin::Allocation, week: 1, terms, .. } => {
            rows.put(&keys::stored(&terms.stored_client, &recorded.stream), ());
        }
        Event::ImportCompleted { legacy_timezone, .. } => {
            rows.put(keys::ZONE, legacy_timezone.clone());
        }
        Event::ClientErased { client, ids, .. } => fold_erased(rows, client, ids, recorded),
        _ => {}
    }
}

/// Removes the client's rows and records the erasure. List entries with one of the client's ids
/// stay and lead to no series; rows that are built from position 1 do not have them.
fn fold_erased(rows: &mut RowChanges<'_>, client: &str, ids: &[String], recorded: &EventRecord) {
    let erased = ErasedClient {
        client: client.to_owned(),
        ids: ids.to_vec(),
        at: recorded.recorded_at,
        position: recorded.position,
    };
    for id in ids {
        rows.delete(&keys::client(id));
        rows.put(&keys::erased(id), erased.clone());
    }
}

fn fold_document(rows: &mut RowChanges<'_>, stream: &StreamId, document: &Document) {
    match document.content() {
        Content::Client(client) => {
            if !client.auth_uid.is_empty() {
                rows.put(&keys::identity(&client.auth_uid, &document.id), ());
            }
            rows.put(&keys::client(&document.id), client.clone());
        }
        Content::Coach(name) => rows.put(&keys::coach(&document.id), name.clone()),
        Content::Assignment(assignment) => rows.put(&keys::stored(&assignment.client, stream), ()),
        // An erased event is `Event::Erased` and does not reach this; content that is gone for
        // another reason changes nothing either.
        Content::Response(_) | Content::Feedback(_) | Content::Nothing => {}
    }
}

/// A client whose personal data was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedClient {
    /// The client's document id.
    pub client: String,
    /// Every id that was erased with it, the client's own first.
    pub ids: Vec<String>,
    /// When the log recorded it.
    pub at: Timestamp,
    /// The position of the erasure.
    pub position: Position,
}

/// The erasure of the client with this id, if there was one.
///
/// # Errors
/// If the rows cannot be read.
pub fn erased(source: &dyn RowSource, id: &str) -> Result<Option<ErasedClient>, ProjectionError> {
    read_row(source, &keys::erased(id))
}

/// The client that an id refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ids under which documents may be stored (rule 1).
    pub ids: Vec<String>,
    /// The client document's id, if there is one.
    pub document: Option<String>,
    /// Whether the client's lists are open (rule 2).
    pub onboarded: bool,
}

impl Identity {
    /// The id by which switches and streams refer to the client.
    pub fn canonical(&self) -> &str {
        self.document.as_deref().or(self.ids.first().map(String::as_str)).unwrap_or_default()
    }
}

/// Finds the client that an id refers to, by rules 1 and 2.
///
/// # Errors
/// If the rows cannot be read.
pub fn identify(source: &dyn RowSource, asked: &str) -> Result<Identity, ProjectionError> {
    let own: Option<StoredClient> = read_row(source, &keys::client(asked))?;
    let (document, client) = match own {
        Some(client) => (asked.to_owned(), client),
        None => match owner(source, asked)? {
            Some(found) => found,
            // An erased client keeps the ids, so that history finds the streams; the lists are
            // closed.
            None => {
                let ids = erased(source, asked)?
                    .map_or_else(|| vec![asked.to_owned()], |erased| erased.ids);
                return Ok(Identity { ids, document: None, onboarded: false });
            }
        },
    };
    let mut ids = vec![document.clone()];
    for id in [asked, client.auth_uid.as_str()] {
        if !id.is_empty() && !ids.iter().any(|held| held == id) {
            ids.push(id.to_owned());
        }
    }
    Ok(Identity { ids, document: Some(document), onboarded: client.onboarded })
}

/// Every other id that a client document ever had and that no other client has now.
///
/// # Errors
/// If the rows cannot be read.
pub fn earlier_identities(
    source: &dyn RowSource,
    document: &str,
) -> Result<Vec<String>, ProjectionError> {
    let mut held = Vec::new();
    source.scan(keys::ALL_IDENTITIES, &mut |key, _| {
        let text =
            String::from_utf8_lossy(key.get(keys::ALL_IDENTITIES.len()..).unwrap_or_default())
                .into_owned();
        held.extend(
            text.split_once('\0')
                .filter(|(_, client)| *client == document)
                .map(|(identity, _)| identity.to_owned()),
        );
        Ok(())
    })?;
    let mut earlier = Vec::new();
    for identity in held {
        let is_document = source.get(&keys::client(&identity))?.is_some();
        let owner = owner(source, &identity)?;
        if !is_document && owner.is_none_or(|(owner, _)| owner == document) {
            earlier.push(identity);
        }
    }
    Ok(earlier)
}

/// The client document with the lowest id whose `authUid` this is.
fn owner(
    source: &dyn RowSource,
    auth_uid: &str,
) -> Result<Option<(String, StoredClient)>, ProjectionError> {
    for candidate in identity_candidates(source, auth_uid)? {
        if let Some(client) = read_row::<StoredClient>(source, &keys::client(&candidate))?
            && client.auth_uid == auth_uid
        {
            return Ok(Some((candidate, client)));
        }
    }
    Ok(None)
}

/// Every client document that ever had this `authUid`, lowest id first.
pub(crate) fn identity_candidates(
    source: &dyn RowSource,
    auth_uid: &str,
) -> Result<Vec<String>, ProjectionError> {
    let prefix = keys::identity_prefix(auth_uid);
    let mut candidates = Vec::new();
    source.scan(&prefix, &mut |key, _| {
        candidates.push(
            String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned(),
        );
        Ok(())
    })?;
    Ok(candidates)
}

/// The series streams that hold, or once held, documents stored under this client id.
pub(crate) fn stored_streams(
    source: &dyn RowSource,
    client: &str,
) -> Result<Vec<StreamId>, ProjectionError> {
    let prefix = keys::stored_prefix(client);
    let mut streams = Vec::new();
    source.scan(&prefix, &mut |key, _| {
        streams.extend(
            String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default())
                .parse::<StreamId>()
                .ok(),
        );
        Ok(())
    })?;
    Ok(streams)
}

/// The old server's zone. UTC until an import names one.
///
/// # Errors
/// If the rows cannot be read.
pub fn zone(source: &dyn RowSource) -> Result<Zone, ProjectionError> {
    let zone = read_row::<String>(source, keys::ZONE)?;
    Ok(zone.and_then(|name| name.parse().ok()).unwrap_or_default())
}

/// A coach's name as lists show it; `None` if there is no such coach.
///
/// # Errors
/// If the rows cannot be read.
pub fn coach(source: &dyn RowSource, id: &str) -> Result<Option<String>, ProjectionError> {
    read_row(source, &keys::coach(id))
}

/// The id of every client document, in id order.
///
/// # Errors
/// If the rows cannot be read.
pub fn clients(source: &dyn RowSource) -> Result<Vec<String>, ProjectionError> {
    let mut clients = Vec::new();
    source.scan(keys::ALL_CLIENTS, &mut |key, _| {
        let id = key.get(keys::ALL_CLIENTS.len()..).unwrap_or_default();
        clients.push(String::from_utf8_lossy(id).into_owned());
        Ok(())
    })?;
    Ok(clients)
}
