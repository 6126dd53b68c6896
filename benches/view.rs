//! The view of a client with 52 weeks, in process: reads and decodes the rows, computes the list,
//! writes JSON.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use rollbook_domain::event::View;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_projections::entry::ListParameters;
use rollbook_projections::{directory as identities, views};
use support::{answered, directory};

fn view(criterion: &mut Criterion) {
    let home = directory();
    let (runtime, client) = answered(home.path());
    let query = ListParameters {
        now: "2027-03-01T12:00:00Z".parse().unwrap(),
        overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS,
    };
    let mut group = criterion.benchmark_group("view_52_weeks");
    for view in [View::Legacy, View::Precreated] {
        group.bench_function(view.name(), |bencher| {
            bencher.iter(|| {
                let snapshot = runtime.snapshot().unwrap();
                let (rows, _) = snapshot.view(view).unwrap();
                let identity = identities::identify(&rows.directory, &client).unwrap();
                views::answer(&rows, &identity, query, |answer| answer.to_json()).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, view);
criterion_main!(benches);
