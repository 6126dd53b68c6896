//! An engine whose syncs tests can fail, for the feature `fault-injection`. It passes every call to
//! the real engine and reports each sync to `faults` first.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{Batch, Engine, Family, Purpose, failed};
use crate::error::{EngineError, LogError};
use crate::faults;
use crate::sync_kind::SyncKind;

/// An engine with faults.
pub(crate) struct FaultyEngine<E> {
    inner: E,
    db_dir: PathBuf,
}

/// Runs a sync of a database, unless a test's plan fails it.
fn at(
    kind: SyncKind,
    path: &Path,
    sync: impl FnOnce() -> Result<(), LogError>,
) -> Result<(), LogError> {
    let refused = |error: io::Error| failed("sync")(EngineError::from(error));
    faults::at(kind, path, refused, sync)
}

impl<E: Engine> Engine for FaultyEngine<E> {
    type Cursor<'a>
        = E::Cursor<'a>
    where
        Self: 'a;
    type Batch<'a>
        = FaultyBatch<'a, E::Batch<'a>>
    where
        Self: 'a;
    type Snapshot<'a>
        = E::Snapshot<'a>
    where
        Self: 'a;

    fn open_to_read(dir: &Path, db_dir: &Path) -> Result<Self, LogError> {
        Ok(Self { inner: E::open_to_read(dir, db_dir)?, db_dir: db_dir.to_owned() })
    }

    fn open_to_write(dir: &Path, db_dir: &Path, create: bool) -> Result<Self, LogError> {
        let inner = E::open_to_write(dir, db_dir, create)?;
        // The engine syncs the files that it creates on opening.
        faults::synced_by_itself(db_dir);
        Ok(Self { inner, db_dir: db_dir.to_owned() })
    }

    fn identity(&self) -> Result<Vec<u8>, LogError> {
        self.inner.identity()
    }

    fn is_writable(&self) -> bool {
        self.inner.is_writable()
    }

    fn get<T>(
        &self,
        family: Family,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, LogError> {
        self.inner.get(family, key, read)
    }

    fn cursor(&self, family: Family, purpose: Purpose) -> Result<Self::Cursor<'_>, LogError> {
        self.inner.cursor(family, purpose)
    }

    fn snapshot(&self) -> Self::Snapshot<'_> {
        self.inner.snapshot()
    }

    fn get_in(
        &self,
        snapshot: &Self::Snapshot<'_>,
        family: Family,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, LogError> {
        self.inner.get_in(snapshot, family, key)
    }

    fn cursor_in<'a>(
        &'a self,
        snapshot: &'a Self::Snapshot<'a>,
        family: Family,
        end: Option<Vec<u8>>,
    ) -> Result<Self::Cursor<'a>, LogError> {
        self.inner.cursor_in(snapshot, family, end)
    }

    fn batch(&self, capacity_bytes: usize) -> Self::Batch<'_> {
        FaultyBatch { inner: self.inner.batch(capacity_bytes), db_dir: &self.db_dir }
    }

    fn checkpoint(&self, to: &Path) -> Result<(), LogError> {
        at(SyncKind::Checkpoint, to, || self.inner.checkpoint(to))
    }

    fn sync(&self) -> Result<(), LogError> {
        at(SyncKind::WriteAheadLog, &self.db_dir, || self.inner.sync())
    }

    fn settle(&self) -> Result<(), LogError> {
        at(SyncKind::TableFiles, &self.db_dir, || self.inner.settle())
    }

    fn table_files(&self) -> Result<HashSet<String>, LogError> {
        self.inner.table_files()
    }

    fn scrub(&self) -> Result<(), LogError> {
        at(SyncKind::TableFiles, &self.db_dir, || self.inner.scrub())
    }
}

/// A batch whose synced write can fail.
pub(crate) struct FaultyBatch<'a, B> {
    inner: B,
    db_dir: &'a Path,
}

impl<B: Batch> Batch for FaultyBatch<'_, B> {
    fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        self.inner.put(family, key, value)
    }

    fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), LogError> {
        self.inner.delete(family, key)
    }

    fn delete_range(&mut self, family: Family, start: &[u8], end: &[u8]) -> Result<(), LogError> {
        self.inner.delete_range(family, start, end)
    }

    fn write_unlogged(self) -> Result<(), LogError> {
        self.inner.write_unlogged()
    }

    fn write(self, sync: bool) -> Result<(), LogError> {
        let Self { inner, db_dir } = self;
        if sync {
            at(SyncKind::WriteAheadLog, db_dir, || inner.write(true))
        } else {
            inner.write(false)
        }
    }
}
