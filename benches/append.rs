//! Synced appends with 1, 16 and 64 concurrent writers, compared with raw RocksDB that writes the
//! same bytes in groups of the same size.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use support::{RawBytes, append, directory, open};

const COMMITS: usize = 1_024;

fn appends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("synced_append");
    group.sample_size(10).throughput(Throughput::Elements(COMMITS as u64));
    for writers in [1, 16, 64] {
        group.bench_function(BenchmarkId::new("rollbook", writers), |bencher| {
            bencher.iter_custom(|iterations| {
                let measure = || {
                    let home = directory();
                    append(&open(&home.path().join("store")), writers, COMMITS / writers)
                };
                (0..iterations).map(|_| measure()).sum()
            });
        });
        let home = directory();
        append(&open(&home.path().join("store")), writers, COMMITS / writers);
        let bytes = RawBytes::of(&home.path().join("store"));
        group.bench_function(BenchmarkId::new("raw_rocksdb", writers), |bencher| {
            bencher.iter_custom(|iterations| {
                (0..iterations).map(|_| bytes.write(directory().path(), writers)).sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, appends);
criterion_main!(benches);
