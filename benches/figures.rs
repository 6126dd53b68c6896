//! The figures of `docs/performance.md` in one table. Each is compared with raw RocksDB, or with a
//! scan, on the same bytes in the same run. `cargo xtask bench` prints the table.
//!
//! `cargo bench --bench figures -- --quick` prints a smaller one. The argument `append`, `replay`,
//! `view`, `migration` or `custody` selects a part; `custody` is a sealed store with its tree:
//! appends and verification.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rollbook::verify::Request;
use rollbook_application::store::Store;
use rollbook_domain::event::View;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_log::{Log, RowBatch};
use rollbook_migrations::apply::{ApplyRequest, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, validate};
use rollbook_projections::Runtime;
use rollbook_projections::directory::{self as identities, Directory};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::tree::Tree;
use rollbook_projections::views::{self, LegacyView, PrecreatedView};
use support::{
    RawBytes, WATCH, answered, append, copy_log, directory, export, import_into, median, migrated,
    now, open, open_unsealed, peak_mebibytes,
};

const MIGRATION_STEP: &str = "ROLLBOOK_BENCH_MIGRATION";
const VERIFICATION_STEP: &str = "ROLLBOOK_BENCH_VERIFICATION";

struct Size {
    rounds: usize,
    commits: usize,
    replay_clients: u32,
    migration_clients: u32,
}

fn main() {
    if let Ok(home) = std::env::var(MIGRATION_STEP) {
        return migrate(Path::new(&home));
    }
    if let Ok(home) = std::env::var(VERIFICATION_STEP) {
        return verify(Path::new(&home));
    }
    let quick = std::env::args().any(|argument| argument == "--quick");
    let size = if quick {
        Size { rounds: 3, commits: 512, replay_clients: 100, migration_clients: 100 }
    } else {
        Size { rounds: 7, commits: 16_384, replay_clients: 1_000, migration_clients: 5_000 }
    };
    println!(
        "{:<44} {:>16} {:>16} {:>7}  wanted",
        "figure (medians of one run)", "rollbook", "beside it", "ratio"
    );
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = |part: &str| filter.as_deref().is_none_or(|filter| part.contains(filter));
    for writers in [1, 16, 64].into_iter().filter(|_| wanted("append")) {
        appends(writers, &size);
    }
    for writers in [1, 16, 64].into_iter().filter(|_| wanted("append custody")) {
        custody(writers, &size);
    }
    if wanted("replay") {
        replays(&size);
    }
    if wanted("view") {
        view_times();
    }
    if wanted("migration") || wanted("custody verification") {
        migrations(&size);
    }
}

fn row(figure: &str, ours: &str, beside: &str, ratio: Option<f64>, wanted: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("{figure:<44} {ours:>16} {beside:>16} {ratio:>7}  {wanted}");
}

/// The number of rounds for appends. With several writers a round takes half a second, and the
/// placement of threads by the scheduler changes its ratio by a tenth. They need more rounds for a
/// stable median.
fn append_rounds(writers: usize, size: &Size) -> usize {
    if writers == 1 { size.rounds } else { 3 * size.rounds }
}

fn appends(writers: usize, size: &Size) {
    let rate = |time: Duration| size.commits as f64 / time.as_secs_f64();
    let (mut ours, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..append_rounds(writers, size) {
        let home = directory();
        let store = home.path().join("store");
        let log = open(&store);
        let our_rate = rate(append(&log, writers, size.commits / writers));
        drop(log);
        let raw_rate = rate(RawBytes::of(&store).write(home.path(), writers));
        ours.push(our_rate);
        raw.push(raw_rate);
        ratios.push(our_rate / raw_rate);
    }
    let figure = format!("synced append, {writers} writers (commits/s)");
    row(
        &figure,
        &format!("{:.0}", median(ours)),
        &format!("{:.0}", median(raw)),
        Some(median(ratios)),
        ">= 0.70 of raw groups",
    );
}

/// Appends to a sealed store while its tree is folded, as in a service, compared with an unsealed
/// store without a tree. The time includes making the clients' keys and folding the last leaf.
fn custody(writers: usize, size: &Size) {
    let rate = |time: Duration| size.commits as f64 / time.as_secs_f64();
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..append_rounds(writers, size) {
        let home = directory();
        let bare_rate = rate(append(
            &open_unsealed(&home.path().join("bare")),
            writers,
            size.commits / writers,
        ));
        let our_rate = rate(append_with_tree(
            &open(&home.path().join("sealed")),
            writers,
            size.commits / writers,
        ));
        ours.push(our_rate);
        bare.push(bare_rate);
        ratios.push(our_rate / bare_rate);
    }
    let figure = format!("append, sealed and tree, {writers} writers (/s)");
    row(
        &figure,
        &format!("{:.0}", median(ours)),
        &format!("{:.0}", median(bare)),
        Some(median(ratios)),
        ">= 0.80 of both off",
    );
}

fn append_with_tree(log: &Log, writers: usize, each: usize) -> Duration {
    let tree = Runtime::new(log.clone(), vec![Box::new(Tree)]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let folding = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                tree.catch_up(&|_, _| {}).unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
            let start = Instant::now();
            assert_eq!(tree.catch_up(&|_, _| {}).unwrap(), log.head());
            start.elapsed()
        });
        let appending = append(log, writers, each);
        done.store(true, Ordering::Relaxed);
        appending + folding.join().unwrap()
    })
}

