//! The storage engine on RocksDB. `settings` has every setting.

use std::collections::HashSet;
use std::path::Path;

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    ColumnFamily, DB, DBRawIterator, FlushOptions, ReadOptions, WriteBatch, WriteOptions,
};

use super::settings::{cache, database_options, family_options};
use super::{Batch, Cursor, Engine, Family, Purpose, failed, scrub, table_files};
use crate::error::{EngineError, LogError};

/// An open RocksDB database.
pub(crate) struct Rocks {
    db: DB,
    /// Options for reading single keys.
    lookup: ReadOptions,
    writable: bool,
}

impl Rocks {
    fn family(&self, family: Family) -> Result<&ColumnFamily, LogError> {
        self.db.cf_handle(family.name()).ok_or_else(|| missing(family))
    }
}

impl Engine for Rocks {
    type Cursor<'a> = RocksCursor<'a>;
    type Batch<'a> = RocksBatch<'a>;
    type Snapshot<'a> = rocksdb::Snapshot<'a>;

    fn open_to_read(dir: &Path, db_dir: &Path) -> Result<Self, LogError> {
        table_files::require_open_files(dir, db_dir)?;
        let mut options = database_options();
        // Open all table files now and keep them open: readers of this instance continue after a
        // writable instance has replaced it and has merged those files away.
        options.set_max_open_files(-1);
        let cache = cache();
        let families = Family::ALL.map(|family| (family.name(), family_options(family, &cache)));
        match DB::open_cf_with_opts_for_read_only(&options, db_dir, families, false) {
            Ok(db) => Ok(Self { db, lookup: ReadOptions::default(), writable: false }),
            Err(source) => Err(LogError::Database { dir: dir.to_owned(), source: source.into() }),
        }
    }

    fn open_to_write(dir: &Path, db_dir: &Path, create: bool) -> Result<Self, LogError> {
        let mut options = database_options();
        options.set_max_open_files(table_files::open_files());
        options.create_if_missing(create);
        options.create_missing_column_families(create);
        let cache = cache();
        let families = Family::ALL.map(|family| (family.name(), family_options(family, &cache)));
        match DB::open_cf_with_opts(&options, db_dir, families) {
            Ok(db) => Ok(Self { db, lookup: ReadOptions::default(), writable: true }),
            Err(source) => Err(LogError::Database { dir: dir.to_owned(), source: source.into() }),
        }
    }

    fn identity(&self) -> Result<Vec<u8>, LogError> {
        self.db.get_db_identity().map_err(failed("read its id"))
    }

    fn is_writable(&self) -> bool {
        self.writable
    }

    fn get<T>(
        &self,
        family: Family,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, LogError> {
        let value = self
            .db
            .get_pinned_cf_opt(self.family(family)?, key, &self.lookup)
            .map_err(failed("read"))?;
        Ok(value.as_deref().map(read))
    }

    fn cursor(&self, family: Family, purpose: Purpose) -> Result<RocksCursor<'_>, LogError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        if purpose == Purpose::Scan {
            options.fill_cache(false);
            options.set_readahead_size(1 << 20);
        }
        Ok(RocksCursor(self.db.raw_iterator_cf_opt(self.family(family)?, options)))
    }

    fn snapshot(&self) -> rocksdb::Snapshot<'_> {
        self.db.snapshot()
    }

    fn get_in(
        &self,
        snapshot: &rocksdb::Snapshot<'_>,
        family: Family,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, LogError> {
        snapshot.get_cf(self.family(family)?, key).map_err(failed("read"))
    }

    fn cursor_in<'a>(
        &'a self,
        snapshot: &'a rocksdb::Snapshot<'a>,
        family: Family,
        end: Option<Vec<u8>>,
    ) -> Result<RocksCursor<'a>, LogError> {
        let mut options = ReadOptions::default();
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        Ok(RocksCursor(snapshot.raw_iterator_cf_opt(self.family(family)?, options)))
    }

    fn batch(&self, capacity_bytes: usize) -> RocksBatch<'_> {
        let families = Family::ALL.map(|family| self.db.cf_handle(family.name()));
        let batch = WriteBatch::with_capacity_bytes(capacity_bytes);
        RocksBatch { engine: self, families, batch }
    }

    fn checkpoint(&self, to: &Path) -> Result<(), LogError> {
        let checkpoint = Checkpoint::new(&self.db).map_err(failed("prepare a checkpoint"))?;
        checkpoint.create_checkpoint(to).map_err(failed("write a checkpoint"))
    }

    fn sync(&self) -> Result<(), LogError> {
        self.db.flush_wal(true).map_err(failed("sync"))
    }

    fn settle(&self) -> Result<(), LogError> {
        self.sync()?;
        let families = Family::ALL
            .into_iter()
            .map(|family| self.family(family))
            .collect::<Result<Vec<_>, _>>()?;
        self.db
            .flush_cfs_opt(&families, &FlushOptions::default())
            .map_err(failed("write table files"))
    }

    fn table_files(&self) -> Result<HashSet<String>, LogError> {
        table_files::names(&self.db)
    }

    fn scrub(&self) -> Result<(), LogError> {
        self.settle()?;
        for family in Family::ALL {
            scrub::rewrite(&self.db, self.family(family)?);
        }
        self.settle()?;
        scrub::wait_until_old_files_are_gone(&self.db)
    }
}

