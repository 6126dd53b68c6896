//! RocksDB: how it is set up, opened, read and written. Owns every setting; what stands in the column families is `layout`'s.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, DB, DBCompressionType,
    DBRawIterator, DBRecoveryMode, LogLevel, LruCacheOptions, MemtableFactory, Options,
    ReadOptions, SliceTransform, WriteBatch, WriteOptions,
};

use crate::error::{EngineError, LogError};

/// Memory for what is written and not yet in a table file, over all families.
const WRITE_BUFFERS_BYTES: usize = 96 << 20;
/// Memory for blocks, indexes and filters of table files.
const CACHE_BYTES: usize = 48 << 20;
/// How long an event's id is.
const ID_BYTES: usize = 16;
/// How many lists the ids in memory are spread over; 8 bytes each.
const IDS_BUCKETS: usize = 1 << 16;
/// How much log RocksDB may keep to replay on opening; a read-only opening holds that much in memory.
const WAL_BYTES: u64 = 64 << 20;
/// How long old files may take to go away, and how often that is looked at.
const OLD_FILES_DEADLINE: Duration = Duration::from_secs(60);
const OLD_FILES_INTERVAL: Duration = Duration::from_millis(10);
/// Files kept open while writing.
const OPEN_FILES: i32 = 512;

/// The column families; see `layout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Commits by position.
    Records,
    /// Commits by stream and version.
    Streams,
    /// Positions by event id.
    Ids,
    /// Answers by idempotency key.
    Keys,
    /// Head and store id.
    Meta,
    /// The projections' rows.
    Rows,
}

impl Family {
    const ALL: [Self; 6] =
        [Self::Records, Self::Streams, Self::Ids, Self::Keys, Self::Meta, Self::Rows];

    fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Streams => "streams",
            Self::Ids => "ids",
            Self::Keys => "keys",
            Self::Meta => "meta",
            Self::Rows => "rows",
        }
    }

    fn options(self, cache: &Cache) -> Options {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        // Indexes and filters count against the cache too. In parts: the filter of a large table file is megabytes, and as one block
        // it would push everything else out of the cache, or not fit at all and be read again for every look.
        table.set_cache_index_and_filter_blocks(true);
        table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        table.set_partition_filters(true);
        table.set_pin_top_level_index_and_filter(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        let mut options = Options::default();
        match self {
            // Scanned from end to end: large blocks.
            Self::Records => table.set_block_size(32 << 10),
            // Random, and asked one by one: a hash table takes them in a third of a skip list's time and tells as fast who is not there.
            Self::Ids => {
                table.set_bloom_filter(10.0, false);
                options.set_prefix_extractor(SliceTransform::create_fixed_prefix(ID_BYTES));
                options.set_memtable_factory(MemtableFactory::HashLinkList {
                    bucket_count: IDS_BUCKETS,
                });
            }
            // Asked mostly for what is not there, also while it is still in memory.
            Self::Keys => {
                table.set_bloom_filter(10.0, false);
                options.set_memtable_prefix_bloom_ratio(0.1);
                options.set_memtable_whole_key_filtering(true);
            }
            Self::Rows => {
                table.set_block_size(16 << 10);
                table.set_bloom_filter(10.0, false);
            }
            Self::Streams | Self::Meta => {}
        }
        // Random ids do not compress.
        options.set_compression_type(if self == Self::Ids {
            DBCompressionType::None
        } else {
            DBCompressionType::Lz4
        });
        options.set_write_buffer_size(match self {
            Self::Records | Self::Rows => 24 << 20,
            Self::Streams | Self::Ids => 12 << 20,
            Self::Keys | Self::Meta => 2 << 20,
        });
        options.set_block_based_table_factory(&table);
        options
    }
}

/// The cache that all families share.
fn cache() -> Cache {
    let mut options = LruCacheOptions::default();
    options.set_capacity(CACHE_BYTES);
    // Few and large parts: a part must hold any block.
    options.set_num_shard_bits(2);
    Cache::new_lru_cache_opts(&options)
}

