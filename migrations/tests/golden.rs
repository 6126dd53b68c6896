//! The public file formats are pinned: batch files, certificates and dumps have the bytes of the
//! files in `golden/`, and files with these bytes can be read.

use std::path::{Path, PathBuf};

use rollbook_domain::event::{CheckOutcome, LinkKind, Origin, Terms};
use rollbook_domain::series::event_id;
use rollbook_domain::{Actor, Event, JsonText, NewEvent, Number, StreamId, Timestamp};
use rollbook_log::{Commit, OpenOptions};
use rollbook_migrations::apply::{ApplyReport, ApplyRequest, apply};
use rollbook_migrations::batch::{Batch, BatchWriter, Counts, Header, Source};
use rollbook_migrations::certificate::{Certificate, ProvedEvent, Summary, format_of, summarize};
use rollbook_migrations::dump::{self, Form};
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::plan::{Plan, plan};
use rollbook_migrations::rules::{
    BatchRules, DueRule, Inversion, Options, Realignment, Rewindowing, Weekday,
};
use rollbook_migrations::validate::CHECKS;
use rollbook_projections::{Runtime, tree};
use rollbook_proofs::{SignedCheckpoint, SigningKey};
use uuid::Uuid;

use crate::support::{MONITOR, assert_golden, fixed_store, golden, read_fixture};

/// The digest of `golden/batch-tracker.ndjson`, from `golden/batch-tracker.ids`.
fn tracker_digest() -> String {
    let ids = std::fs::read_to_string(golden("batch-tracker.ids")).unwrap();
    ids.lines().next().and_then(|line| line.strip_prefix("digest ")).unwrap().to_owned()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    time("2026-01-15T09:30:00Z")
}

fn tracker_store(directory: &Path) -> Runtime {
    let store = fixed_store(&directory.join("store"));
    import(&store, read_fixture("tracker"), &ImportOptions::default(), &MONITOR).unwrap();
    store
}

fn apply_golden(store: &Runtime) -> ApplyReport {
    let batch = Batch::open(&golden("batch-tracker.ndjson")).unwrap();
    apply(store, ApplyRequest { batch: &batch, now: now(), key: None }, &MONITOR).unwrap()
}

fn events_of(batch: &Batch) -> Vec<NewEvent> {
    let mut events = Vec::new();
    batch
        .each_event(&mut |event| {
            events.push(event);
            Ok(())
        })
        .unwrap();
    events
}

#[test]
fn a_plan_has_the_golden_bytes() {
    let home = tempfile::tempdir().unwrap();
    let store = tracker_store(home.path());
    let out = home.path().join("batch.ndjson");
    let Plan { header, .. } = plan(&store, DueRule::Monday, Some(&out)).unwrap();
    assert_golden("batch-tracker.ndjson", &std::fs::read(&out).unwrap());
    let control = |part| event_id(&StreamId::Control, &[part, &header.digest]);
    let ids = format!(
        "digest {}\nplanned {}\napplied {}\n",
        header.digest,
        control("planned"),
        control("applied")
    );
    assert_golden("batch-tracker.ids", ids.as_bytes());
}

#[test]
fn applying_the_golden_batch_records_its_digest_and_its_ids() {
    let home = tempfile::tempdir().unwrap();
    let store = tracker_store(home.path());
    let report = apply_golden(&store);
    let expected = events_of(&Batch::open(&golden("batch-tracker.ndjson")).unwrap());
    assert_eq!(report.digest, tracker_digest());
    assert_eq!(report.created + report.linked + report.adopted, expected.len() as u64);
    for event in expected {
        let recorded = store.log().event(event.id.unwrap()).unwrap().unwrap();
        assert_eq!((&recorded.stream, &recorded.event), (&event.stream, &event.event));
        assert_eq!(recorded.occurred_at, event.occurred_at);
        assert_eq!(recorded.actor, Actor::Migration(tracker_digest()));
    }
    let ids = std::fs::read_to_string(golden("batch-tracker.ids")).unwrap();
    for line in ids.lines().skip(1) {
        let (part, id) = line.split_once(' ').unwrap();
        let recorded = store.log().event(id.parse().unwrap()).unwrap();
        assert!(recorded.is_some_and(|event| event.stream == StreamId::Control), "{part}");
    }
}

