//! Reads one file of a JSON export: `{"collection", "totalDocuments", "documents", …}`. Checks its
//! structure and its statements about itself; `document` checks the documents.

use std::collections::BTreeMap;
use std::fmt;

use rollbook_domain::{JsonText, Timestamp};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::ImportError;

/// The file of a collection, with its documents as text.
pub(super) struct ExportFile<'a> {
    collection: &'a RawValue,
    total_documents: &'a RawValue,
    pub(super) documents: Vec<&'a RawValue>,
    header: BTreeMap<String, &'a RawValue>,
}

impl<'a> ExportFile<'a> {
    /// Parses the text of a file and checks its statements about itself.
    pub(super) fn read(file: &str, name: &str, text: &'a str) -> Result<Self, ImportError> {
        let read: Self = serde_json::from_str(text).map_err(|source| not_json(file, source))?;
        let untrue = |why: String| ImportError::Untrue { file: file.to_owned(), why };
        if serde_json::from_str::<String>(read.collection.get()).ok().as_deref() != Some(name) {
            return Err(untrue(format!(
                "it says that its collection is {}, but its name says {name:?}",
                read.collection
            )));
        }
        if serde_json::from_str::<usize>(read.total_documents.get()).ok()
            != Some(read.documents.len())
        {
            return Err(untrue(format!(
                "it says totalDocuments {} but contains {}",
                read.total_documents,
                read.documents.len()
            )));
        }
        Ok(read)
    }

    /// All other fields of the file, which an export writes again.
    pub(super) fn header(&self, file: &str) -> Result<JsonText, ImportError> {
        let text = serde_json::to_string(&self.header).map_err(|error| not_json(file, error))?;
        let header = JsonText::parse(&text)
            .map_err(|source| ImportError::File { file: file.to_owned(), source })?;
        check_time(file, "exportDate", &header)?;
        Ok(header)
    }
}

fn not_json(file: &str, source: serde_json::Error) -> ImportError {
    ImportError::File { file: file.to_owned(), source: source.into() }
}

/// Checks that a field of the file, if present, is an RFC 3339 time.
pub(super) fn check_time(file: &str, field: &str, fields: &JsonText) -> Result<(), ImportError> {
    let fields: BTreeMap<String, &RawValue> =
        fields.read().map_err(|source| not_json(file, source))?;
    match fields.get(field) {
        Some(value) if serde_json::from_str::<Timestamp>(value.get()).is_err() => {
            Err(ImportError::Untrue {
                file: file.to_owned(),
                why: format!("its {field} is {value}, which is not an RFC 3339 time"),
            })
        }
        _ => Ok(()),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ExportFile<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FileVisitor)
    }
}

struct FileVisitor;

impl<'de> Visitor<'de> for FileVisitor {
    type Value = ExportFile<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `collection`, `totalDocuments` and `documents`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let twice =
            |key: &str| A::Error::custom(format!("the key {key:?} occurs twice in one object"));
        let mut documents = None;
        let mut header = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "documents" {
                if documents.replace(map.next_value::<Documents<'de>>()?).is_some() {
                    return Err(twice(&key));
                }
            } else if header.insert(key.clone(), map.next_value::<&'de RawValue>()?).is_some() {
                return Err(twice(&key));
            }
        }
        let missing = |key: &str| A::Error::custom(format!("it has no `{key}`"));
        Ok(ExportFile {
            documents: documents.ok_or_else(|| A::Error::custom("it has no `documents` array"))?.0,
            collection: header.remove("collection").ok_or_else(|| missing("collection"))?,
            total_documents: header
                .remove("totalDocuments")
                .ok_or_else(|| missing("totalDocuments"))?,
            header,
        })
    }
}

/// The array of documents. Errors name the document at which the text is not JSON.
struct Documents<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Documents<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DocumentsVisitor;
        impl<'de> Visitor<'de> for DocumentsVisitor {
            type Value = Documents<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a `documents` array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut documents = Vec::new();
                loop {
                    match seq.next_element::<&'de RawValue>() {
                        Ok(Some(document)) => documents.push(document),
                        Ok(None) => return Ok(Documents(documents)),
                        Err(error) => {
                            return Err(A::Error::custom(format!(
                                "in the document at index {}: {error}",
                                documents.len()
                            )));
                        }
                    }
                }
            }
        }
        deserializer.deserialize_seq(DocumentsVisitor)
    }
}