fn database_options() -> Options {
    let mut options = Options::default();
    // Only an unfinished last write may vanish; anything else that is wrong in RocksDB's own log is an error on opening. What of that
    // RocksDB does not see, `files::check_journals` has refused before.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_paranoid_checks(true);
    // One thread writes; the table of ids could not take more.
    options.set_allow_concurrent_memtable_write(false);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_total_wal_size(WAL_BYTES);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

/// An open database.
pub(crate) struct Engine {
    db: DB,
    /// How single keys are read.
    lookup: ReadOptions,
    writable: bool,
}

impl Engine {
    /// Opens an existing database without changing a byte of it.
    pub(crate) fn open_to_read(dir: &Path, db_dir: &Path) -> Result<Self, LogError> {
        let mut options = database_options();
        // All table files are opened now and stay open: what reads this instance goes on after a writable one has taken its place
        // and has merged those files away.
        options.set_max_open_files(-1);
        let cache = cache();
        let families = Family::ALL.map(|family| (family.name(), family.options(&cache)));
        match DB::open_cf_with_opts_for_read_only(&options, db_dir, families, false) {
            Ok(db) => Ok(Self { db, lookup: ReadOptions::default(), writable: false }),
            Err(source) => Err(LogError::Database { dir: dir.to_owned(), source: source.into() }),
        }
    }

    /// Opens a database for writing; makes it when `create` says so.
    pub(crate) fn open_to_write(dir: &Path, db_dir: &Path, create: bool) -> Result<Self, LogError> {
        let mut options = database_options();
        options.set_max_open_files(OPEN_FILES);
        options.create_if_missing(create);
        options.create_missing_column_families(create);
        let cache = cache();
        let families = Family::ALL.map(|family| (family.name(), family.options(&cache)));
        match DB::open_cf_with_opts(&options, db_dir, families) {
            Ok(db) => Ok(Self { db, lookup: ReadOptions::default(), writable: true }),
            Err(source) => Err(LogError::Database { dir: dir.to_owned(), source: source.into() }),
        }
    }

    /// The id that the database has in its manifest.
    pub(crate) fn identity(&self) -> Result<Vec<u8>, LogError> {
        self.db.get_db_identity().map_err(failed("read its id"))
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    fn family(&self, family: Family) -> Result<&ColumnFamily, LogError> {
        self.db.cf_handle(family.name()).ok_or_else(|| missing(family))
    }

    /// Hands the value of a key to `read`, without copying it.
    pub(crate) fn get<T>(
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

    /// A cursor over a family.
    pub(crate) fn cursor(
        &self,
        family: Family,
        purpose: Purpose,
    ) -> Result<DBRawIterator<'_>, LogError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        if purpose == Purpose::Scan {
            options.fill_cache(false);
            options.set_readahead_size(1 << 20);
        }
        Ok(self.db.raw_iterator_cf_opt(self.family(family)?, options))
    }

    /// A view of the database that later writes do not change.
    pub(crate) fn snapshot(&self) -> rocksdb::Snapshot<'_> {
        self.db.snapshot()
    }

    /// The value of a key in a snapshot.
    pub(crate) fn get_in(
        &self,
        snapshot: &rocksdb::Snapshot<'_>,
        family: Family,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, LogError> {
        snapshot.get_cf(self.family(family)?, key).map_err(failed("read"))
    }

    /// A cursor over a family in a snapshot, up to a key.
    pub(crate) fn cursor_in<'a>(
        &'a self,
        snapshot: &'a rocksdb::Snapshot<'a>,
        family: Family,
        end: Option<Vec<u8>>,
    ) -> Result<DBRawIterator<'a>, LogError> {
        let mut options = ReadOptions::default();
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        Ok(snapshot.raw_iterator_cf_opt(self.family(family)?, options))
    }

    /// An empty batch for this database.
    pub(crate) fn batch(&self, capacity_bytes: usize) -> Batch<'_> {
        let families = Family::ALL.map(|family| self.db.cf_handle(family.name()));
        Batch { engine: self, families, batch: WriteBatch::with_capacity_bytes(capacity_bytes) }
    }

    /// Puts the database as it is now into a new directory: table files as hard links where the file system has them, else as copies.
    /// Writing goes on meanwhile.
    pub(crate) fn checkpoint(&self, to: &Path) -> Result<(), LogError> {
        let checkpoint = rocksdb::checkpoint::Checkpoint::new(&self.db)
            .map_err(failed("prepare a checkpoint"))?;
        checkpoint.create_checkpoint(to).map_err(failed("write a checkpoint"))
    }

    /// Makes everything written so far durable, in RocksDB's own log.
    pub(crate) fn sync(&self) -> Result<(), LogError> {
        self.db.flush_wal(true).map_err(failed("sync"))
    }

    /// Makes everything written so far durable, in table files.
    ///
    /// Those are checked block by block when read, whereas RocksDB's own log may end anywhere, and an unfinished last write is
    /// dropped. So what was closed cleanly cannot lose its end unnoticed, and the next opening has nothing to replay.
    pub(crate) fn settle(&self) -> Result<(), LogError> {
        self.sync()?;
        let families = Family::ALL
            .into_iter()
            .map(|family| self.family(family))
            .collect::<Result<Vec<_>, _>>()?;
        self.db
            .flush_cfs_opt(&families, &rocksdb::FlushOptions::default())
            .map_err(failed("write table files"))
    }
}

