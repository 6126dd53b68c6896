//! Reads one document of an export: its `_id`, its body as canonical JSON, and its timestamps.

use std::collections::{BTreeMap, HashMap};

use rollbook_domain::document::check_timestamps;
use rollbook_domain::limits::ID_BYTES;
use rollbook_domain::{Collection, Document, JsonText, Personal, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{DocumentFault, DocumentName, ImportError};
use crate::export_writer::NO_PLACE;

/// Reads the documents of one collection, in order.
pub(super) fn read_documents(
    file: &str,
    collection: Collection,
    raw: &[&RawValue],
) -> Result<Vec<Document>, ImportError> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(raw.len());
    let mut documents = Vec::with_capacity(raw.len());
    for (index, text) in raw.iter().enumerate() {
        let mut name = DocumentName { index, id: None };
        let document = read_document(collection, text.get(), &mut name).and_then(|document| {
            match places.insert(document.id.clone(), index) {
                Some(first) => Err(DocumentFault::DuplicateId { first }),
                None => Ok(document),
            }
        });
        documents.push(document.map_err(|fault| ImportError::Document {
            file: file.to_owned(),
            document: name,
            fault,
        })?);
    }
    Ok(documents)
}

/// Reads a document that a person gives here, with the checks of an import. It has no place in any
/// export's file.
///
/// # Errors
/// What is wrong with the id or with the body.
pub fn given_document(
    collection: Collection,
    id: &str,
    body: &JsonText,
) -> Result<Document, DocumentFault> {
    if !body.as_str().starts_with('{') {
        return Err(DocumentFault::NotAnObject);
    }
    let mut members: BTreeMap<String, Box<RawValue>> = body.read().map_err(DocumentFault::json)?;
    let own = serde_json::value::to_raw_value(id).map_err(DocumentFault::json)?;
    members.insert("_id".to_owned(), own);
    let text = serde_json::to_string(&members).map_err(DocumentFault::json)?;
    let mut document = read_document(collection, &text, &mut DocumentName { index: 0, id: None })?;
    document.ordinal = NO_PLACE;
    Ok(document)
}

fn read_document(
    collection: Collection,
    text: &str,
    name: &mut DocumentName,
) -> Result<Document, DocumentFault> {
    if !text.starts_with('{') {
        return Err(DocumentFault::NotAnObject);
    }
    name.id = claimed_id(text);
    let whole = JsonText::parse(text)?;
    let mut members: BTreeMap<String, &RawValue> = whole.read().map_err(DocumentFault::json)?;
    let id = members
        .remove("_id")
        .and_then(|id| serde_json::from_str::<String>(id.get()).ok())
        .filter(|id| !id.is_empty());
    let id = id.ok_or(DocumentFault::NoId)?;
    refuse_long("_id", &id)?;
    // The members are canonical already and a map is sorted, so this text is canonical too.
    let body =
        JsonText::from_canonical(serde_json::to_string(&members).map_err(DocumentFault::json)?);
    refuse_nul(&id, &body)?;
    refuse_long_ids(&body)?;
    check_timestamps(collection, &body).map_err(DocumentFault::Field)?;
    check_claimed_timestamps(&body)?;
    let ordinal = u32::try_from(name.index).map_err(|_| {
        DocumentFault::json(serde::de::Error::custom("the file has too many documents"))
    })?;
    Ok(Document::new(collection, id, ordinal, Personal::new(body)))
}

/// The fields that name documents and people.
const IDS: [&str; 6] = ["clientId", "formId", "authUid", "id", "assignmentId", "responseId"];

/// Rejects ids that are too long. Ids become stream names and row keys, and erasing a client writes
/// each of their ids into the names of files and keys.
fn refuse_long(field: &'static str, id: &str) -> Result<(), DocumentFault> {
    if id.len() > ID_BYTES {
        return Err(DocumentFault::LongId { field, limit: ID_BYTES, given: id.len() });
    }
    Ok(())
}

