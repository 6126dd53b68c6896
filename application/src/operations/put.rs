//! Puts the document of a client, a coach or a form that no import brought yet, or changes one.
//!
//! The events are those of an import. Their actor says that a person put the document here.

use std::collections::BTreeMap;

use rollbook_domain::limits::{TITLE_BYTES, check_json, check_text};
use rollbook_domain::{Collection, Document, Event, JsonText, StreamId};
use rollbook_migrations::export_reader::given_document;
use rollbook_projections::documents::{self, Documents};
use serde_json::value::{RawValue, to_raw_value};

use crate::store::{Outcome, Proposal, Reading, Request, StoreError, new_event};

/// The maximum size of a document that is put, in bytes.
const DOCUMENT_BYTES: usize = 64 << 10;

/// The kind of document that can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// A client.
    Client,
    /// A coach.
    Coach,
    /// A form.
    Form,
}

impl Person {
    fn collection(self) -> Collection {
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
    /// Its kind.
    pub kind: Person,
    /// Its id.
    pub id: String,
    /// The complete document; `None` to start from the one that is there, or from an empty one.
    pub document: Option<JsonText>,
    /// Fields to set, by path: `profile.firstName` is the field `firstName` of `profile`.
    pub fields: Vec<(&'static str, JsonText)>,
    /// Fields to set only if they have no value yet.
    pub defaults: Vec<(&'static str, JsonText)>,
}

/// The outcome of a put.
#[derive(Clone, Debug)]
pub struct PutOutcome {
    /// The written event; none if the same document was there.
    pub outcome: Outcome,
    /// The document, as it is stored now.
    pub document: JsonText,
}

/// Puts a document. Putting what is there writes nothing.
///
/// # Errors
/// [`StoreError::UnfitDocument`] if the id or the document cannot be stored; a rejection if a text
/// is too long; if the client was erased, or the store fails. Then nothing was written.
pub fn put(
    reading: &Reading<'_>,
    wanted: &PutRequest,
    request: &Request,
) -> Result<PutOutcome, StoreError> {
    let store = reading.store();
    let stream = wanted.kind.stream(&wanted.id);
    if wanted.id.chars().any(char::is_control) {
        return Err(StoreError::UnfitDocument("its id has a control character".to_owned()));
    }
    let load = || -> Result<_, StoreError> {
        let reading = store.reading();
        let version = store.log().stream_version(&stream)?;
        Ok((held(&reading, wanted.kind, &wanted.id)?, version))
    };
    let stored = std::cell::RefCell::new(None);
    let outcome = store.decide_and_append(&stream, request, None, load, |held| {
        let document = document(wanted, held.as_ref())?;
        let body = document.body.expose().cloned();
        let same = held.is_some() && *held == body;
        stored.replace(body);
        if same {
            return Ok(Proposal::Settled(Outcome::Nothing));
        }
        let event = match held {
            Some(_) => Event::DocumentChanged(document),
            None => Event::DocumentImported(document),
        };
        Ok(Proposal::Append(vec![new_event(&stream, request.now, event)]))
    })?;
    let document = stored.into_inner().unwrap_or_else(|| JsonText::from_canonical("{}"));
    Ok(PutOutcome { outcome, document })
}

/// The document that the store has now.
fn held(reading: &Reading<'_>, kind: Person, id: &str) -> Result<Option<JsonText>, StoreError> {
    let (rows, _) = reading.snapshot()?.rows::<Documents>()?;
    let Some(row) = documents::find(&rows, kind.collection(), id)? else { return Ok(None) };
    let recorded = reading.store().log().at(row.position)?;
    Ok(match recorded.map(|recorded| recorded.event) {
        Some(Event::DocumentImported(document) | Event::DocumentChanged(document)) => {
            document.body.into_inner()
        }
        _ => None,
    })
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// The wanted document: the given or the held one, with the wanted fields.
fn document(wanted: &PutRequest, held: Option<&JsonText>) -> Result<Document, StoreError> {
    let unfit = |error: serde_json::Error| StoreError::UnfitDocument(error.to_string());
    let start = wanted.document.as_ref().or(held);
    let mut fields: Fields =
        start.map(JsonText::read).transpose().map_err(unfit)?.unwrap_or_default();
    for (path, value) in &wanted.fields {
        check_text("a field", value.as_str(), TITLE_BYTES)?;
        set(&mut fields, path, value, true).map_err(unfit)?;
    }
    for (path, value) in &wanted.defaults {
        set(&mut fields, path, value, false).map_err(unfit)?;
    }
    let text = serde_json::to_string(&fields).map_err(unfit)?;
    let body = JsonText::parse(&text)
        .map_err(|error| StoreError::UnfitDocument(error.to_string()))?;
    check_json("the document", &body, DOCUMENT_BYTES)?;
    given_document(wanted.kind.collection(), &wanted.id, &body)
        .map_err(|fault| StoreError::UnfitDocument(fault.to_string()))
}

/// Sets a field by its path. An inner object that is missing or has another type is made.
fn set(
    fields: &mut Fields,
    path: &str,
    value: &JsonText,
    replace: bool,
) -> Result<(), serde_json::Error> {
    let Some((outer, inner)) = path.split_once('.') else {
        if replace || !fields.contains_key(path) {
            fields.insert(path.to_owned(), RawValue::from_string(value.as_str().to_owned())?);
        }
        return Ok(());
    };
    let mut below: Fields = fields
        .get(outer)
        .and_then(|text| serde_json::from_str(text.get()).ok())
        .unwrap_or_default();
    set(&mut below, inner, value, replace)?;
    fields.insert(outer.to_owned(), to_raw_value(&below)?);
    Ok(())
}
