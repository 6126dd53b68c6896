//! Decoders of proof files and keys: changed and arbitrary text is read or refused, and proofs with
//! any numbers are checked without a panic. `PROPTEST_CASES` sets the number of cases.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use proptest::prelude::*;
use rollbook_proofs::tree::{above_tile, check_consistency, check_inclusion};
use rollbook_proofs::{
    ConsistencyProof, EventProof, Hash, SignedCheckpoint, SigningKey, TreeHead, VerifierKey,
};

/// Every golden file of this crate.
fn valid() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect()
}

fn read(text: &str) {
    if let Ok(proof) = EventProof::read(text) {
        let _ = proof.check(None);
    }
    if let Ok(proof) = ConsistencyProof::read(text) {
        let _ = proof.check(None);
    }
    let _ = SignedCheckpoint::read(text);
    let _ = text.parse::<VerifierKey>();
    let _ = text.parse::<SigningKey>();
}

fn hashes() -> impl Strategy<Value = Vec<Hash>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70)
}

proptest! {
    #[test]
    fn changed_text_is_read_or_refused(
        file in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, "\\PC|[0-9]{1,30}"), 0..5),
    ) {
        let files = valid();
        let mut text: Vec<char> = file.get(&files).chars().collect();
        for (at, kind, new) in edits {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match kind {
                0 => drop(text.splice(at..=at, new.chars())),
                1 => drop(text.remove(at)),
                _ => text.truncate(at),
            }
        }
        read(&text.into_iter().collect::<String>());
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in "(\\PC|\n){0,300}") {
        read(&text);
    }

    #[test]
    fn any_numbers_are_checked(
        position: u64,
        size: u64,
        other: u64,
        proof in hashes(),
        root: [u8; 32],
        tile in prop::collection::vec(any::<u8>(), 0..9000),
    ) {
        let head = |size| TreeHead { size, root: Hash(root) };
        for size in [size, size % 1000, u64::MAX, 0] {
            let _ = check_inclusion(&proof, position, Hash(root), head(size));
            let _ = check_consistency(&proof, head(other), head(size));
        }
        let _ = above_tile(&tile);
    }
}