fn refuse_long_ids(body: &JsonText) -> Result<(), DocumentFault> {
    // A short document has no long id.
    if body.as_str().len() <= ID_BYTES {
        return Ok(());
    }
    let fields: BTreeMap<String, &RawValue> = body.read().map_err(DocumentFault::json)?;
    IDS.iter().try_for_each(|field| {
        let text =
            fields.get(*field).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
        text.map_or(Ok(()), |text| refuse_long(field, &text))
    })
}

/// Rejects NUL in ids. Ids become stream names and row keys, where NUL is a separator.
fn refuse_nul(id: &str, body: &JsonText) -> Result<(), DocumentFault> {
    if id.contains('\0') {
        return Err(DocumentFault::NulInId { field: "_id" });
    }
    // Canonical JSON has one spelling of NUL, so most documents need no further check.
    if !body.as_str().contains("\\u0000") {
        return Ok(());
    }
    let fields: BTreeMap<String, &RawValue> = body.read().map_err(DocumentFault::json)?;
    let holds_nul = |field: &&str| {
        let text =
            fields.get(*field).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
        text.is_some_and(|text| text.contains('\0'))
    };
    IDS.iter()
        .copied()
        .find(|field| holds_nul(field))
        .map_or(Ok(()), |field| Err(DocumentFault::NulInId { field }))
}

/// The `_id` for error messages, even if the document is invalid.
fn claimed_id(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claimed {
        #[serde(rename = "_id")]
        id: String,
    }
    serde_json::from_str::<Claimed>(text).ok().map(|claimed| claimed.id)
}

/// Rejects values in any field at any depth that look like a timestamp and are not one.
fn check_claimed_timestamps(body: &JsonText) -> Result<(), DocumentFault> {
    // Canonical JSON has one spelling of these keys, so most documents need no further check.
    if !body.as_str().contains("\"__datatype__\"") && !body.as_str().contains("\"_seconds\"") {
        return Ok(());
    }
    let value: Value = body.read().map_err(DocumentFault::json)?;
    match false_timestamp(&value, &mut String::new()) {
        Some((place, value)) => {
            Err(DocumentFault::FalseTimestamp { place, value: value.to_string() })
        }
        None => Ok(()),
    }
}

fn false_timestamp<'a>(value: &'a Value, place: &mut String) -> Option<(String, &'a Value)> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => match claims_to_be_a_timestamp(members) {
            Some(true) => return None,
            Some(false) => return Some((place.clone(), value)),
            None => members
                .iter()
                .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
                .collect(),
        },
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => return None,
    };
    inner.into_iter().find_map(|(step, value)| {
        let outer = place.len();
        place.push('/');
        place.push_str(&step);
        let found = false_timestamp(value, place);
        place.truncate(outer);
        found
    })
}

/// Whether an object that looks like a timestamp is one; `None` for other objects.
fn claims_to_be_a_timestamp(members: &Map<String, Value>) -> Option<bool> {
    if members.get("__datatype__").is_some_and(|datatype| datatype == "timestamp") {
        return Some(members.get("value").and_then(Value::as_object).is_some_and(is_instant));
    }
    let bare = members.len() == 2
        && members.contains_key("_seconds")
        && members.contains_key("_nanoseconds");
    bare.then(|| is_instant(members))
}

fn is_instant(parts: &Map<String, Value>) -> bool {
    let seconds = parts.get("_seconds").and_then(Value::as_i64);
    let nanoseconds = parts
        .get("_nanoseconds")
        .and_then(Value::as_u64)
        .and_then(|n| u32::try_from(n).ok())
        .filter(|n| *n < 1_000_000_000);
    seconds
        .zip(nanoseconds)
        .is_some_and(|(seconds, nanoseconds)| Timestamp::from_parts(seconds, nanoseconds).is_some())
}
