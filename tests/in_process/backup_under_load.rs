//! Backups of a store that this process has open, while 64 threads write to it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rollbook_application::backup::{BackupError, BackupReport, BackupRequest, Backups};
use rollbook_application::store::{Outcome, Request, SeriesCommand, Store, ViewChoice};
use rollbook_domain::event::Terms;
use rollbook_domain::series::decide::Allocation;
use rollbook_domain::{Actor, Event, JsonText, StreamId, Timestamp, View};
use rollbook_log::MasterKeySource;
use rollbook_projections::entry::ListParameters;

const WRITERS: usize = 64;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn request() -> Request {
    Request {
        actor: Actor::Admin("tester".into()),
        now: at("2026-03-01T09:00:00Z"),
        key: None,
        cause: None,
    }
}

fn wanted(name: &str) -> BackupRequest {
    BackupRequest {
        name: Some(name.to_owned()),
        actor: Actor::Admin("tester".into()),
        now: at("2026-03-01T09:00:00Z"),
    }
}

fn allocation(client: &str) -> SeriesCommand {
    let terms = Terms {
        stored_client: client.to_owned(),
        coach: "coach".into(),
        title: "Weekly".into(),
        description: String::new(),
        assigned_by: None,
        assigned_at: Some(at("2026-03-01T09:00:00Z")),
        window: None,
        recurring: true,
        total_weeks: 4,
    };
    SeriesCommand::Allocate(Allocation {
        terms,
        first_due: at("2026-03-02T09:00:00Z"),
        status: None,
        extend: false,
    })
}

