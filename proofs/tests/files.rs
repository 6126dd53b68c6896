//! Proof files: golden bytes, test vectors of the formats' authors, and the rejection of every
//! changed byte.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use rollbook_proofs::tree::{above_tile, prove_consistency, prove_inclusion, root};
use rollbook_proofs::{
    ConsistencyProof, EventProof, Hash, SignedCheckpoint, SigningKey, Tiles, TreeHead, VerifierKey,
    leaf_hash,
};
use testkit::assert_golden;

/// A public example key from the documentation of Go's package `note`, and its verifier.
const KNOWN_KEY: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const KNOWN_VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const OTHER_VERIFIER: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const ORIGIN: &str = "rollbook/0192f0c1-2d3e-7f4a-8b5c-6d7e8f901234";

struct Leaves(Vec<Hash>);

impl Tiles for Leaves {
    type Error = std::convert::Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        let start = usize::try_from(index).unwrap() * 256;
        let below: Vec<u8> = self.0.iter().flat_map(|hash| hash.0).collect();
        let tiles: Vec<&[u8]> = below.chunks(256 * 32).collect();
        Ok(match level {
            0 => tiles.get(start / 256).map(|tile| tile.to_vec()),
            1 => Some(
                tiles
                    .iter()
                    .filter_map(|tile| above_tile(tile).ok())
                    .flat_map(|hash| hash.0)
                    .collect(),
            ),
            _ => None,
        })
    }
}

fn key() -> SigningKey {
    KNOWN_KEY.parse().unwrap()
}

fn leaf(number: u64) -> Vec<u8> {
    format!("leaf {number}").into_bytes()
}

fn tree() -> Leaves {
    Leaves((1..=700).map(|number| leaf_hash(&leaf(number))).collect())
}

fn checkpoint(tree: &Leaves, size: u64) -> SignedCheckpoint {
    SignedCheckpoint::sign(ORIGIN, TreeHead { size, root: root(tree, size).unwrap() }, &key())
        .unwrap()
}

fn event_proof() -> EventProof {
    let tree = tree();
    let path = prove_inclusion(&tree, 600, 700).unwrap();
    EventProof {
        position: 600,
        leaf: leaf(600),
        path,
        checkpoint: checkpoint(&tree, 700),
        key: key().verifier().clone(),
    }
}

fn consistency_proof() -> ConsistencyProof {
    let tree = tree();
    let nodes = prove_consistency(&tree, 333, 700).unwrap();
    ConsistencyProof {
        older: checkpoint(&tree, 333),
        newer: checkpoint(&tree, 700),
        nodes,
        key: key().verifier().clone(),
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn golden_files_are_written_and_believed() {
    assert_golden(&golden("checkpoint.txt"), checkpoint(&tree(), 700).text());
    assert_golden(&golden("event.tlog-proof"), &event_proof().to_text());
    assert_golden(&golden("consistency-proof.txt"), &consistency_proof().to_text());
    let verifier: VerifierKey = KNOWN_VERIFIER.parse().unwrap();
    assert_eq!(event_proof().check(Some(&verifier)).unwrap().size, 700);
    let (older, newer) = consistency_proof().check(Some(&verifier)).unwrap();
    assert_eq!((older.size, newer.size), (333, 700));
}

#[test]
fn the_key_of_the_formats_authors_has_their_verifier_and_key_hash() {
    // The keys come from the documentation of golang.org/x/mod/sumdb/note, the checkpoint's text
    // from the tests of its neighbouring package.
    assert_eq!(key().verifier().to_string(), KNOWN_VERIFIER);
    let sample = "example.com/origin\n123\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n";
    let hello = TreeHead { size: 123, root: leaf_hash(b"hello world") };
    let signed = SignedCheckpoint::sign("example.com/origin", hello, &key()).unwrap();
    assert!(
        signed.text().starts_with(&format!("{sample}\n— PeterNeumann x08go")),
        "{}",
        signed.text()
    );
}

#[test]
fn the_checkpoint_of_the_specification_reads_and_its_signature_is_by_another() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let checkpoint = SignedCheckpoint::read(text).unwrap();
    assert_eq!(
        (checkpoint.origin(), checkpoint.claimed().size),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert!(checkpoint.check(&KNOWN_VERIFIER.parse().unwrap()).is_err());
}

/// All variants of a text with one bit flipped, one byte left out, or one byte doubled.
fn forgeries(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let bytes = text.as_bytes().to_vec();
    (0..bytes.len()).flat_map(move |at| {
        let with = |byte: u8| {
            let mut forged = bytes.clone();
            forged[at] = byte;
            forged
        };
        let (mut without, mut doubled) = (bytes.clone(), bytes.clone());
        without.remove(at);
        doubled.insert(at, bytes[at]);
        let mut all: Vec<Vec<u8>> = (0..8).map(|bit| with(bytes[at] ^ (1 << bit))).collect();
        // For two equal neighbours, the variants without or with a second one are the same.
        all.extend([without, doubled]);
        all.retain(|forged| *forged != bytes);
        all
    })
}

#[test]
fn every_changed_byte_of_a_proof_is_refused() {
    let verifier: VerifierKey = KNOWN_VERIFIER.parse().unwrap();
    for trusted in [Some(&verifier), None] {
        let mut tried = 0;
        for forged in forgeries(&event_proof().to_text()) {
            let Ok(text) = std::str::from_utf8(&forged) else { continue };
            let believed = EventProof::read(text).and_then(|proof| proof.check(trusted));
            assert!(believed.is_err(), "{text}");
            tried += 1;
        }
        for forged in forgeries(&consistency_proof().to_text()) {
            let Ok(text) = std::str::from_utf8(&forged) else { continue };
            let believed = ConsistencyProof::read(text).and_then(|proof| proof.check(trusted));
            assert!(believed.is_err(), "{text}");
            tried += 1;
        }
        assert!(tried > 10_000, "{tried}");
    }
}

#[test]
fn a_proof_signed_by_another_key_is_refused_where_the_key_is_known() {
    let other = SigningKey::generate("PeterNeumann").unwrap();
    let mut forged = event_proof();
    forged.checkpoint =
        SignedCheckpoint::sign(ORIGIN, forged.checkpoint.claimed(), &other).unwrap();
    forged.key = other.verifier().clone();
    assert!(forged.check(None).is_ok(), "whole, yet by nobody known");
    assert!(forged.check(Some(&KNOWN_VERIFIER.parse().unwrap())).is_err());
    forged.key = KNOWN_VERIFIER.parse().unwrap();
    assert!(forged.check(Some(&KNOWN_VERIFIER.parse().unwrap())).is_err());
    assert!(event_proof().check(Some(&OTHER_VERIFIER.parse().unwrap())).is_err());
}

#[test]
fn two_logs_are_not_one() {
    let mut proof = consistency_proof();
    proof.older = SignedCheckpoint::sign("rollbook/other", proof.older.claimed(), &key()).unwrap();
    assert!(proof.check(None).is_err());
}

#[test]
fn keys_read_only_as_they_are_written() {
    for text in [KNOWN_VERIFIER, OTHER_VERIFIER] {
        for forged in forgeries(text) {
            let Ok(forged) = std::str::from_utf8(&forged) else { continue };
            assert!(forged.parse::<VerifierKey>().is_err(), "{forged}");
        }
    }
    let drawn = SigningKey::generate("rollbook/new").unwrap();
    assert_eq!(drawn.expose().parse::<SigningKey>().unwrap().verifier(), drawn.verifier());
    assert!(!format!("{drawn:?}").contains("PRIVATE"));
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(SigningKey::generate(name).is_err(), "{name:?}");
    }
}
