//! Puts the document of a client, a coach or a form: adds one that no import brought yet, or changes
//! the one that is there.
//!
//! The events are those of an import, with a person as the actor. A put document has no position in
//! an export's file. A later import recognizes it by that.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rollbook_domain::document::{Oddity, StoredClient, oddities};
use rollbook_domain::json::JsonError;
use rollbook_domain::limits::{DOCUMENT_BYTES, check_json};
use rollbook_domain::series::decide::Rejection;
use rollbook_domain::{Collection, Document, Event, JsonText, Position, StreamId};
use rollbook_log::AppendError;
use rollbook_migrations::export_reader::given_document;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::{
    KeyedRequest, Outcome, Proposal, Reading, Request, StoreError, StoredDocument, new_event,
};

/// The kind of a document that can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// A client.
    Client,
    /// A coach.
    Coach,
    /// A form.
    Form,
}

impl DocumentKind {
    /// The name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Coach => "coach",
            Self::Form => "form",
        }
    }

    /// The collection of its documents.
    pub fn collection(self) -> Collection {
        match self {
            Self::Client => Collection::Clients,
            Self::Coach => Collection::Coaches,
            Self::Form => Collection::Forms,
        }
    }

    fn stream(self, id: &str) -> StreamId {
        match self {
            Self::Client => StreamId::Client(id.to_owned()),
            Self::Coach => StreamId::Coach(id.to_owned()),
            Self::Form => StreamId::Form(id.to_owned()),
        }
    }
}

/// A request to put a document.
#[derive(Clone, Debug)]
pub struct PutRequest {
    /// The kind of the document.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// The complete document; with `merge`, the fields to change.
    pub document: JsonText,
    /// Changes only the given fields of the stored document (RFC 7396: objects are merged,
    /// and null removes a field). A new client is then given `canStartCheckIns`, so that the
    /// client's lists are open.
    pub merge: bool,
}

/// What a put did to the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DocumentChange {
    /// There was no such document.
    Created,
    /// There was another one.
    Changed,
    /// The same document was there. Nothing was written.
    Unchanged,
}

/// The outcome of a put.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PutReport {
    /// The kind of the document.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// What was done.
    pub change: DocumentChange,
    /// Whether an earlier request with the same idempotency key did it.
    pub repeated: bool,
    /// The position of the event that holds the document.
    pub position: Position,
    /// The document, as it is stored.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
    pub document: JsonText,
}

impl PutRequest {
    /// Returns the document to store.
    fn result(&self, held: Option<&JsonText>) -> Result<Document, StoreError> {
        let collection = self.kind.collection();
        if self.id.chars().any(char::is_control) {
            return Err(unfit("the id has a control character"));
        }
        check_json("the document", &self.document, DOCUMENT_BYTES)?;
        let given: Fields = self.document.read().map_err(|_| unfit("it is not a JSON object"))?;
        if let Some(own) = given.get("_id")
            && serde_json::from_str::<String>(own.get()).ok().as_deref() != Some(self.id.as_str())
        {
            let own = own.get();
            return Err(unfit(format!("its _id is {own}, and it is put as {:?}", self.id)));
        }
        if let Some((field, oddity)) = oddities(collection, &self.document).into_iter().next() {
            return Err(unfit(match oddity {
                Oddity::OtherType => format!("the field {field} has a value of another type"),
                Oddity::BeyondReason => {
                    format!("the field {field} has a value that cannot be meant")
                }
            }));
        }
        let body = if self.merge { self.merged(held)? } else { self.document.clone() };
        check_json("the document", &body, DOCUMENT_BYTES)?;
        given_document(collection, &self.id, &body).map_err(|fault| unfit(fault.to_string()))
    }