/// Allocates a form and answers its first week, again and again, until it is stopped.
fn write(store: &Store, writer: usize, stop: &AtomicBool, acknowledged: &AtomicU64) {
    for number in 0.. {
        let client = format!("client-{writer}");
        let stream = StreamId::series(&client, &format!("form-{number}"));
        let respond = SeriesCommand::Respond {
            run: 1,
            week: 1,
            answers: JsonText::parse(r#"[{"answer":"yes"}]"#).unwrap(),
            score: Some(70),
        };
        for command in [allocation(&client), respond] {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let outcome = store.command(&stream, &command, &request()).unwrap();
            let Outcome::Done { events, .. } = outcome else { panic!("{outcome:?}") };
            acknowledged.fetch_max(events.last().unwrap().position, Ordering::SeqCst);
        }
    }
}

fn lists(store: &Store, position: Option<u64>) -> Vec<String> {
    let asked = ListParameters { now: at("2026-03-10T09:00:00Z"), overdue_after_milliseconds: 0 };
    let clients = (0..WRITERS).step_by(7).map(|writer| format!("client-{writer}"));
    let of = |client: String| {
        [ViewChoice::Live, ViewChoice::View(View::Legacy), ViewChoice::View(View::Precreated)]
            .map(|asking| store.check_ins(asking, &client, asked, position).unwrap().body)
    };
    clients.flat_map(of).collect()
}

fn restored_is_the_store_at_the_head(
    store: &Store,
    backups: &Backups,
    created: &BackupReport,
    target: &Path,
) {
    let verified =
        backups.verify(&created.name, None, &MasterKeySource::Beside, &|_, _, _| {}).unwrap();
    assert!(verified.projections.iter().all(|one| one.compared) && verified.projections.len() >= 7);
    backups.restore(&created.name, target, &MasterKeySource::Beside, &[], &|_, _, _| {}).unwrap();
    let restored = Store::open(target, false).unwrap();
    let head = created.manifest.head;
    assert_eq!((restored.log().head(), restored.log().store_id()), (head, store.log().store_id()));
    assert_eq!(restored.log().digest(head).unwrap(), store.log().digest(head).unwrap());
    let root = store.tree_head(head).unwrap().root;
    assert_eq!(
        (restored.tree_head(head).unwrap().root, root.to_string()),
        (root, created.manifest.merkle_root.clone())
    );
    restored.catch_up(&|_, _| {}).unwrap();
    for said in &created.manifest.projections {
        assert_eq!(
            restored.runtime().digest(said.name.parse().unwrap()).unwrap(),
            (said.rows, said.digest.clone()),
            "{}",
            said.name
        );
    }
    assert_eq!(lists(&restored, None), lists(store, Some(head)));
}

#[test]
fn backups_under_64_writers_are_good_and_restore_the_store_at_their_heads() {
    let around = tempfile::tempdir().unwrap();
    let data = around.path().join("prod");
    let store = Store::open(&data, true).unwrap();
    // A client document makes the lists open.
    for writer in 0..WRITERS {
        let body = rollbook_domain::Personal::new(
            JsonText::parse(r#"{"onboardingStatus":"completed"}"#).unwrap(),
        );
        let id = format!("client-{writer}");
        let document = rollbook_domain::Document::new(
            rollbook_domain::Collection::Clients,
            id.clone(),
            0,
            body,
        );
        let event = Event::DocumentImported(document);
        let event = rollbook_domain::NewEvent {
            stream: StreamId::Client(id),
            id: None,
            occurred_at: Timestamp::EPOCH,
            event,
        };
        let commit = rollbook_log::Commit {
            events: vec![event],
            expected: vec![],
            actor: request().actor,
            cause: "test".into(),
            key: None,
        };
        store.log().append(commit).unwrap();
    }
    let (backups, stop, acknowledged) =
        (Backups::of(&data), AtomicBool::new(false), AtomicU64::new(0));
    let taken = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, stop, acknowledged) = (&store, &stop, &acknowledged);
            scope.spawn(move || write(store, writer, stop, acknowledged));
        }
        let mut taken: Vec<BackupReport> = Vec::new();
        for number in 1..=3 {
            // Every writer continues its work between two backups.
            let before = acknowledged.load(Ordering::SeqCst);
            while acknowledged.load(Ordering::SeqCst) < before + 2_000 {
                std::thread::yield_now();
            }
            let promised = acknowledged.load(Ordering::SeqCst);
            let created = store
                .back_up(&backups, &wanted(&format!("number-{number}")), &|_, _, _| {})
                .unwrap();
            assert!(
                created.manifest.head >= promised,
                "{} was acknowledged, {} is backed up",
                promised,
                created.manifest.head
            );
            assert!(created.position > created.manifest.head);
            taken.push(created);
        }
        stop.store(true, Ordering::SeqCst);
        taken
    });
    assert_eq!(backups.list().unwrap().len(), 3);
    assert!(
        taken[2].manifest.bytes_shared > 0,
        "nothing of three backups is shared: {:?}",
        taken[2].manifest.files
    );
    for created in &taken {
        restored_is_the_store_at_the_head(
            &store,
            &backups,
            created,
            &around.path().join(&created.name),
        );
        let on_record = store.log().at(created.position).unwrap().unwrap();
        assert_eq!(
            on_record.event,
            Event::BackupTaken { name: created.name.clone(), at: created.manifest.head }
        );
        assert_eq!(on_record.cause, created.manifest_digest);
    }
    assert!(!data.join(".backup-in-progress").exists());
}

#[test]
fn two_backups_at_once_are_one_backup_and_a_refusal() {
    let around = tempfile::tempdir().unwrap();
    let data = around.path().join("prod");
    let store = Store::open(&data, true).unwrap();
    store
        .command(&StreamId::series("client-1", "form"), &allocation("client-1"), &request())
        .unwrap();
    let backups = Backups::of(&data);
    let seen = AtomicBool::new(false);
    let second = |_: &str, _: u64, _: u64| {
        if !seen.swap(true, Ordering::SeqCst) {
            let refused = store.back_up(&backups, &wanted("second"), &|_, _, _| {}).unwrap_err();
            assert!(matches!(refused, BackupError::Busy { .. }), "{refused}");
            let elsewhere = Backups::at(around.path().join("elsewhere"));
            let refused = store.back_up(&elsewhere, &wanted("second"), &|_, _, _| {}).unwrap_err();
            assert!(matches!(refused, BackupError::Busy { .. }), "{refused}");
        }
    };
    store.back_up(&backups, &wanted("first"), &second).unwrap();
    assert!(seen.load(Ordering::SeqCst));
    let names: Vec<String> =
        backups.list().unwrap().into_iter().map(|listed| listed.name).collect();
    assert_eq!(names, ["first"]);
}
