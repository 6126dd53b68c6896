//! Support for all benches: stores in temporary directories, commits of a realistic size, and raw
//! RocksDB that writes the same bytes as a store.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rocksdb::{DB, IteratorMode, Options, WriteBatch, WriteOptions};
use rollbook::sample::{SampleOptions, SampleSize, write_export};
use rollbook_domain::series::{assignment_id, response_id};
use rollbook_domain::{Actor, Event, JsonText, NewEvent, Personal, StreamId, Timestamp};
use rollbook_log::{Commit, ExpectedVersion, Log, OpenOptions};
use rollbook_migrations::apply::{ApplyRequest, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{JsonDirectory, read_export};
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_projections::Runtime;

pub const WATCH: Monitor<'static> = Monitor { progress: &|_, _| {}, interrupted: &|| false };

/// A temporary directory on the disk of the build, not in memory, so that syncs have their real
/// cost.
pub fn directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("bench").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

pub fn open(directory: &Path) -> Log {
    Log::open(directory, OpenOptions { create: true, ..OpenOptions::default() }).unwrap()
}

/// A store that keeps personal data in the clear.
pub fn open_unsealed(directory: &Path) -> Log {
    Log::open(directory, OpenOptions { create: true, unsealed: true, ..OpenOptions::default() })
        .unwrap()
}

/// The commit of a client's response to one week.
pub fn answer(writer: usize, week: usize) -> Commit {
    let (client, form) = (format!("client-{writer:04}"), "form-1765694943359-ijdcpupcl");
    let stream = StreamId::series(&client, form);
    let week = u32::try_from(week).unwrap() + 1;
    let assignment = assignment_id(&client, form, 1, week);
    let response = response_id(assignment, week);
    let now = Timestamp::from_parts(1_767_603_600 + i64::from(week), 0).unwrap();
    let answers = r#"[{"answer":"Felt fine this week","question":"How was it?","questionId":"q1","score":7,"weight":5},{"answer":8,"question":"Sleep?","questionId":"q2","score":8,"weight":3}]"#;
    let event = Event::ResponseSubmitted {
        assignment,
        run: 1,
        week,
        response: response.to_string(),
        submitted_at: now,
        score: Some(74),
        answers: Personal::new(JsonText::parse(answers).unwrap()),
        legacy_due: now,
    };
    let expected = vec![(stream.clone(), ExpectedVersion::Exact(u64::from(week) - 1))];
    let events = vec![NewEvent { stream, id: Some(response), occurred_at: now, event }];
    Commit {
        events,
        expected,
        actor: Actor::Client(client),
        cause: response.to_string(),
        key: None,
    }
}

/// Runs `writers` tasks. Each appends `each` responses one after the other and waits for each
/// acknowledgement, as the tasks of a server do. Returns the time.
pub fn append(log: &Log, writers: usize, each: usize) -> Duration {
    let commits: Vec<Vec<Commit>> =
        (0..writers).map(|writer| (0..each).map(|week| answer(writer, week)).collect()).collect();
    // One core is left to the writer thread, as in a service with enough cores.
    let others = std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1).max(1);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(others).build().unwrap();
    // The first commit makes the store. Raw RocksDB is also open before its time starts.
    log.append(answer(writers, 0)).unwrap();
    let start = Instant::now();
    runtime.block_on(async {
        let task = |commits: Vec<Commit>| {
            let log = log.clone();
            tokio::spawn(async move {
                for commit in commits {
                    log.submit(commit).await.unwrap();
                }
            })
        };
        for task in commits.into_iter().map(task).collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
    start.elapsed()
}

const FAMILIES: [&str; 3] = ["records", "streams", "ids"];

/// A column family's index, a key and a value.
type RawWrite = (usize, Vec<u8>, Vec<u8>);

/// Every key and value that a store wrote, by commit and in order: the input for raw RocksDB.
pub struct RawBytes(pub Vec<Vec<RawWrite>>);

impl RawBytes {
    /// Reads a closed store. Every commit must have one event and no idempotency key.
    pub fn of(store: &Path) -> Self {
        let path = store.join("db");
        let names = DB::list_cf(&Options::default(), &path).unwrap();
        let db = DB::open_cf_for_read_only(&Options::default(), &path, &names, false).unwrap();
        let mut families: Vec<Vec<(Vec<u8>, Vec<u8>)>> = (FAMILIES.iter())
            .map(|name| {
                let rows = db.iterator_cf(db.cf_handle(name).unwrap(), IteratorMode::Start);
                rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap())
                    .collect()
            })
            .collect();
        let mut commits = vec![Vec::new(); families[0].len()];
        for (family, rows) in families.iter_mut().enumerate() {
            for (key, value) in rows.drain(..) {
                // The key of a record is its position. The value of an index entry starts with it.
                let position = if FAMILIES[family] == "records" { &key } else { &value };
                let position = u64::from_be_bytes(position[..8].try_into().unwrap());
                commits[usize::try_from(position).unwrap() - 1].push((family, key, value));
            }
        }
        Self(commits)
    }

    /// Writes them into a new database with one synced `WriteBatch` per `group` commits. Returns
    /// the time.
    pub fn write(&self, directory: &Path, group: usize) -> Duration {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, directory.join("raw"), FAMILIES).unwrap();
        let handles: Vec<_> = FAMILIES.iter().map(|name| db.cf_handle(name).unwrap()).collect();
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        let start = Instant::now();
        for commits in self.0.chunks(group) {
            let mut batch = WriteBatch::default();
            for (family, key, value) in commits.iter().flatten() {
                batch.put_cf(handles[*family], key, value);
            }
            db.write_opt(batch, &synced).unwrap();
        }
        start.elapsed()
    }
}

