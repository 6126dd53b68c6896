//! Opening a store whose rows were written by an earlier version: before version 2 of the views,
//! each view kept the directory's rows among its own, and there was no directory projection.

use rollbook_domain::EventRecord;
use rollbook_domain::event::View;
use rollbook_log::Log;
use rollbook_projections::directory::Directory;
use rollbook_projections::documents::Documents;
use rollbook_projections::names::Names;
use rollbook_projections::rows::{RowChanges, StoredRows};
use rollbook_projections::tracker::Tracker;
use rollbook_projections::tree::Tree;
use rollbook_projections::views::{LegacyView, PrecreatedView, ViewRows};
use rollbook_projections::{
    Projection, ProjectionError, ProjectionName, Runtime, all, directory as clients_and_coaches,
};

use crate::support;

/// Version 1 of the legacy view.
struct LegacyBefore;

/// Version 1 of the pre-created view.
struct PrecreatedBefore;

impl Projection for LegacyBefore {
    const NAME: &'static str = LegacyView::NAME;
    const VERSION: u32 = 1;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        Projection::fold(&Directory, rows, commit)?;
        Projection::fold(&LegacyView, rows, commit)
    }
}

impl Projection for PrecreatedBefore {
    const NAME: &'static str = PrecreatedView::NAME;
    const VERSION: u32 = 1;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        Projection::fold(&Directory, rows, commit)?;
        Projection::fold(&PrecreatedView, rows, commit)
    }
}

fn before(log: &Log) -> Runtime {
    Runtime::new(
        log.clone(),
        vec![
            Box::new(LegacyBefore),
            Box::new(PrecreatedBefore),
            Box::new(Documents),
            Box::new(Names),
            Box::new(Tracker),
            Box::new(Tree),
        ],
    )
}

fn stored_rows(log: &Log) -> u64 {
    log.rows().snapshot().scan(b"").unwrap().count() as u64
}

#[test]
fn a_store_of_an_earlier_version_gets_new_rows_and_loses_the_old_ones() {
    let directory = tempfile::tempdir().unwrap();
    {
        let log = support::open(directory.path());
        support::import(&log, &support::fixture("dirty").join("export"), "Europe/London");
        support::catch_up(&before(&log));
    }
    let log = support::open(directory.path());
    let runtime = Runtime::new(log.clone(), all());
    let kept = [ProjectionName::of::<Documents>(), ProjectionName::of::<Tracker>()];
    let untouched = kept.map(|name| runtime.digest(name).unwrap());
    // Until they are folded, new rows are missing, and old rows are not read as new ones.
    assert!(runtime.unfolded().rows::<Directory>().is_err());
    assert!(runtime.unfolded().view(View::Legacy).is_err());
    let head = support::catch_up(&runtime);
    assert!(runtime.checkpoints().unwrap().iter().all(|(_, checkpoint)| *checkpoint == head));
    assert_eq!(kept.map(|name| runtime.digest(name).unwrap()), untouched);
    let (_elsewhere, fresh) = support::fresh(&log, all());
    let mut rows = 0;
    for name in runtime.names().iter().copied() {
        if name != ProjectionName::of::<Tree>() {
            assert_eq!(runtime.digest(name).unwrap(), fresh.digest(name).unwrap(), "{name}");
        }
        rows += runtime.digest(name).unwrap().0;
    }
    // Besides the rows there is one state for each projection, and nothing of the old rows.
    assert_eq!(stored_rows(&log), rows + runtime.names().len() as u64);
    assert_eq!(runtime.stray_rows().unwrap().rows, 0);
}

#[test]
fn answers_are_the_same_before_and_after() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    support::import(&log, &support::fixture("dirty").join("export"), "Europe/London");
    let now = support::at("2026-01-11T00:52:51Z");
    let before = before(&log);
    let snapshot = before.snapshot().unwrap();
    // An answer read one set of rows only.
    let legacy = ViewRows {
        view: View::Legacy,
        directory: snapshot.rows::<LegacyBefore>().unwrap().0,
        series: snapshot.rows::<LegacyBefore>().unwrap().0,
    };
    let precreated = ViewRows {
        view: View::Precreated,
        directory: snapshot.rows::<PrecreatedBefore>().unwrap().0,
        series: snapshot.rows::<PrecreatedBefore>().unwrap().0,
    };
    let clients = clients_and_coaches::clients(&legacy.directory).unwrap();
    let of = |rows: &ViewRows<StoredRows<'_>>| -> Vec<String> {
        clients.iter().map(|client| support::body(rows, client, now)).collect()
    };
    let answers = [of(&legacy), of(&precreated)];
    assert!(answers.iter().flatten().any(|body| body.contains("\"dueDate\"")));
    let runtime = Runtime::new(log.clone(), all());
    for (view, expected) in [View::Legacy, View::Precreated].into_iter().zip(answers) {
        let snapshot = runtime.snapshot().unwrap();
        let (rows, _) = snapshot.view(view).unwrap();
        assert_eq!(of(&rows), expected, "{view:?}");
    }
}
