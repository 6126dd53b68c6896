//! Replay: folding a log into both views, compared with a scan that decodes every event.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rollbook_projections::directory::Directory;
use rollbook_projections::views::{LegacyView, PrecreatedView};
use rollbook_projections::{ProjectionName, Runtime};
use support::{directory, migrated};

fn replay(criterion: &mut Criterion) {
    let home = directory();
    let runtime = migrated(home.path(), 250, 4);
    let log = runtime.log().clone();
    drop(runtime);
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10).throughput(Throughput::Elements(log.head()));
    group.bench_function("scan_and_decode", |bencher| {
        bencher.iter(|| log.commits_after(0).map(|commit| commit.unwrap().len()).sum::<usize>());
    });
    let views = Runtime::new(
        log.clone(),
        vec![Box::new(Directory), Box::new(LegacyView), Box::new(PrecreatedView)],
    );
    for view in [ProjectionName::of::<LegacyView>(), ProjectionName::of::<PrecreatedView>()] {
        group.bench_function(format!("rebuild_{view}"), |bencher| {
            bencher.iter(|| assert!(views.rebuild(view, &|_, _| {}).unwrap().identical));
        });
    }
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
