//! The directory that each view keeps beside its series: who a client is, what coaches are called, which zone the old server
//! had. Owns rules 1 and 2 of `docs/spec/legacy-view.md`, which hold for every view.

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredClient;
use rollbook_domain::event::Origin;
use rollbook_domain::{
    Collection, Content, Document, Event, Position, Recorded, StreamId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::rows::{RowChanges, RowSource, read_row};

/// Keys of the rows that every view has.
pub mod keys {
    use rollbook_domain::StreamId;

    /// `c/<client document id>`: who it is.
    pub fn client(id: &str) -> Vec<u8> {
        format!("c/{id}").into_bytes()
    }

    /// `u/<auth uid>␀`: where the client documents that ever had this identity are listed.
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

    /// `i/<stored client id>␀`: where the series with documents of this client id are listed.
    pub fn stored_prefix(client: &str) -> Vec<u8> {
        format!("i/{client}\0").into_bytes()
    }

    /// `i/<stored client id>␀<stream>`.
    pub fn stored(client: &str, stream: &StreamId) -> Vec<u8> {
        format!("i/{client}\0{stream}").into_bytes()
    }

    /// `s/<stream>`: the series.
    pub fn series(stream: &StreamId) -> Vec<u8> {
        format!("s/{stream}").into_bytes()
    }

    /// `s/series/<client>/`: the client's series.
    pub fn series_prefix(client: &str) -> Vec<u8> {
        format!("s/{}", StreamId::series_prefix(client)).into_bytes()
    }

    /// `e/<client id>`: that this client was erased.
    pub fn erased(id: &str) -> Vec<u8> {
        format!("e/{id}").into_bytes()
    }

    /// Every identity that a client document ever had.
    pub const ALL_IDENTITIES: &[u8] = b"u/";
    /// Every id of a client that was erased.
    pub const ALL_ERASED: &[u8] = b"e/";
    /// Every series.
    pub const ALL_SERIES: &[u8] = b"s/";
    /// Every client.
    pub const ALL_CLIENTS: &[u8] = b"c/";
    /// Every coach.
    pub const ALL_COACHES: &[u8] = b"k/";
    /// The old server's zone.
    pub const ZONE: &[u8] = b"z";
}

/// Folds what one event says of clients, coaches and the zone.
///
/// Lists of identities and of series by stored client id only grow: whoever reads them asks the row they lead to. That keeps
/// each row a fold of its own, and makes the lists hold for every `as_of`.
pub(crate) fn fold(rows: &mut RowChanges<'_>, recorded: &Recorded) -> Result<(), ProjectionError> {
    match &recorded.event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => {
            fold_document(rows, &recorded.stream, document)
        }
        Event::DocumentRemoved { collection: Collection::Clients, id } => {
            rows.delete(&keys::client(id))
        }
        Event::DocumentRemoved { collection: Collection::Coaches, id } => {
            rows.delete(&keys::coach(id))
        }
        Event::AssignmentCreated { origin: Origin::Allocation, week: 1, terms, .. } => {
            rows.put(&keys::stored(&terms.stored_client, &recorded.stream), ());
        }
        Event::ImportCompleted { legacy_timezone, .. } => {
            rows.put(keys::ZONE, legacy_timezone.clone())
        }
        Event::ClientErased { client, ids, .. } => fold_erased(rows, client, ids, recorded),
        _ => {}
    }
    Ok(())
}

/// Takes away what was held of a client before the erasure, and remembers that they were erased. What leads to their series by one of
/// their ids leads nowhere then; rows built from position 1 do not have it.
fn fold_erased(rows: &mut RowChanges<'_>, client: &str, ids: &[String], recorded: &Recorded) {
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
        // Erased events come here as `Event::Erased`; content that is gone without its event being so says nothing either.
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
    /// Where.
    pub position: Position,
}

/// Whether the client with this id was erased, and when.
///
/// # Errors
/// When the rows cannot be read.
pub fn erased(source: &dyn RowSource, id: &str) -> Result<Option<ErasedClient>, ProjectionError> {
    read_row(source, &keys::erased(id))
}

/// Who is meant by a client id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ids under which documents may be stored: rule 1.
    pub ids: Vec<String>,
    /// The client document's id, where there is one.
    pub document: Option<String>,
    /// Rule 2: whether the lists are open.
    pub onboarded: bool,
}

impl Identity {
    /// The id that switches and streams know the client by.
    pub fn canonical(&self) -> &str {
        self.document.as_deref().or(self.ids.first().map(String::as_str)).unwrap_or_default()
    }
}

/// Rules 1 and 2.
///
/// # Errors
/// When the rows cannot be read.
pub fn identify(source: &dyn RowSource, asked: &str) -> Result<Identity, ProjectionError> {
    let own: Option<StoredClient> = read_row(source, &keys::client(asked))?;
    let (document, client) = match own {
        Some(client) => (asked.to_owned(), client),
        None => match owner(source, asked)? {
            Some(found) => found,
            // An erased client keeps their ids, so that history finds their streams; the lists are closed to them.
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

/// Every other id that a client document ever had and that is nobody else's now.
///
/// # Errors
/// When the rows cannot be read.
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

/// The series streams that hold documents stored under this client id, also such as held one once.
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

/// The old server's zone: UTC until an import says otherwise.
///
/// # Errors
/// When the rows cannot be read.
pub fn zone(source: &dyn RowSource) -> Result<Zone, ProjectionError> {
    Ok(read_row::<String>(source, keys::ZONE)?
        .and_then(|name| name.parse().ok())
        .unwrap_or_default())
}

/// A coach's name as lists show it.
///
/// # Errors
/// When the rows cannot be read.
pub fn coach(source: &dyn RowSource, id: &str) -> Result<Option<String>, ProjectionError> {
    read_row(source, &keys::coach(id))
}