/// The peak memory of this process in MiB; `None` if the system does not report it.
pub fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes / 1024)
}

pub fn export(directory: &Path, clients: u32, series_per_client: u32) -> PathBuf {
    let export = directory.join("export");
    let size = SampleSize::Scaled { clients, series_per_client, total_weeks: 52 };
    write_export(&export, &SampleOptions { seed: 7, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    export
}

pub fn import_into(runtime: &Runtime, export: &Path) {
    import(
        runtime,
        read_export(&JsonDirectory::new(export), false).unwrap(),
        &ImportOptions::default(),
        &WATCH,
    )
    .unwrap();
}

pub fn now() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

/// A store with a migrated sample, in which every week of every series is stored.
pub fn migrated(directory: &Path, clients: u32, series_per_client: u32) -> Runtime {
    let runtime = Runtime::new(open(&directory.join("store")), rollbook_projections::all());
    import_into(&runtime, &export(directory, clients, series_per_client));
    let planned = plan(&runtime, DueRule::Monday, Some(&directory.join("batch.ndjson"))).unwrap();
    apply(
        &runtime,
        ApplyRequest { batch: &Batch::open(&planned.file).unwrap(), now: now(), key: None },
        &WATCH,
    )
    .unwrap();
    runtime
}

/// Appends every commit of one log to another, whose rows are then not folded yet.
pub fn copy_log(from: &Log, to: &Log) {
    for commit in from.commits_after(0) {
        let commit = commit.unwrap();
        let (actor, cause) = (commit[0].actor.clone(), commit[0].cause.clone());
        let events = commit.into_iter().map(|recorded| NewEvent {
            stream: recorded.stream,
            id: Some(recorded.id),
            occurred_at: recorded.occurred_at,
            event: recorded.event,
        });
        to.append(Commit {
            events: events.collect(),
            expected: Vec::new(),
            actor,
            cause,
            key: None,
        })
        .unwrap();
    }
}

/// The median of measured values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A migrated store in which one client has answered all 52 weeks, so that both views show them.
pub fn answered(directory: &Path) -> (Runtime, String) {
    let runtime = migrated(directory, 64, 1);
    let clients = rollbook_application::store::clients(&runtime.snapshot().unwrap()).unwrap();
    let series_of = |client: &String| {
        let stream =
            runtime.log().streams_with_prefix(&StreamId::series_prefix(client)).unwrap().remove(0);
        let mut series = rollbook_domain::series::Series::default();
        runtime
            .log()
            .stream(&stream, 0)
            .unwrap()
            .iter()
            .for_each(|recorded| series.apply(&stream, &recorded.event));
        (client.clone(), stream, series)
    };
    // A series without a misfiled response: with one, the legacy view hides a week.
    let (client, stream, mut series) =
        clients.iter().map(series_of).find(|(_, _, series)| series.linked.is_empty()).unwrap();
    let StreamId::Series { form, .. } = stream.clone() else { panic!("{stream} is a series") };
    for week in 1..=52 {
        let zone = rollbook_domain::calendar::Zone::UTC;
        let decider = rollbook_domain::series::decide::Decider {
            client: &client,
            form: &form,
            series: &series,
            now: now(),
            zone,
        };
        let answers = JsonText::parse(
            r#"[{"answer":8,"question":"How was it?","questionId":"q1","score":8,"weight":5}]"#,
        )
        .unwrap();
        let Ok(rollbook_domain::series::decide::Decision::Append(events)) =
            decider.respond(1, week, answers, None)
        else {
            continue;
        };
        let events: Vec<NewEvent> = events
            .into_iter()
            .map(|event| NewEvent { stream: stream.clone(), id: None, occurred_at: now(), event })
            .collect();
        events.iter().for_each(|event| series.apply(&stream, &event.event));
        let actor = Actor::Client(client.clone());
        runtime
            .log()
            .append(Commit {
                events,
                expected: Vec::new(),
                actor,
                cause: "bench".to_owned(),
                key: None,
            })
            .unwrap();
    }
    runtime.catch_up(&|_, _| {}).unwrap();
    (runtime, client)
}
