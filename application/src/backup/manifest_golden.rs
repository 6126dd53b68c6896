//! Golden bytes of a backup's `manifest.json` and `SHA256SUMS`: they are written as they are in
//! `tests/golden/backup-v1`, and a backup with these bytes can be read.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::BackupError;
use super::manifest::{Counts, FORMAT, FileEntry, MANIFEST, Manifest, ProjectionDigest, SUMS};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/backup-v1")
}

fn sample() -> Manifest {
    let file = |path: &str, bytes, shared| FileEntry {
        path: path.to_owned(),
        bytes,
        sha256: const_hex::encode(Sha256::digest(path)),
        shared,
    };
    Manifest {
        rollbook_backup: FORMAT,
        name: "pre-migration-20260115_093000".to_owned(),
        created_at: "2026-01-15T09:30:00.123456789Z".parse().unwrap(),
        rollbook: "0.1.0".to_owned(),
        store: Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef),
        store_format: 1,
        head: 103,
        head_recorded_at: Some("2026-01-15T09:29:59Z".parse().unwrap()),
        log_digest: const_hex::encode(Sha256::digest("log")),
        merkle_root: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=".to_owned(),
        projections: vec![ProjectionDigest {
            name: "legacy".to_owned(),
            version: 1,
            rows: 34,
            digest: const_hex::encode(Sha256::digest("rows")),
        }],
        counts: Counts {
            clients: 26,
            documents: [("clients".to_owned(), 26)].into(),
            events: [("ClientImported".to_owned(), 26)].into(),
        },
        files: vec![
            file("REPORT.md", 2623, false),
            file("db/000021.sst", 67_765, true),
            file("keyring", 3108, false),
        ],
        bytes_new: 5731,
        bytes_shared: 67_765,
    }
}

#[test]
fn a_manifest_and_its_checksums_have_the_golden_bytes() {
    let bytes = sample().to_bytes();
    let digest = const_hex::encode(Sha256::digest(&bytes));
    for (name, written) in [(MANIFEST, bytes), (SUMS, sample().to_sums(&digest).into_bytes())] {
        let path = golden().join(name);
        if std::fs::read(&path).ok().as_ref() != Some(&written) {
            let beside = path.with_extension("actual");
            std::fs::write(&beside, written).unwrap();
            panic!("the bytes differ from {}; see {}", path.display(), beside.display());
        }
    }
}

#[test]
fn a_manifest_with_the_golden_bytes_is_read() {
    let (read, digest) = Manifest::read(&golden(), "golden").unwrap();
    assert_eq!(read, sample());
    assert_eq!(digest, const_hex::encode(Sha256::digest(sample().to_bytes())));
    // A backup without events has no time of its head.
    let empty = Manifest { head: 0, head_recorded_at: None, ..sample() };
    let text = String::from_utf8(empty.to_bytes()).unwrap();
    assert!(text.contains("\"head_recorded_at\": null"), "{text}");
}

#[test]
fn a_manifest_of_a_newer_format_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(golden().join(MANIFEST)).unwrap();
    let newer = text.replace("\"rollbook_backup\": 1", "\"rollbook_backup\": 2");
    std::fs::write(home.path().join(MANIFEST), newer).unwrap();
    let refused = Manifest::read(home.path(), "golden");
    assert!(matches!(refused, Err(BackupError::Newer { found: 2, known: 1, .. })), "{refused:?}");
}