/// The digest and the ids of a batch of the kind `realign` and of its inverse, on a store with the
/// golden batch.
#[test]
fn plans_that_change_weeks_have_the_golden_bytes() {
    let home = tempfile::tempdir().unwrap();
    let store = tracker_store(home.path());
    apply_golden(&store);
    let realigned = plan_golden(&store, home.path(), "batch-realign", realignment());
    let batch = Batch::open(&golden("batch-realign.ndjson")).unwrap();
    assert_eq!(batch.header, realigned);
    apply(&store, ApplyRequest { batch: &batch, now: now(), key: None }, &MONITOR).unwrap();
    for event in events_of(&batch) {
        let recorded = store.log().event(event.id.unwrap()).unwrap().unwrap();
        assert_eq!((&recorded.stream, &recorded.event), (&event.stream, &event.event));
        assert_eq!(recorded.occurred_at, event.occurred_at);
    }
    let of = realigned.digest;
    let window = Options::Window(Rewindowing {
        window: Some(JsonText::parse(r#"{"enabled": true, "day": "the fifth"}"#).unwrap()),
        from: time("2026-01-26T00:00:00Z"),
        clients: ["2039bicBTW5ZE9LFaez7770H2DCp".to_owned()].into(),
        at: now(),
    });
    let windows = plan_golden(&store, home.path(), "batch-window", window);
    assert_eq!(Batch::open(&golden("batch-window.ndjson")).unwrap().header, windows);
    let undo = Options::Inverse(Inversion { of, at: time("2026-01-16T09:30:00Z") });
    let undone = plan_golden(&store, home.path(), "batch-inverse", undo);
    assert_eq!(Batch::open(&golden("batch-inverse.ndjson")).unwrap().header, undone);
}

fn realignment() -> Options {
    Options::Realign(Realignment {
        weekday: Weekday::Friday,
        time: Some("08:30".parse().unwrap()),
        clients: ["2039bicBTW5ZE9LFaez7770H2DCp", "DDXh5Jmtf7EbsDe0G9Cryn687neL"]
            .map(str::to_owned)
            .into(),
        at: now(),
    })
}

fn plan_golden(store: &Runtime, home: &Path, name: &str, options: Options) -> Header {
    let out = home.join(name);
    store.catch_up(&|_, _| {}).unwrap();
    let Plan { header, .. } = plan(store, options, Some(&out)).unwrap();
    assert_golden(&format!("{name}.ndjson"), &std::fs::read(&out).unwrap());
    header
}

/// Every event that a batch that adds weeks may contain, with every optional field present and absent.
fn every_event() -> Vec<NewEvent> {
    let series = StreamId::series("c/1", "weekly form");
    let new = |id: u128, event| NewEvent {
        stream: series.clone(),
        id: Some(Uuid::from_u128(id)),
        occurred_at: time("2026-01-01T10:00:00Z"),
        event,
    };
    let full = Terms {
        stored_client: "c/1".to_owned(),
        coach: "k1".to_owned(),
        title: "Weekly \u{fc}".to_owned(),
        description: "How was the week?".to_owned(),
        assigned_by: Some("Robin".to_owned()),
        assigned_at: Some(time("2026-01-01T10:00:00.123456789Z")),
        window: Some(JsonText::parse(r#"{"enabled":true,"startDay":"friday"}"#).unwrap()),
        recurring: true,
        total_weeks: 12,
    };
    let empty = Terms {
        stored_client: String::new(),
        coach: String::new(),
        title: String::new(),
        description: String::new(),
        assigned_by: None,
        assigned_at: None,
        window: None,
        recurring: false,
        total_weeks: 1,
    };
    let created = |id: u128, week, terms: Terms| {
        let due = time("2026-01-12T09:00:00Z");
        let (assignment, origin) = (Uuid::from_u128(id), Origin::Migration);
        new(
            id,
            Event::AssignmentCreated { assignment, run: 1, week, due, origin, terms: terms.into() },
        )
    };
    let linked = |id: u128, kind, completed_at, score| {
        let (response, named) = (format!("r{id}"), "a1".to_owned());
        new(
            id,
            Event::ResponseLinked { response, run: 1, week: 2, named, kind, completed_at, score },
        )
    };
    vec![
        created(1, 2, full),
        created(2, 3, empty),
        linked(3, LinkKind::Linked, Some(time("2026-01-13T08:00:00Z")), Some(Number::new(87.5))),
        linked(4, LinkKind::Linked, None, Some(Number::from(100))),
        linked(5, LinkKind::Adopted, None, None),
    ]
}

fn write_every_event(directory: &Path) -> (PathBuf, Header) {
    let mut writer = BatchWriter::begin(directory).unwrap();
    every_event().iter().for_each(|event| writer.push(event).unwrap());
    let header = |digest| Header {
        rules: BatchRules { options: DueRule::Weekday.into(), zone: "Europe/London".to_owned() },
        source: Source { log: Uuid::from_u128(7), position: 42 },
        counts: Counts { series: 1, events: 5, created: 2, linked: 2, adopted: 1, changed: 0 },
        digest,
    };
    writer.finish(None, header).unwrap()
}

#[test]
fn a_batch_with_every_event_has_the_golden_bytes_and_is_read_back() {
    let home = tempfile::tempdir().unwrap();
    let (file, header) = write_every_event(home.path());
    assert_golden("batch-every-event.ndjson", &std::fs::read(&file).unwrap());
    let read = Batch::open(&golden("batch-every-event.ndjson")).unwrap();
    assert_eq!(read.header, header);
    assert_eq!(events_of(&read), every_event());
}

#[test]
fn a_batch_cannot_contain_other_events() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = BatchWriter::begin(home.path()).unwrap();
    let [created, ..] = &every_event()[..] else { panic!() };
    let without_id = NewEvent { id: None, ..created.clone() };
    assert!(writer.push(&without_id).is_err());
    let event = Event::AssignmentReopened { run: 1, week: 2 };
    assert!(writer.push(&NewEvent { event, ..created.clone() }).is_err());
    assert!(writer.push(created).is_ok());
}

/// A store to which the golden batch was applied, with a green validation on record: of the first
/// twelve checks, as release 0.1.0 had them.
fn validated_store(directory: &Path) -> Runtime {
    store_with_checks(directory, &CHECKS[..12])
}

fn store_with_checks(directory: &Path, names: &[&str]) -> Runtime {
    let store = tracker_store(directory);
    apply_golden(&store);
    record_checks(&store, &tracker_digest(), names);
    store
}

/// Records a green validation of a batch.
fn record_checks(store: &Runtime, digest: &str, names: &[&str]) {
    let checks = names.iter().map(|name| CheckOutcome {
        name: (*name).to_owned(),
        green: true,
        detail: "seen".to_owned(),
    });
    let event = Event::ValidationRecorded {
        digest: digest.to_owned(),
        at: store.log().head(),
        checks: checks.collect(),
    };
    let id = Some(event_id(&StreamId::Control, &["golden validation"]));
    let stream = StreamId::Control;
    let commit = Commit {
        events: vec![NewEvent { stream, id, occurred_at: now(), event }],
        expected: Vec::new(),
        actor: Actor::System("validate".to_owned()),
        cause: "golden".to_owned(),
        key: None,
    };
    store.log().append(commit).unwrap();
    store.catch_up(&|_, _| {}).unwrap();
}

/// The well-known example key of the signed note format.
const KEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

fn certificate_of(store: &Runtime) -> Certificate {
    let key: SigningKey = KEY.parse().unwrap();
    let control = store.log().stream(&StreamId::Control, 0).unwrap();
    let [.., planned, applied, validated] = &control[..] else { panic!("{control:?}") };
    let Summary { batch, checks, accepted } =
        summarize(&planned.event, &applied.event, &validated.event).unwrap();
    let Event::BatchPlanned { base, .. } = planned.event else { panic!("{planned:?}") };
    let snapshot = store.snapshot().unwrap();
    let (rows, head) = snapshot.rows::<tree::Tree>().unwrap();
    let signed = |size| {
        let head = tree::head_at(&rows, size).unwrap();
        SignedCheckpoint::sign(key.verifier().name(), head, &key).unwrap().text().to_owned()
    };
    let proved = |position| {
        let leaf = store.log().leaf(position).unwrap().unwrap();
        ProvedEvent::new(position, &leaf, tree::prove_event(&rows, position, head).unwrap())
    };
    Certificate {
        rollbook_certificate: format_of(&batch, &checks, &accepted),
        batch,
        checks,
        accepted,
        key: key.verifier().clone(),
        before: signed(base),
        after: signed(head),
        consistency: tree::prove_consistency(&rows, base, head).unwrap(),
        planned: proved(planned.position),
        applied: proved(applied.position),
        validated: proved(validated.position),
    }
}

#[test]
fn a_certificate_has_the_golden_bytes_and_is_valid() {
    for (name, checks) in [("certificate.json", &CHECKS[..12]), ("certificate-2.json", &CHECKS[..])]
    {
        let home = tempfile::tempdir().unwrap();
        let certificate = certificate_of(&store_with_checks(home.path(), checks));
        assert_golden(name, certificate.to_text().as_bytes());
        let text = std::fs::read_to_string(golden(name)).unwrap();
        let read = Certificate::read(&text).unwrap();
        let verified = read.check(Some(KEY.parse::<SigningKey>().unwrap().verifier())).unwrap();
        assert_eq!(verified.batch.digest, tracker_digest());
    }
}

#[test]
fn a_certificate_of_a_batch_that_changes_weeks_says_how_many() {
    let home = tempfile::tempdir().unwrap();
    let store = tracker_store(home.path());
    apply_golden(&store);
    store.catch_up(&|_, _| {}).unwrap();
    let out = home.path().join("batch");
    let Plan { header, .. } = plan(&store, realignment(), Some(&out)).unwrap();
    let batch = Batch::open(&out).unwrap();
    apply(&store, ApplyRequest { batch: &batch, now: now(), key: None }, &MONITOR).unwrap();
    record_checks(&store, &header.digest, &CHECKS);
    let mut certificate = certificate_of(&store);
    assert_golden("certificate-3.json", certificate.to_text().as_bytes());
    let verifier = KEY.parse::<SigningKey>().unwrap();
    let verified = certificate.check(Some(verifier.verifier())).unwrap();
    assert_eq!(verified.batch.changed, header.counts.changed);
    certificate.rollbook_certificate = 2;
    let refused = certificate.check(Some(verifier.verifier())).unwrap_err();
    assert!(refused.to_string().contains("its format is not the one"), "{refused}");
}

#[test]
fn a_certificate_has_all_checks_of_its_format() {
    let home = tempfile::tempdir().unwrap();
    let verifier = KEY.parse::<SigningKey>().unwrap();
    let mut certificate = certificate_of(&validated_store(home.path()));
    certificate.rollbook_certificate = 2;
    let refused = certificate.check(Some(verifier.verifier())).unwrap_err();
    assert!(refused.to_string().contains("all checks of its format"), "{refused}");
    certificate.rollbook_certificate = 3;
    let refused = certificate.check(Some(verifier.verifier())).unwrap_err();
    assert!(refused.to_string().contains("its format is not the one"), "{refused}");
    certificate.rollbook_certificate = 4;
    assert!(Certificate::read(&certificate.to_text()).is_err());
}

#[test]
fn a_clear_dump_has_the_golden_bytes_and_can_be_loaded() {
    let home = tempfile::tempdir().unwrap();
    let mut dumped = Vec::new();
    let store = validated_store(home.path());
    let summary = dump::write(&store, Form::Clear, &mut dumped, &|_, _| false).unwrap();
    assert_golden("dump-clear.ndjson", &dumped);
    let path = golden("dump-clear.ndjson");
    let mut file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let options = OpenOptions { unsealed: true, ..OpenOptions::default() };
    let data = home.path().join("loaded");
    let loaded =
        dump::load(&mut file, &path, &data, &options, &mut |_, _| Ok(()), &|_, _| false).unwrap();
    assert_eq!(loaded, summary);
}
