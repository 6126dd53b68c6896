//! Every RocksDB setting, for the database and for each column family.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel,
    LruCacheOptions, MemtableFactory, Options, SliceTransform,
};

use super::Family;

/// Memory for writes that are not yet in a table file, over all families.
const WRITE_BUFFERS_BYTES: usize = 96 << 20;
/// Memory for blocks, indexes and filters of table files.
const CACHE_BYTES: usize = 48 << 20;
/// Length of an event id.
const ID_BYTES: usize = 16;
/// Number of hash buckets for the ids in memory; 8 bytes each.
const IDS_BUCKETS: usize = 1 << 16;
/// The most write-ahead log that RocksDB replays on opening. A read-only opening holds it in
/// memory.
const WAL_BYTES: u64 = 64 << 20;

/// The settings of one column family.
pub(super) fn family_options(family: Family, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Indexes and filters count against the cache too, in partitions. The filter of a large table
    // file has megabytes: as one block it would evict everything else, or would not fit and would
    // be read again for every lookup.
    table.set_cache_index_and_filter_blocks(true);
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_pin_top_level_index_and_filter(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut options = Options::default();
    match family {
        // Read sequentially: large blocks.
        Family::Records => table.set_block_size(32 << 10),
        // Random keys and single lookups: inserting into a hash table takes a third of the time
        // of a skip list, and a miss is found as fast.
        Family::Ids => {
            table.set_bloom_filter(10.0, false);
            options.set_prefix_extractor(SliceTransform::create_fixed_prefix(ID_BYTES));
            options
                .set_memtable_factory(MemtableFactory::HashLinkList { bucket_count: IDS_BUCKETS });
        }
        // Most lookups miss, also in the part that is still in memory.
        Family::Keys => {
            table.set_bloom_filter(10.0, false);
            options.set_memtable_prefix_bloom_ratio(0.1);
            options.set_memtable_whole_key_filtering(true);
        }
        Family::Rows => {
            table.set_block_size(16 << 10);
            table.set_bloom_filter(10.0, false);
        }
        Family::Streams | Family::Meta => {}
    }
    // Random ids do not compress.
    options.set_compression_type(if family == Family::Ids {
        DBCompressionType::None
    } else {
        DBCompressionType::Lz4
    });
    options.set_write_buffer_size(match family {
        Family::Records | Family::Rows => 24 << 20,
        Family::Streams | Family::Ids => 12 << 20,
        Family::Keys | Family::Meta => 2 << 20,
    });
    options.set_block_based_table_factory(&table);
    options
}

/// The block cache that all families share.
pub(super) fn cache() -> Cache {
    let mut options = LruCacheOptions::default();
    options.set_capacity(CACHE_BYTES);
    // Few large shards: a shard must have room for any block.
    options.set_num_shard_bits(2);
    Cache::new_lru_cache_opts(&options)
}

/// The settings of the database.
pub(super) fn database_options() -> Options {
    let mut options = Options::default();
    // Only an unfinished last write may be dropped. Any other damage of the write-ahead log is an
    // error on opening. `files::check_journals` has already refused the damage that RocksDB misses.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_paranoid_checks(true);
    // Only one thread writes. The hash table of `ids` does not support more.
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
