//! Everything here appends through `Ordering`: a migration, a command, a backup and an erasure on a
//! node where a sequencer orders the commits and the store's log is only the node's copy.

#[path = "../../log/tests/log/conformance/sequencer.rs"]
mod sequencer;

use std::path::Path;
use std::sync::Arc;

use rollbook_application::backup::{BackupRequest, Backups};
use rollbook_application::operations::erase::erase;
use rollbook_application::store::{CallerKey, Outcome, Request, Store};
use rollbook_log::{OpenOptions, Ordering as _};
use rollbook_migrations::apply::{ApplyRequest, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{ExportSource as _, JsonDirectory};
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, validate};

use crate::support::{allocation, backing_up, client, is_erased, now, request};
use sequencer::Sequencer;

const MONITOR: Monitor<'static> = Monitor { progress: &|_, _| {}, interrupted: &|| false };

fn migrate(store: &Store, home: &Path) {
    let export = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tracker/export");
    import(
        store.runtime(),
        JsonDirectory::new(export).read().unwrap(),
        &ImportOptions::default(),
        &MONITOR,
    )
    .unwrap();
    let out = home.join("batch.ndjson");
    plan(store.runtime(), DueRule::Monday, Some(&out)).unwrap();
    let batch = Batch::open(&out).unwrap();
    let request = ApplyRequest { batch: &batch, now: now(), key: None };
    apply(store.runtime(), request, &MONITOR).unwrap();
    let request = ValidateRequest { overdue_after_milliseconds: 0, now: now(), key: None };
    assert!(validate(store.runtime(), request, &MONITOR).unwrap().all_green());
}

#[test]
fn a_migration_a_command_a_backup_and_an_erasure_are_ordered_elsewhere() {
    let _one = backing_up();
    let home = tempfile::tempdir().unwrap();
    let options = OpenOptions { create: true, ..OpenOptions::default() };
    let mut made = None;
    let store = Store::open_ordered_by(&home.path().join("store"), options, |log| {
        let sequencer = Arc::new(Sequencer::with_copy(log.clone()));
        made = Some(sequencer.clone());
        sequencer
    })
    .unwrap();
    let sequencer = made.unwrap();

    migrate(&store, home.path());
    store.ordering().append(client("new-client")).unwrap();
    let (stream, command) = allocation("new-client");
    let request = Request { key: Some(CallerKey::of_command_line("once")), ..request() };
    for again in [false, true] {
        let outcome = store.command(&stream, &command, &request).unwrap();
        let Outcome::Done { repeated, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(repeated, again);
    }
    let backups = Backups::at(home.path().join("backups"));
    let wanted = BackupRequest { name: None, actor: request.actor.clone(), now: now() };
    let created = store.back_up(&backups, &wanted, &|_, _, _| {}).unwrap();
    assert_eq!(created.position, sequencer.head());
    erase(&store, "new-client", "asked for it", &request, &|_, _| {}).unwrap();
    assert!(is_erased(&store, "new-client"));

    assert_eq!(sequencer.head(), store.log().head());
    // Nothing was appended to the log except by the sequencer.
    assert_eq!(sequencer.accepted(), store.log().commits_after(0).count());
}
