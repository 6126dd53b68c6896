//! Decoders of files from outside: changed and arbitrary files are read or refused. None panics or
//! recurses without bound. `PROPTEST_CASES` sets the number of cases.

use std::path::Path;

use proptest::prelude::*;
use rollbook_log::OpenOptions;
use rollbook_migrations::batch::Batch;
use rollbook_migrations::certificate::Certificate;
use rollbook_migrations::dump;
use rollbook_migrations::export_reader::{ExportSource, JsonDirectory};
use serde_json::json;

use crate::support::{golden, small_export};

/// An edit of bytes: where, how far, which kind, and a byte.
type Edit = (prop::sample::Index, prop::sample::Index, u8, u8);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8, any::<u8>()),
        0..5,
    )
}

/// The bytes with some replaced, removed, repeated or nested.
fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for (from, length, kind, byte) in edits {
        if bytes.is_empty() {
            break;
        }
        let from = from.index(bytes.len());
        let to = (from + length.index(40)).min(bytes.len());
        match kind {
            0 => bytes[from] = *byte,
            1 => drop(bytes.drain(from..to)),
            2 => {
                let part = bytes[from..to].to_vec();
                bytes.splice(from..from, part);
            }
            _ => drop(bytes.splice(from..from, vec![b'['; usize::from(*byte) * 100])),
        }
    }
    bytes
}

fn load(bytes: &[u8], home: &Path) -> bool {
    let (path, data) = (home.join("dump.ndjson"), home.join("store"));
    let options = OpenOptions { unsealed: true, ..OpenOptions::default() };
    dump::load(&mut &*bytes, &path, &data, &options, &mut |_, _| Ok(()), &|_, _| false).is_ok()
}

proptest! {
    #[test]
    fn a_changed_batch_is_read_or_refused(edits in edits()) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("batch.ndjson");
        for name in ["batch-every-event.ndjson", "batch-tracker.ndjson"] {
            let bytes = edited(std::fs::read(golden(name)).unwrap(), &edits);
            std::fs::write(&file, bytes).unwrap();
            let _ = Batch::open(&file);
        }
    }

    #[test]
    fn a_changed_certificate_is_read_or_refused(edits in edits()) {
        let bytes = edited(std::fs::read(golden("certificate.json")).unwrap(), &edits);
        let _ = Certificate::read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_changed_export_is_read_or_refused(edits in edits(), name in 0..3_usize) {
        let document = json!({
            "_id": "a", "clientId": "c", "formId": "f", "isRecurring": true, "totalWeeks": 4,
            "dueDate": {"_seconds": 1_767_603_600, "_nanoseconds": 0},
            "checkInWindow": {"days": [1, 2], "from": {"__datatype__": "timestamp", "value": {"_seconds": 1, "_nanoseconds": 2}}},
        });
        let directory = small_export(&[json!({"_id": "c"})], &[document], &[]);
        std::fs::write(directory.path().join("BACKUP_SUMMARY.json"), r#"{"status":"completed"}"#).unwrap();
        let name = ["check_in_assignments.json", "clients.json", "BACKUP_SUMMARY.json"][name];
        let file = directory.path().join(name);
        std::fs::write(&file, edited(std::fs::read(&file).unwrap(), &edits)).unwrap();
        let _ = JsonDirectory::new(directory.path()).read();
    }
}

proptest! {
    // Loading a dump creates a store.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_changed_dump_is_loaded_or_refused(edits in edits()) {
        let home = tempfile::tempdir().unwrap();
        let bytes = edited(std::fs::read(golden("dump-clear.ndjson")).unwrap(), &edits);
        let _ = load(&bytes, home.path());
    }
}