fn replays(size: &Size) {
    let home = directory();
    let source = migrated(home.path(), size.replay_clients, 4);
    let (mut scans, mut folds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let head = source.log().head() as f64;
    for _ in 0..size.rounds.min(5) {
        let fresh = directory();
        copy_log(source.log(), &open(&fresh.path().join("store")));
        // Opened again as for every replay: the log is in table files, and no background write
        // remains.
        let log = open(&fresh.path().join("store"));
        let mut ready = RowBatch::new();
        ready.put(b"bench", b"open for writing");
        log.rows().write(&ready).unwrap();
        let start = Instant::now();
        let events: usize = log.commits_after(0).map(|commit| commit.unwrap().len()).sum();
        let scan = start.elapsed().as_secs_f64();
        assert_eq!(events as u64, log.head());
        let both = Runtime::new(
            log,
            vec![Box::new(Directory), Box::new(LegacyView), Box::new(PrecreatedView)],
        );
        let start = Instant::now();
        both.catch_up(&|_, _| {}).unwrap();
        let fold = start.elapsed().as_secs_f64();
        scans.push(head / scan);
        folds.push(head / fold);
        ratios.push(scan / fold);
    }
    let figure = format!("replay of {head:.0} events, both views (events/s)");
    row(
        &figure,
        &format!("{:.0}", median(folds)),
        &format!("{:.0}", median(scans)),
        Some(median(ratios)),
        ">= 0.40 of scan and decode",
    );
}

fn view_times() {
    let home = directory();
    let (runtime, client) = answered(home.path());
    let query = ListParameters {
        now: "2027-03-01T12:00:00Z".parse().unwrap(),
        overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS,
    };
    for view in [View::Legacy, View::Precreated] {
        let mut times = Vec::new();
        for _ in 0..4_000 {
            let start = Instant::now();
            let snapshot = runtime.snapshot().unwrap();
            let (rows, _) = snapshot.view(view).unwrap();
            let identity = identities::identify(&rows.directory, &client).unwrap();
            let body = views::answer(&rows, &identity, query, |answer| answer.to_json()).unwrap();
            times.push(start.elapsed().as_secs_f64() * 1e6);
            assert_eq!(body.matches("recurringWeek").count(), 52);
        }
        let figure = format!("one client's {} view, 52 weeks (us)", view.name());
        row(&figure, &format!("{:.1}", median(times)), "", None, "< 100 us");
    }
}

/// Runs each step in a process of its own, so that the peak memory is that of the step.
fn migrations(size: &Size) {
    let home = directory();
    {
        let runtime = Runtime::new(open(&home.path().join("store")), rollbook_projections::all());
        import_into(&runtime, &export(home.path(), size.migration_clients, 4));
    }
    for step in [MIGRATION_STEP, VERIFICATION_STEP] {
        let done =
            Command::new(std::env::current_exe().unwrap()).env(step, home.path()).status().unwrap();
        assert!(done.success(), "{step}");
    }
}

/// Runs `rollbook verify` on the migrated store, first without the rows.
fn verify(home: &Path) {
    let directory = home.join("store");
    for (log_only, what) in [(true, "files, log, tree"), (false, "and all rows folded again")] {
        let request = Request { log_only, scratch: Some(home), ..Request::default() };
        let verified = rollbook::verify::verify(
            &directory,
            || Store::open(&directory, false),
            &request,
            &|_, _, _| {},
        )
        .unwrap();
        let figure = format!("verify {} events: {what} (/s)", verified.head);
        row(
            &figure,
            &format!("{:.0}", verified.events_per_second),
            &format!("{:.1} s", verified.seconds),
            None,
            "reported",
        );
        let peak =
            peak_mebibytes().map_or_else(|| "unknown".to_owned(), |peak| format!("{peak} MiB"));
        row(
            "  peak memory of that process so far",
            &peak,
            &format!("{} MiB read", verified.bytes >> 20),
            None,
            "< 512 MiB",
        );
    }
}

fn migrate(home: &Path) {
    let runtime = Runtime::new(open(&home.join("store")), rollbook_projections::all());
    let timed = |start: Instant| format!("{:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let planned = plan(&runtime, DueRule::Monday, Some(&home.join("batch.ndjson"))).unwrap();
    let counts = planned.header.counts;
    row(
        &format!("plan {} series, {} weeks", counts.series, counts.created),
        &timed(start),
        "",
        None,
        "reported",
    );
    let start = Instant::now();
    let applied = apply(
        &runtime,
        ApplyRequest { batch: &Batch::open(&planned.file).unwrap(), now: now(), key: None },
        &WATCH,
    )
    .unwrap();
    assert_eq!(applied.created, counts.created);
    row("  apply, and fold every projection", &timed(start), "", None, "reported");
    let start = Instant::now();
    let validation = validate(
        &runtime,
        ValidateRequest {
            overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS,
            now: now(),
            key: None,
        },
        &WATCH,
    )
    .unwrap();
    assert!(validation.all_green(), "{:?}", validation.checks);
    row("  validate, 13 of 13", &timed(start), "", None, "reported");
    let peak = peak_mebibytes().map_or_else(|| "unknown".to_owned(), |peak| format!("{peak} MiB"));
    row("  peak memory of that process", &peak, "", None, "< 1024 MiB");
}
