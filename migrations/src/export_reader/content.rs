//! Reads the text of one file of an export, wherever the text comes from.

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Collection, Document, JsonText};

use super::document::read_documents;
use super::file::{ExportFile, check_time};
use super::{ImportError, UnknownCollection};

/// The name of the file that describes the export, without the extension.
pub(super) const SUMMARY: &str = "BACKUP_SUMMARY";

/// Reads a collection. `file` is the name of its file, for error messages.
pub(super) fn collection(
    file: &str,
    collection: Collection,
    text: &str,
) -> Result<(ExportedCollection, Vec<Document>), ImportError> {
    let read = ExportFile::read(file, collection.name(), text)?;
    let header = read.header(file)?;
    let documents = read_documents(file, collection, &read.documents)?;
    let count = u32::try_from(documents.len()).unwrap_or(u32::MAX);
    Ok((ExportedCollection { collection, documents: count, header }, documents))
}

/// Reads the summary.
pub(super) fn summary(file: &str, text: &str) -> Result<JsonText, ImportError> {
    let summary = JsonText::parse(text)
        .map_err(|source| ImportError::File { file: file.to_owned(), source })?;
    check_time(file, "backupDate", &summary)?;
    Ok(summary)
}

/// Counts the documents of a collection that is not imported.
pub(super) fn unknown(
    file: &str,
    name: String,
    text: &str,
) -> Result<UnknownCollection, ImportError> {
    let read = ExportFile::read(file, &name, text)?;
    Ok(UnknownCollection { name, documents: read.documents.len() })
}
