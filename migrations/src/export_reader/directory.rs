//! Reads an export from a directory with one JSON file for each collection. Other files are
//! ignored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Collection, Document, JsonText};

use super::document::read_documents;
use super::file::{ExportFile, check_time};
use super::{Export, ExportSource, ImportError, UnknownCollection};

/// The name of the file that describes the backup.
const SUMMARY: &str = "BACKUP_SUMMARY";

/// A directory with `<collection>.json` files and optionally `BACKUP_SUMMARY.json`.
#[derive(Clone, Debug)]
pub struct JsonDirectory {
    directory: PathBuf,
}

impl JsonDirectory {
    /// An export in this directory, which is not read yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The `.json` files by their names without the extension. Hidden files are not part of an
    /// export.
    fn files(&self) -> Result<BTreeMap<String, PathBuf>, ImportError> {
        let unreadable = |source| ImportError::Unreadable { path: self.directory.clone(), source };
        if !fs::metadata(&self.directory).map_err(unreadable)?.is_dir() {
            return Err(ImportError::NotADirectory { path: self.directory.clone() });
        }
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&self.directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(stem) = name
                .strip_suffix(".json")
                .filter(|stem| !stem.is_empty() && !name.starts_with('.') && !path.is_dir())
            {
                files.insert(stem.to_owned(), path);
            }
        }
        Ok(files)
    }
}

impl ExportSource for JsonDirectory {
    fn read(&self) -> Result<Export, ImportError> {
        let mut files = self.files()?;
        if let Some(missing) = Collection::REQUIRED
            .into_iter()
            .find(|collection| !files.contains_key(collection.name()))
        {
            return Err(ImportError::MissingCollection {
                path: self.directory.clone(),
                collection: missing.name(),
            });
        }
        let summary = files.remove(SUMMARY).map(|path| read_summary(&path)).transpose()?;
        let mut collections = Vec::new();
        for collection in Collection::ALL {
            if let Some(path) = files.remove(collection.name()) {
                collections.push(read_collection(&path, collection)?);
            }
        }
        let unknown = files
            .into_iter()
            .map(|(name, path)| count_unknown(&path, name))
            .collect::<Result<_, _>>()?;
        Ok(Export { collections, summary, unknown })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_text(path: &Path) -> Result<String, ImportError> {
    let bytes = fs::read(path)
        .map_err(|source| ImportError::Unreadable { path: path.to_owned(), source })?;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(ImportError::ByteOrderMark { file: file_name(path) });
    }
    String::from_utf8(bytes).map_err(|error| ImportError::NotUtf8 {
        file: file_name(path),
        offset: error.utf8_error().valid_up_to(),
    })
}

fn read_collection(
    path: &Path,
    collection: Collection,
) -> Result<(ExportedCollection, Vec<Document>), ImportError> {
    let name = file_name(path);
    let text = read_text(path)?;
    let file = ExportFile::read(&name, collection.name(), &text)?;
    let header = file.header(&name)?;
    let documents = read_documents(&name, collection, &file.documents)?;
    let count = u32::try_from(documents.len()).unwrap_or(u32::MAX);
    Ok((ExportedCollection { collection, documents: count, header }, documents))
}

fn read_summary(path: &Path) -> Result<JsonText, ImportError> {
    let name = file_name(path);
    let text = read_text(path)?;
    let summary = JsonText::parse(&text)
        .map_err(|source| ImportError::File { file: name.clone(), source })?;
    check_time(&name, "backupDate", &summary)?;
    Ok(summary)
}

fn count_unknown(path: &Path, name: String) -> Result<UnknownCollection, ImportError> {
    let text = read_text(path)?;
    let file = ExportFile::read(&file_name(path), &name, &text)?;
    Ok(UnknownCollection { name, documents: file.documents.len() })
}
