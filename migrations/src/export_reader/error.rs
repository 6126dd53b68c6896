//! Why an export cannot be imported. Owns the texts: each names the file and the document, the reason, and what to do next.

use std::fmt;
use std::path::PathBuf;

use rollbook_domain::document::BadTimestamp;

/// Why an export was refused. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file or the directory cannot be read.
    #[error("{} cannot be read: {source}; name a directory with the export's <collection>.json files that this user may read", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file was named instead of the directory.
    #[error("{} is no directory; name the directory that holds the export's <collection>.json files", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// A collection without which an import makes no sense has no file.
    #[error("{} has no {collection}.json, which an import cannot do without; name the export's directory, or make the export again with this collection", path.display())]
    MissingCollection {
        /// The directory.
        path: PathBuf,
        /// The collection.
        collection: &'static str,
    },
    /// The export holds collections that Rollbook does not keep.
    #[error(
        "the export holds collections that would not be imported: {}; import with --skip-unknown to leave them out",
        Listed(collections)
    )]
    UnknownCollections {
        /// Their names and how many documents each has.
        collections: Vec<UnknownCollection>,
    },
    /// A file is no UTF-8 text.
    #[error(
        "{file} is no UTF-8 text from byte {offset} on; write the export again as UTF-8 without a byte order mark"
    )]
    NotUtf8 {
        /// The file's name.
        file: String,
        /// The first byte that is none, from 0.
        offset: usize,
    },
    /// A file begins with a byte order mark, which JSON text does not have.
    #[error(
        "{file} begins with a byte order mark, so it is no JSON; write the export again as UTF-8 without one"
    )]
    ByteOrderMark {
        /// The file's name.
        file: String,
    },
    /// A file is no JSON, or not of the shape of an export.
    #[error(
        "{file} is no export of a collection: {source}; correct the file or make the export again"
    )]
    File {
        /// The file's name.
        file: String,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A file says something about itself that is not so.
    #[error("{file}: {why}; the file is not what was exported: make the export again")]
    Untrue {
        /// The file's name.
        file: String,
        /// What is not so.
        why: String,
    },
    /// Something in the list of documents is no document.
    #[error("{file}, {document}: {fault}; correct this document or make the export again")]
    Document {
        /// The file's name.
        file: String,
        /// Which document.
        document: DocumentName,
        /// What is wrong with it.
        #[source]
        fault: DocumentFault,
    },
}

/// Which document of a file: its place, and its `_id` where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentName {
    /// Its place in the file, from 0.
    pub index: usize,
    /// Its `_id`.
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

/// What makes something no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentFault {
    /// It is another kind of JSON.
    #[error("it is no JSON object")]
    NotAnObject,
    /// It cannot be kept as it is, such as a key that stands twice.
    #[error("{0}")]
    Json(#[source] serde_json::Error),
    /// Nothing says which document it is.
    #[error("it has no `_id` that is a non-empty string")]
    NoId,
    /// Another document of the file has the same `_id`.
    #[error("the document at index {first} has the same `_id`")]
    DuplicateId {
        /// The earlier document's place, from 0.
        first: usize,
    },
    /// An id with a NUL character in it, which can name nothing.
    #[error("the id in its field {field:?} has a NUL character in it")]
    NulInId {
        /// The field.
        field: &'static str,
    },
    /// A field that must hold a timestamp holds something else.
    #[error(transparent)]
    Field(BadTimestamp),
    /// Something claims to be a timestamp and is none.
    #[error("at {place:?} stands {value}, which claims to be a timestamp and is none")]
    FalseTimestamp {
        /// Where, as a JSON pointer.
        place: String,
        /// Its JSON.
        value: String,
    },
}

/// A collection that Rollbook does not keep.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UnknownCollection {
    /// Its name: that of its file.
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
