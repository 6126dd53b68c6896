//! Reads an export from a directory with one JSON file for each collection. Other files are
//! ignored.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rollbook_domain::Collection;

use super::content::{self, SUMMARY};
use super::{Export, ExportSource, ImportError};

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

    /// The texts of all files, one after another, which [`super::read_texts`] reads. A file is opened
    /// when the reader reaches it.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn texts(&self) -> Result<impl Read + Send + use<>, ImportError> {
        let files = self.files()?.into_values();
        let none: Box<dyn Read + Send> = Box::new(io::empty());
        // The line break keeps a file without one at its end apart from the next.
        let texts = files
            .fold(none, |texts, path| Box::new(texts.chain(Lazy::Closed(path)).chain(&b"\n"[..])));
        Ok(texts)
    }
}

/// A file that is opened by its first read.
enum Lazy {
    Closed(PathBuf),
    Open(fs::File),
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Closed(path) = self {
            *self = Self::Open(fs::File::open(path)?);
        }
        match self {
            Self::Open(file) => file.read(buffer),
            Self::Closed(_) => Ok(0),
        }
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
        let text = |path: PathBuf| Ok::<_, ImportError>((file_name(&path), read_text(&path)?));
        let summary = match files.remove(SUMMARY).map(text).transpose()? {
            Some((file, text)) => Some(content::summary(&file, &text)?),
            None => None,
        };
        let mut collections = Vec::new();
        for collection in Collection::ALL {
            if let Some(path) = files.remove(collection.name()) {
                let (file, text) = text(path)?;
                collections.push(content::collection(&file, collection, &text)?);
            }
        }
        let mut unknown = Vec::new();
        for (name, path) in files {
            let (file, text) = text(path)?;
            unknown.push(content::unknown(&file, name, &text)?);
        }
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
