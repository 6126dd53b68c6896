//! Writing an export in the format of the old application: the way back from a migration, at any
//! time. An export appears completely or not at all.
//!
//! `documents` derives the current documents from events, `spool` and `file` write them.

mod documents;
mod error;
mod file;
mod spool;
mod summary;

pub use documents::stream_documents;
pub use error::ExportError;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Collection, Document, JsonText};
use rollbook_log::durable;

use spool::Spool;

/// The source of an export: one consistent state of a store.
pub trait DocumentSource {
    /// Passes every document to `take` as the old system would have it now, in any order. A
    /// document of several streams may be passed several times. [`stream_documents`] gives the
    /// documents of a stream.
    ///
    /// # Errors
    /// The errors of `take`, and [`ExportError::Store`] when the store cannot be read.
    fn each_document(
        &self,
        take: &mut dyn FnMut(&Document) -> Result<(), ExportError>,
    ) -> Result<(), ExportError>;
}

/// The parts of the imported exports other than the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportMetadata {
    /// The fields of each collection's file.
    pub collections: Vec<ExportedCollection>,
    /// `BACKUP_SUMMARY.json`, if there was one.
    pub summary: Option<JsonText>,
}

/// The ordinal of a document that was not imported. It sorts after all imported documents.
pub const NO_PLACE: u32 = u32::MAX;

/// Writes an export into a new or empty directory and returns the number of documents of each
/// collection. It keeps ids in memory, not documents, and temporarily needs twice the disk space of
/// the export.
///
/// When this returns `Ok`, the export is complete and synced to disk; otherwise nothing of it
/// exists.
///
/// # Errors
/// The directory is not empty or cannot be created, the store cannot be read, or writing fails.
pub fn write_export(
    source: &impl DocumentSource,
    before: &ExportMetadata,
    directory: &Path,
) -> Result<BTreeMap<Collection, u64>, ExportError> {
    let target = Target::admit(directory)?;
    let partial = Partial::create(&target)?;
    let spools = fill_spools(source, &partial.path)?;
    let mut counts = BTreeMap::new();
    for (collection, spool) in spools {
        let exported = before.collections.iter().find(|exported| exported.collection == collection);
        let is_required = Collection::REQUIRED.contains(&collection);
        if exported.is_some() || is_required || !spool.is_empty() {
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
    source: &impl DocumentSource,
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

/// The destination of the export.
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

/// The directory next to the target in which the export is built. Dropping it before it is
/// published removes it.
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
        let sync = |path: &Path| durable::sync_directory(path).map_err(failed("syncing", path));
        // 1. Sync the names of the files before the rename; each file was synced when it was
        // written.
        sync(&self.path)?;
        // The rename replaces an empty directory.
        durable::rename(&self.path, &target.path).map_err(failed("naming", &target.path))?;
        self.published = true;
        // 2. Sync the rename.
        sync(&target.parent)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.published {
            // The caller gets the first error. A directory that cannot be removed keeps its
            // temporary name.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
