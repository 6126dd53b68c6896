//! Import, audit and export over a real store: log, projections and all.

use crate::support::{FIXTURES, MemoryStore, as_json, fixture, read_fixture};
use rollbook_domain::{Actor, NewEvent, StreamId};
use rollbook_log::{Commit, Durability, Log, OpenOptions};
use rollbook_migrations::adapters::{LogDocuments, StoredAudit};
use rollbook_migrations::audit::{AuditRules, audit};
use rollbook_migrations::export_writer::{ExportMetadata, write_export};
use rollbook_migrations::import::{ImportPlan, ImportedState, plan_import};
use rollbook_projections::documents::Documents;
use rollbook_projections::{Runtime, all};

fn open(directory: &std::path::Path) -> Runtime {
    let options =
        OpenOptions { create: true, durability: Durability::Buffered, ..OpenOptions::default() };
    Runtime::new(Log::open(directory, options).unwrap(), all())
}

fn append(store: &Runtime, events: Vec<NewEvent>) {
    let commit = Commit {
        events,
        expected: Vec::new(),
        actor: Actor::Migration("import".to_owned()),
        cause: "test".to_owned(),
        key: None,
    };
    store.log().append(commit).unwrap();
}

fn held(store: &Runtime) -> ImportedState {
    let snapshot = store.snapshot().unwrap();
    let (rows, _) = snapshot.rows::<Documents>().unwrap();
    ImportedState::read(&rows, &store.log().stream(&StreamId::Control, 0).unwrap()).unwrap()
}

fn import(store: &Runtime, name: &str) -> ImportPlan {
    let plan = plan_import(read_fixture(name), &held(store));
    append(store, plan.events.iter().cloned().chain(plan.completed("UTC")).collect());
    plan
}

#[test]
fn what_was_imported_is_held_audited_and_exported() {
    for name in FIXTURES {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("store"));
        let plan = import(&store, name);
        let held = held(&store);
        assert_eq!(held.imports, 1);
        assert_eq!(held.documents.len(), plan.events.len());
        let again = plan_import(read_fixture(name), &held);
        assert!(again.events.is_empty() && again.completed("UTC").is_none(), "{name}");

        let snapshot = store.snapshot().unwrap();
        let rules = AuditRules {
            now: "2026-01-15T09:30:00Z".parse().unwrap(),
            zone: "UTC".parse().unwrap(),
        };
        assert_eq!(
            audit(&StoredAudit { snapshot: &snapshot, log: store.log() }, &rules).unwrap(),
            audit(&MemoryStore::of(&plan.events), &rules).unwrap()
        );

        let target = directory.path().join("export");
        let control = store.log().stream(&StreamId::Control, 0).unwrap();
        let documents = LogDocuments { log: store.log(), until: store.log().head() };
        write_export(&documents, &ExportMetadata::of(&control), &target).unwrap();
        assert_eq!(as_json(&target), as_json(&fixture(name)), "{name}");
    }
}

#[test]
fn a_changed_export_is_imported_as_its_changes_and_exported_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store"));
    import(&store, "clean");
    // Another export altogether: everything that the one has and the other lacks goes, the rest
    // comes.
    let plan = import(&store, "dirty");
    let removed: u64 = plan.counts.values().map(|counts| counts.removed).sum();
    assert!(removed > 0 && removed < plan.events.len() as u64);
    import(&store, "clean");
    let target = directory.path().join("export");
    let control = store.log().stream(&StreamId::Control, 0).unwrap();
    write_export(
        &LogDocuments { log: store.log(), until: store.log().head() },
        &ExportMetadata::of(&control),
        &target,
    )
    .unwrap();
    assert_eq!(as_json(&target), as_json(&fixture("clean")));
    assert_eq!(held(&store).imports, 3);
}
