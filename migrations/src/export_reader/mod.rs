//! Reading an export of the old application. Owns what an export is once it has been read, and the seam behind which other
//! formats come; what becomes of its documents is `import`'s. Source: `docs/spec/legacy-export.md`.

mod directory;
mod document;
mod error;
mod file;

pub use directory::JsonDirectory;
pub use error::{DocumentFault, DocumentName, ImportError, UnknownCollection};

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Document, JsonText};

/// An export, read and checked: everything in it is a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The collections that the export has, in the order of [`rollbook_domain::Collection::ALL`], each with its documents in
    /// the order of its file.
    pub collections: Vec<(ExportedCollection, Vec<Document>)>,
    /// `BACKUP_SUMMARY.json`, where there is one.
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

/// Where an export can be read from: one implementation a format.
pub trait ExportSource {
    /// Reads and checks all of it.
    ///
    /// # Errors
    /// The first thing that cannot be read or is no document; collections that are not known are no error here.
    fn read(&self) -> Result<Export, ImportError>;
}

/// Reads an export, refusing collections that would be left out unless that is asked for.
///
/// # Errors
/// As [`ExportSource::read`], and [`ImportError::UnknownCollections`].
pub fn read_export(source: &impl ExportSource, skip_unknown: bool) -> Result<Export, ImportError> {
    let export = source.read()?;
    if !skip_unknown && !export.unknown.is_empty() {
        return Err(ImportError::UnknownCollections { collections: export.unknown });
    }
    Ok(export)
}