impl Engine {
    /// Writes everything into new table files and lets go of the old ones and of the old write-ahead log.
    pub(crate) fn scrub(&self) -> Result<(), LogError> {
        self.settle()?;
        for family in Family::ALL {
            let mut options = rocksdb::CompactOptions::default();
            options.set_exclusive_manual_compaction(true);
            options.set_bottommost_level_compaction(rocksdb::BottommostLevelCompaction::Force);
            self.db.compact_range_cf_opt(
                self.family(family)?,
                None::<&[u8]>,
                None::<&[u8]>,
                &options,
            );
        }
        self.settle()?;
        self.db
            .wait_for_compact(&rocksdb::WaitForCompactOptions::default())
            .map_err(failed("write new table files"))?;
        self.wait_until_old_files_are_gone()
    }

    /// RocksDB removes files behind its writers' back, and keeps those that somebody still reads.
    fn wait_until_old_files_are_gone(&self) -> Result<(), LogError> {
        let deadline = Instant::now() + OLD_FILES_DEADLINE;
        loop {
            let Some(old) = self.old_file()? else { return Ok(()) };
            if Instant::now() > deadline {
                return Err(LogError::StillRead { path: old });
            }
            std::thread::sleep(OLD_FILES_INTERVAL);
        }
    }

    /// A table file that is no longer one of the database's, or a write-ahead log beside the newest.
    fn old_file(&self) -> Result<Option<PathBuf>, LogError> {
        let live = self.db.live_files().map_err(failed("list its files"))?;
        let live: HashSet<String> =
            live.into_iter().map(|file| file.name.trim_start_matches('/').to_owned()).collect();
        let dir = self.db.path();
        let unreadable =
            |source| LogError::File { doing: "read the directory", path: dir.to_owned(), source };
        let (mut logs, mut old) = (Vec::new(), None);
        for entry in std::fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("sst") if !live.contains(&name) => old = Some(path),
                Some("log") => logs.push(path),
                _ => {}
            }
        }
        logs.sort();
        logs.pop();
        Ok(old.or_else(|| logs.pop()))
    }
}

/// What a cursor is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A few entries.
    Lookup,
    /// A long way through the family: reads ahead, and leaves the cache to others.
    Scan,
}

/// What is written together.
pub(crate) struct Batch<'a> {
    engine: &'a Engine,
    /// In the order of [`Family::ALL`], looked up once.
    families: [Option<&'a ColumnFamily>; Family::ALL.len()],
    batch: WriteBatch,
}

impl<'a> Batch<'a> {
    fn family(&self, family: Family) -> Result<&'a ColumnFamily, LogError> {
        self.families.get(family as usize).copied().flatten().ok_or_else(|| missing(family))
    }

    /// Sets a key.
    pub(crate) fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        self.batch.put_cf(self.family(family)?, key, value);
        Ok(())
    }

    /// Removes a key.
    pub(crate) fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), LogError> {
        self.batch.delete_cf(self.family(family)?, key);
        Ok(())
    }

    /// Removes the keys from `start` up to `end`, which stays.
    pub(crate) fn delete_range(
        &mut self,
        family: Family,
        start: &[u8],
        end: &[u8],
    ) -> Result<(), LogError> {
        self.batch.delete_range_cf(self.family(family)?, start, end);
        Ok(())
    }

    /// Writes it all past RocksDB's own log: for what can be made again. After a crash the batches that no table file holds are gone,
    /// each whole and the latest first, as long as all of them write to one family.
    pub(crate) fn write_unlogged(self) -> Result<(), LogError> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.engine.db.write_opt(self.batch, &options).map_err(failed("write"))
    }

    /// Writes it all; with `sync` it is on disk when this returns.
    pub(crate) fn write(self, sync: bool) -> Result<(), LogError> {
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.engine.db.write_opt(self.batch, &options).map_err(failed("write"))
    }
}

fn missing(family: Family) -> LogError {
    LogError::Engine {
        doing: "open a column family",
        source: EngineError::missing_family(family.name()),
    }
}

/// Names what failed.
pub(crate) fn failed(doing: &'static str) -> impl FnOnce(rocksdb::Error) -> LogError {
    move |source| LogError::Engine { doing, source: source.into() }
}