impl Drop for Rocks {
    fn drop(&mut self) {
        if self.writable {
            table_files::merge_before_closing(&self.db);
        }
    }
}

/// A RocksDB iterator.
pub(crate) struct RocksCursor<'a>(DBRawIterator<'a>);

impl Cursor for RocksCursor<'_> {
    #[inline]
    fn seek(&mut self, key: impl AsRef<[u8]>) {
        self.0.seek(key);
    }

    #[inline]
    fn seek_for_prev(&mut self, key: impl AsRef<[u8]>) {
        self.0.seek_for_prev(key);
    }

    #[inline]
    fn seek_to_first(&mut self) {
        self.0.seek_to_first();
    }

    #[inline]
    fn seek_to_last(&mut self) {
        self.0.seek_to_last();
    }

    #[inline]
    fn next(&mut self) {
        self.0.next();
    }

    #[inline]
    fn prev(&mut self) {
        self.0.prev();
    }

    #[inline]
    fn item(&self) -> Option<(&[u8], &[u8])> {
        self.0.item()
    }

    fn status(&self) -> Result<(), EngineError> {
        Ok(self.0.status()?)
    }
}

/// A RocksDB write batch.
pub(crate) struct RocksBatch<'a> {
    engine: &'a Rocks,
    /// In the order of [`Family::ALL`], looked up once.
    families: [Option<&'a ColumnFamily>; Family::ALL.len()],
    batch: WriteBatch,
}

impl<'a> RocksBatch<'a> {
    fn family(&self, family: Family) -> Result<&'a ColumnFamily, LogError> {
        self.families.get(family as usize).copied().flatten().ok_or_else(|| missing(family))
    }

    fn write_with(self, options: &WriteOptions) -> Result<(), LogError> {
        self.engine.db.write_opt(self.batch, options).map_err(failed("write"))
    }
}

impl Batch for RocksBatch<'_> {
    #[inline]
    fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        self.batch.put_cf(self.family(family)?, key, value);
        Ok(())
    }

    fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), LogError> {
        self.batch.delete_cf(self.family(family)?, key);
        Ok(())
    }

    fn delete_range(&mut self, family: Family, start: &[u8], end: &[u8]) -> Result<(), LogError> {
        self.batch.delete_range_cf(self.family(family)?, start, end);
        Ok(())
    }

    fn write_unlogged(self) -> Result<(), LogError> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.write_with(&options)
    }

    fn write(self, sync: bool) -> Result<(), LogError> {
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.write_with(&options)
    }
}

fn missing(family: Family) -> LogError {
    LogError::Engine {
        doing: "open a column family",
        source: EngineError::missing_family(family.name()),
    }
}
