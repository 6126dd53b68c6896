//! Rows of projections.

use rollbook_log::{Log, OpenOptions, RowBatch, RowSnapshot};

use crate::support::{events_of, open, stream};

fn batch(change: impl FnOnce(&mut RowBatch)) -> RowBatch {
    let mut batch = RowBatch::new();
    change(&mut batch);
    batch
}

fn keys(snapshot: &RowSnapshot, prefix: &[u8]) -> Vec<Vec<u8>> {
    snapshot.scan(prefix).unwrap().map(|row| row.unwrap().0.into_vec()).collect()
}

#[test]
fn rows_are_put_scanned_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    let rows = log.rows();
    assert_eq!((rows.get(b"a1").unwrap(), keys(&rows.snapshot(), b"")), (None, vec![]));
    rows.write(&batch(|batch| {
        [&b"a1"[..], b"a2", b"a3", b"b1", &[255, 1]].iter().for_each(|key| batch.put(key, b"value"))
    }))
    .unwrap();
    assert_eq!(rows.get(b"a2").unwrap().as_deref(), Some(&b"value"[..]));
    let snapshot = rows.snapshot();
    assert_eq!(keys(&snapshot, b"a"), [b"a1", b"a2", b"a3"]);
    let from: Vec<_> =
        snapshot.scan_from(b"a", b"a2").unwrap().map(|row| row.unwrap().0.into_vec()).collect();
    assert_eq!(from, [b"a2", b"a3"]);
    assert_eq!(keys(&snapshot, &[255]), [[255, 1]]);

    rows.write(&batch(|batch| {
        batch.put(b"a0", b"gone");
        batch.delete_prefix(b"a");
        batch.put(b"a9", b"stays");
        batch.delete(b"b1");
    }))
    .unwrap();
    assert_eq!(keys(&rows.snapshot(), b""), [&b"a9"[..], &[255, 1]]);
    assert_eq!(keys(&snapshot, b"a"), [b"a1", b"a2", b"a3"], "a snapshot stays as it was");
    assert_eq!((snapshot.get(b"b1").unwrap().is_some(), rows.get(b"b1").unwrap()), (true, None));

    rows.write(&batch(|batch| {
        batch.put(&[255, 255, 255], b"gone");
        batch.delete_prefix(&[255]);
    }))
    .unwrap();
    assert_eq!(keys(&rows.snapshot(), b""), [b"a9"]);
    rows.write(&batch(|batch| batch.delete_prefix(b""))).unwrap();
    assert_eq!(keys(&rows.snapshot(), b"").len(), 0);
}

#[test]
fn rows_are_there_after_opening_again_and_a_snapshot_outlives_the_first_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    {
        let log = open(&store);
        log.append(events_of(&stream(1), 1)).unwrap();
        log.rows().write(&batch(|batch| batch.put(b"checkpoint", b"1"))).unwrap();
    }
    let log = Log::open(&store, OpenOptions::default()).unwrap();
    let (before, mut commits) = (log.rows().snapshot(), log.commits_after(0));
    // From reading to writing: what was opened for reading stays readable.
    log.append(events_of(&stream(1), 1)).unwrap();
    log.rows().write(&batch(|batch| batch.put(b"checkpoint", b"2"))).unwrap();
    assert_eq!(before.get(b"checkpoint").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(log.rows().get(b"checkpoint").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(commits.next().unwrap().unwrap().len(), 1);
    assert!(commits.next().is_none());
    drop((log, commits));
    // The snapshot holds the store open, and lets it go.
    assert!(Log::open(&store, OpenOptions::default()).is_err());
    drop(before);
    assert_eq!(Log::open(&store, OpenOptions::default()).unwrap().head(), 2);
}
