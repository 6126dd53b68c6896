//! An export in the old application's shape: the way back, complete at any time. Owns the order of steps that makes an export
//! appear whole or not at all; `spool` and `file` write it, `later` says what became of each document since the import.

mod error;
mod file;
mod later;
mod spool;
mod summary;

pub use error::ExportError;
pub use later::stream_documents;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Collection, Document, JsonText};

use spool::Spool;

/// What an export is written from: one consistent state of a store.
pub trait ExportedDocuments {
    /// Shows every document as the old system would have it now, in any order. One that stands in several streams may be
    /// shown several times. [`stream_documents`] says what a stream holds.
    ///
    /// # Errors
    /// What `take` fails with, and [`ExportError::Store`] when the store cannot be read.
    fn each_document(
        &self,
        take: &mut dyn FnMut(&Document) -> Result<(), ExportError>,
    ) -> Result<(), ExportError>;
}

/// What the imports said about the exports they came from, beside the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportedBefore {
    /// The collections' own fields.
    pub collections: Vec<ExportedCollection>,
    /// `BACKUP_SUMMARY.json`, where there was one.
    pub summary: Option<JsonText>,
}

/// The ordinal of a document that no import brought: it stands behind those that have a place.
pub const NO_PLACE: u32 = u32::MAX;

/// Writes an export into a new or empty directory, and tells how many documents each collection has. Keeps ids in memory,
/// not documents; needs the space of the export twice while it writes.
///
/// Either the whole export is there when this returns, on the disk and not only in a cache, or nothing of it.
///
/// # Errors
/// The directory holds something or cannot be made, the store cannot be read, or writing fails.
pub fn write_export(
    source: &impl ExportedDocuments,
    before: &ExportedBefore,
    directory: &Path,
) -> Result<BTreeMap<Collection, u64>, ExportError> {
    let target = Target::admit(directory)?;
    let partial = Partial::create(&target)?;
    let spools = fill_spools(source, &partial.path)?;
    let mut counts = BTreeMap::new();
    for (collection, spool) in spools {
        let exported = before.collections.iter().find(|exported| exported.collection == collection);
        if exported.is_some() || !spool.is_empty() {
            counts.insert(
                collection,
                file::write_collection(&partial.path, collection, exported, spool)?,
            );
        } else {
            spool.discard()?;
        }
    }
    if let Some(summary) = &before.summary {
        let summary = summary::with_counts(summary, &before.collections, &counts);
        file::write_synced(&partial.path.join("BACKUP_SUMMARY.json"), |out| {
            out.write_all(summary.as_str().as_bytes())
        })?;
    }
    partial.publish(&target)?;
    Ok(counts)
}

fn fill_spools(
    source: &impl ExportedDocuments,
    directory: &Path,
) -> Result<BTreeMap<Collection, Spool>, ExportError> {
    let mut spools = BTreeMap::new();
    for collection in Collection::ALL {
        spools.insert(
            collection,
            Spool::create(directory.join(format!("{}.spool", collection.name())))?,
        );
    }
    source.each_document(&mut |document| match spools.get_mut(&document.collection) {
        Some(spool) => spool.add(document),
        None => Ok(()),
    })?;
    Ok(spools)
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> ExportError + 'a {
    move |source| ExportError::Write { doing, path: path.to_owned(), source }
}

/// Where the export is to stand.
struct Target {
    path: PathBuf,
    parent: PathBuf,
    name: String,
}

impl Target {
    fn admit(directory: &Path) -> Result<Self, ExportError> {
        let path = match fs::metadata(directory) {
            Ok(found) if !found.is_dir() => {
                return Err(ExportError::NotADirectory { path: directory.to_owned() });
            }
            Ok(_) => fs::canonicalize(directory).map_err(failed("finding", directory))?,
            Err(_) => std::path::absolute(directory).map_err(failed("finding", directory))?,
        };
        if path.is_dir() && fs::read_dir(&path).map_err(failed("reading", &path))?.next().is_some()
        {
            return Err(ExportError::NotEmpty { path });
        }
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => {
                let (parent, name) = (parent.to_owned(), name.to_string_lossy().into_owned());
                Ok(Self { path, parent, name })
            }
            _ => Err(ExportError::NotADirectory { path }),
        }
    }
}

/// The directory beside the target in which the export grows; gone when dropped before it is published.
struct Partial {
    path: PathBuf,
    published: bool,
}

impl Partial {
    fn create(target: &Target) -> Result<Self, ExportError> {
        let path = target.parent.join(format!(".{}.partial-{}", target.name, std::process::id()));
        fs::create_dir(&path).map_err(failed("making", &path))?;
        Ok(Self { path, published: false })
    }

    fn publish(mut self, target: &Target) -> Result<(), ExportError> {
        let sync = |path: &Path| {
            File::open(path)
                .and_then(|directory| directory.sync_all())
                .map_err(failed("syncing", path))
        };
        // 1. The files' names are on the disk before the directory has its own: each file was synced as it was written.
        sync(&self.path)?;
        // An empty directory gives way to this one.
        fs::rename(&self.path, &target.path).map_err(failed("naming", &target.path))?;
        self.published = true;
        // 2. The export is there for good.
        sync(&target.parent)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.published {
            // Whatever went wrong before is what the caller hears of; what cannot be removed is left under its own name.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
