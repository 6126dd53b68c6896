//! Why an export cannot be read. Each text names the file, the document and the reason; the caller
//! adds the next step.

use std::fmt;
use std::path::PathBuf;

use rollbook_domain::document::BadTimestamp;
use rollbook_domain::json::JsonError;

/// Why an export was rejected. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or the directory cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The path is that of a file.
    #[error("{} is not a directory", .path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The file of a required collection is missing.
    #[error("{} has no {collection}.json, which every import needs", .path.display())]
    MissingCollection {
        /// The directory.
        path: PathBuf,
        /// The collection.
        collection: &'static str,
    },
    /// The export has collections that Rollbook does not store.
    #[error("the export has collections that would not be imported: {}", Listed(collections))]
    UnknownCollections {
        /// Their names and how many documents each has.
        collections: Vec<UnknownCollection>,
    },
    /// A file is not UTF-8 text.
    #[error("{file} is not UTF-8 text from byte {offset} on")]
    NotUtf8 {
        /// The file's name.
        file: String,
        /// The index of the first invalid byte, from 0.
        offset: usize,
    },
    /// A file starts with a byte order mark, which JSON does not allow.
    #[error("{file} starts with a byte order mark, so it is not JSON")]
    ByteOrderMark {
        /// The file's name.
        file: String,
    },
    /// A file is not JSON, or does not have the structure of an export.
    #[error("{file} is not the export of a collection: {source}")]
    File {
        /// The file's name.
        file: String,
        /// The cause, with line and column.
        #[source]
        source: JsonError,
    },
    /// A statement of a file about itself is wrong.
    #[error("{file}: {why}, so the file is not what was exported")]
    Untrue {
        /// The file's name.
        file: String,
        /// The statement and the fact.
        why: String,
    },
    /// The summary of the export says that a collection was not exported.
    #[error("the export failed: its summary says {status:?} of {collection}{}", reason(.error))]
    FailedCollection {
        /// The collection.
        collection: String,
        /// The status in the summary.
        status: String,
        /// The error in the summary, if it has one.
        error: Option<String>,
    },
    /// The summary of the export says that whole collections failed, and lists none of them.
    #[error("the export failed: its summary says that {failed} collections failed")]
    FailedCollections {
        /// The number of failed collections in the summary.
        failed: u64,
    },
    /// A collection has another number of documents than the summary of the export says.
    #[error(
        "the export is not complete: its summary counts {summary} documents of {collection}, and its files have {found}"
    )]
    CountDiffers {
        /// The collection.
        collection: String,
        /// The number in the summary.
        summary: u64,
        /// The number of documents in the file; 0 without a file.
        found: u64,
    },
    /// An entry of the list of documents is not a valid document.
    #[error("{file}, {document}: {fault}")]
    Document {
        /// The file's name.
        file: String,
        /// The document.
        document: DocumentName,
        /// What is wrong with it.
        #[source]
        fault: DocumentFault,
    },
}

impl ImportError {
    /// Whether the export itself failed or is incomplete, as opposed to a file that cannot be read.
    pub fn is_incomplete(&self) -> bool {
        matches!(
            self,
            Self::FailedCollection { .. }
                | Self::FailedCollections { .. }
                | Self::CountDiffers { .. }
        )
    }
}

fn reason(error: &Option<String>) -> String {
    error.as_ref().map_or_else(String::new, |error| format!(" ({error})"))
}

/// Identifies a document of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentName {
    /// Its index in the file, from 0.
    pub index: usize,
    /// Its `_id`, if it has one.
    pub id: Option<String>,
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "document {id:?} (index {})", self.index),
            None => write!(f, "document at index {}", self.index),
        }
    }
}

/// Why an entry is not a valid document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentFault {
    /// It is another kind of JSON value.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// Its JSON cannot be stored, for example because a key occurs twice or it is nested too deep.
    #[error("{0}")]
    Json(#[source] JsonError),
    /// An id is too long.
    #[error("the id in its field {field:?} has {given} bytes; the limit is {limit}")]
    LongId {
        /// The field.
        field: &'static str,
        /// The maximum number of bytes.
        limit: usize,
        /// The number of bytes.
        given: usize,
    },
    /// It has no usable `_id`.
    #[error("it has no `_id` that is a non-empty string")]
    NoId,
    /// Another document of the file has the same `_id`.
    #[error("the document at index {first} has the same `_id`")]
    DuplicateId {
        /// The index of the earlier document, from 0.
        first: usize,
    },
    /// An id contains a NUL character.
    #[error("the id in its field {field:?} contains a NUL character")]
    NulInId {
        /// The field.
        field: &'static str,
    },
    /// The value of a timestamp field is not a timestamp.
    #[error(transparent)]
    Field(BadTimestamp),
    /// A value has the structure of a timestamp and is not one.
    #[error("the value {value} at {place:?} looks like a timestamp and is not one")]
    FalseTimestamp {
        /// Where, as a JSON pointer.
        place: String,
        /// Its JSON.
        value: String,
    },
}

impl DocumentFault {
    pub(super) fn json(error: serde_json::Error) -> Self {
        Self::Json(error.into())
    }
}

impl From<JsonError> for DocumentFault {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// A collection that Rollbook does not store.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UnknownCollection {
    /// Its name, which is that of its file.
    pub name: String,
    /// How many documents it has.
    pub documents: usize,
}

struct Listed<'a>(&'a [UnknownCollection]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, unknown) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{} ({} documents)", unknown.name, unknown.documents)?;
        }
        Ok(())
    }
}
