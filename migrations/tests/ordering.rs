//! Everything here appends through `Ordering`: a whole migration on a node where a sequencer orders
//! the commits and the log is only the node's copy.

#[path = "../../log/tests/log/conformance/sequencer.rs"]
mod sequencer;

use std::path::Path;
use std::sync::Arc;

use rollbook_domain::{Event, Timestamp};
use rollbook_log::{IdempotencyKey, Ordering as _};
use rollbook_migrations::apply::{ApplyRequest, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, validate};
use rollbook_projections::{Runtime, all};

use crate::support::{MONITOR, fixed_store, read_fixture};
use sequencer::Sequencer;

fn now() -> Timestamp {
    "2026-01-15T09:30:00Z".parse().unwrap()
}

fn key(name: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: name.to_owned(), request: [1; 32] })
}

/// Imports, plans, applies and validates.
fn migrate(store: &Runtime, home: &Path) {
    import(store, read_fixture("tracker"), &ImportOptions::default(), &MONITOR).unwrap();
    let out = home.join("batch.ndjson");
    plan(store, DueRule::Monday, Some(&out)).unwrap();
    let batch = Batch::open(&out).unwrap();
    for _again in 0..2 {
        let request = ApplyRequest { batch: &batch, now: now(), key: key("apply") };
        apply(store, request, &MONITOR).unwrap();
    }
    let request =
        ValidateRequest { overdue_after_milliseconds: 0, now: now(), key: key("validate") };
    assert!(validate(store, request, &MONITOR).unwrap().all_green());
}

fn events(store: &Runtime) -> Vec<Event> {
    let commits = store.log().commits_after(0);
    commits.flat_map(|commit| commit.unwrap()).map(|recorded| recorded.event).collect()
}

#[test]
fn a_whole_migration_is_ordered_elsewhere_and_leaves_the_same_events() {
    let home = tempfile::tempdir().unwrap();
    let (alone, node) = (home.path().join("alone"), home.path().join("node"));
    std::fs::create_dir(&alone).unwrap();
    std::fs::create_dir(&node).unwrap();

    let expected = fixed_store(&alone.join("store"));
    migrate(&expected, &alone);

    let log = fixed_store(&node.join("store")).log().clone();
    let sequencer = Arc::new(Sequencer::with_copy(log.clone()));
    let store = Runtime::ordered_by(sequencer.clone(), log, all());
    migrate(&store, &node);

    assert_eq!(events(&store), events(&expected));
    assert_eq!(sequencer.head(), store.log().head());
    // Nothing was appended to the log except by the sequencer.
    assert_eq!(sequencer.accepted(), store.log().commits_after(0).count());
    assert!(sequencer.requested_under("apply").unwrap().is_some());
}
