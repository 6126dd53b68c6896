//! Reading an export of the old application. [`ExportSource`] is the interface for its format;
//! `import` turns the documents into events. Source: `docs/spec/legacy-export.md`.

mod content;
mod directory;
mod document;
mod error;
mod file;
mod summary;
mod texts;

pub use directory::JsonDirectory;
pub use document::given_document;
pub use error::{DocumentFault, DocumentName, ImportError, UnknownCollection};

use std::io::Read;

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Document, JsonText};

/// An export that was read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The collections of the export in the order of [`rollbook_domain::Collection::ALL`], with
    /// their documents in file order.
    pub collections: Vec<(ExportedCollection, Vec<Document>)>,
    /// `BACKUP_SUMMARY.json`, if there is one.
    pub summary: Option<JsonText>,
    /// The collections that are not imported.
    pub unknown: Vec<UnknownCollection>,
}

impl Export {
    /// How many documents would be imported.
    pub fn documents(&self) -> usize {
        self.collections.iter().map(|(_, documents)| documents.len()).sum()
    }
}

/// The source of an export. Each format is one implementation.
pub trait ExportSource {
    /// Reads and checks the complete export.
    ///
    /// # Errors
    /// The first file or document that cannot be read or is invalid. Unknown collections are not an
    /// error.
    fn read(&self) -> Result<Export, ImportError>;
}

/// Reads an export and checks it against its own summary. Unknown collections are an error unless
/// `skip_unknown` is set.
///
/// # Errors
/// As [`ExportSource::read`]; [`ImportError::UnknownCollections`]; an error for an export that failed
/// or is incomplete, see [`ImportError::is_incomplete`].
pub fn read_export(source: &impl ExportSource, skip_unknown: bool) -> Result<Export, ImportError> {
    checked(source.read()?, skip_unknown)
}

/// Reads an export from the texts of its files, one after another in any order, and checks it as
/// [`read_export`] does. `progress` is called with the number of documents read so far.
///
/// # Errors
/// As [`read_export`]. An error of the reader is [`ImportError::Unreadable`].
pub fn read_texts(
    texts: impl Read,
    skip_unknown: bool,
    progress: &dyn Fn(u64),
) -> Result<Export, ImportError> {
    checked(texts::read(texts, progress)?, skip_unknown)
}

fn checked(export: Export, skip_unknown: bool) -> Result<Export, ImportError> {
    summary::check(&export)?;
    if !skip_unknown && !export.unknown.is_empty() {
        return Err(ImportError::UnknownCollections { collections: export.unknown });
    }
    Ok(export)
}