    fn merged(&self, held: Option<&JsonText>) -> Result<JsonText, StoreError> {
        let is_new_client = held.is_none() && self.kind == DocumentKind::Client;
        let start = if is_new_client { r#"{"canStartCheckIns":true}"# } else { "{}" };
        let start = held.map_or(start, JsonText::as_str);
        let merged =
            merge(Some(start), self.document.as_str()).map_err(|error| unfit(error.to_string()))?;
        document_of(&merged)
    }
}

/// Reads the document of a put from JSON text.
///
/// # Errors
/// [`StoreError::UnfitDocument`] if it is not JSON or has a key twice, a rejection if it is nested
/// too deep.
pub fn document_of(text: &str) -> Result<JsonText, StoreError> {
    JsonText::parse(text).map_err(|error| match error {
        JsonError::TooDeep { limit, found } => {
            Rejection::TooDeep { what: "the document", limit, found }.into()
        }
        JsonError::Json(error) => unfit(format!("it is not JSON: {error}")),
    })
}

fn unfit(why: impl Into<String>) -> StoreError {
    StoreError::UnfitDocument(why.into())
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// Merges changes into a value by RFC 7396. Numbers keep their digits.
fn merge(held: Option<&str>, changes: &str) -> Result<String, serde_json::Error> {
    let Ok(changed) = serde_json::from_str::<Fields>(changes) else {
        return Ok(changes.to_owned());
    };
    let mut fields: Fields =
        held.and_then(|held| serde_json::from_str(held).ok()).unwrap_or_default();
    for (name, change) in changed {
        if change.get() == "null" {
            fields.remove(&name);
            continue;
        }
        let value = merge(fields.get(&name).map(|value| value.get()), change.get())?;
        fields.insert(name, RawValue::from_string(value)?);
    }
    serde_json::to_string(&fields)
}

/// Puts a document. A put that changes nothing writes nothing.
///
/// # Errors
/// [`StoreError::UnfitDocument`] if the id or the document cannot be stored;
/// [`StoreError::IdentityTaken`] if another client has the id or the `authUid`; a rejection if the
/// document is too large or too deep; if the client was erased, or the store fails. Then nothing
/// was written.
pub fn put(
    reading: &Reading<'_>,
    wanted: &PutRequest,
    request: &Request,
) -> Result<PutReport, StoreError> {
    let store = reading.store();
    let stream = wanted.kind.stream(&wanted.id);
    let keyed =
        KeyedRequest::Put { stream: &stream, document: &wanted.document, merge: wanted.merge };
    let _lock = store.lock_puts();
    let bound = store.bind_key(request, keyed)?;
    if store.log().is_erased(&stream) {
        return Err(AppendError::ClientErased { stream: stream.to_string() }.into());
    }
    let load = || -> Result<_, StoreError> {
        // The version is read first: an event between both reads makes the append fail.
        let version = store.log().stream_version(&stream)?;
        let reading = store.reading();
        let held = reading.stored_document(wanted.kind.collection(), &wanted.id)?;
        Ok(((reading, held), version))
    };
    let unchanged = RefCell::new(None);
    let key = bound.as_ref().map(|bound| &bound.key);
    let outcome = store.decide_and_append(&stream, request, key, load, |(reading, held)| {
        let document = wanted.result(held.as_ref().map(|held| &held.body))?;
        if held.as_ref().map(|held| &held.body) == document.body.expose() {
            unchanged.replace(held.clone());
            return Ok(Proposal::Settled(Outcome::Nothing));
        }
        if wanted.kind == DocumentKind::Client {
            require_own_identities(reading, held.as_ref(), &document)?;
        }
        let event = match held {
            Some(_) => Event::DocumentChanged(document),
            None => Event::DocumentImported(document),
        };
        Ok(Proposal::Append(vec![new_event(&stream, request.now, event)]))
    })?;
    report(wanted, &outcome, unchanged.into_inner())
}

/// Requires that no other client has the id or the `authUid` of a client's document. An `authUid`
/// that the client already has is not checked: an import accepts it even if another client has it.
fn require_own_identities(
    reading: &Reading<'_>,
    held: Option<&StoredDocument>,
    document: &Document,
) -> Result<(), StoreError> {
    let auth_uid =
        |body: Option<&JsonText>| body.map(StoredClient::read).unwrap_or_default().auth_uid;
    let (before, now) = (auth_uid(held.map(|held| &held.body)), auth_uid(document.body.expose()));
    let given = [document.id.as_str(), now.as_str()];
    for identity in given.into_iter().filter(|identity| !identity.is_empty() && *identity != before)
    {
        match reading.identify(identity)?.document {
            Some(client) if client != document.id => {
                return Err(StoreError::IdentityTaken { identity: identity.to_owned(), client });
            }
            _ => {}
        }
    }
    Ok(())
}

fn report(
    wanted: &PutRequest,
    outcome: &Outcome,
    unchanged: Option<StoredDocument>,
) -> Result<PutReport, StoreError> {
    let written = outcome.events().first().and_then(|written| {
        let (change, document) = match &written.event {
            Event::DocumentImported(document) => (DocumentChange::Created, document),
            Event::DocumentChanged(document) => (DocumentChange::Changed, document),
            _ => return None,
        };
        let body = document.body.expose()?.clone();
        Some((change, StoredDocument { position: written.position, body }))
    });
    let unchanged = unchanged.map(|held| (DocumentChange::Unchanged, held));
    // A repeated put of a client who was erased since has no document any more.
    let (change, StoredDocument { position, body }) = written.or(unchanged).ok_or_else(|| {
        let stream = wanted.kind.stream(&wanted.id).to_string();
        StoreError::Append(AppendError::ClientErased { stream })
    })?;
    Ok(PutReport {
        kind: wanted.kind,
        id: wanted.id.clone(),
        change,
        repeated: outcome.is_repeated(),
        position,
        document: body,
    })
}
