//! A review passes series on while the file is read, and ends where the reader or the writer fails.

use std::io;
use std::path::Path;

use rollbook_migrations::MigrationError;
use rollbook_migrations::batch::Batch;
use rollbook_migrations::review::{ReviewError, Scope, review};

use crate::support::golden;

/// A copy of the golden batch of many series that was checked, and whose last line was damaged
/// afterwards.
fn damaged_at_its_end(directory: &Path) -> Batch {
    let path = directory.join("batch.ndjson");
    let text = std::fs::read_to_string(golden("batch-tracker.ndjson")).unwrap();
    std::fs::write(&path, &text).unwrap();
    let batch = Batch::open(&path).unwrap();
    let last = text.trim_end().rfind('\n').unwrap();
    std::fs::write(&path, format!("{}\nnot an event\n", &text[..last])).unwrap();
    batch
}

#[test]
fn series_are_passed_on_before_the_rest_of_the_file_is_read() {
    let home = tempfile::tempdir().unwrap();
    let batch = damaged_at_its_end(home.path());
    let mut seen = 0;
    let result = review(&batch, Scope::default(), &mut |series| {
        assert!(!series.weeks.is_empty() || !series.links.is_empty());
        seen += 1;
        Ok(())
    });
    assert!(
        matches!(result, Err(ReviewError::Migration(MigrationError::Line { line: 694, .. }))),
        "{result:?}"
    );
    assert!(seen > 20, "{seen} series were passed on");
}

#[test]
fn nothing_is_passed_on_after_a_failed_write() {
    let batch = Batch::open(&golden("batch-tracker.ndjson")).unwrap();
    let mut seen = 0;
    let result = review(&batch, Scope::default(), &mut |_| {
        seen += 1;
        Err(io::Error::other("full"))
    });
    assert!(matches!(&result, Err(ReviewError::Output(error)) if error.to_string() == "full"));
    assert_eq!(seen, 1);
}
