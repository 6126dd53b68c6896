//! Proof files, checkpoints and keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollbook_proofs::{ConsistencyProof, EventProof, SignedCheckpoint, VerifierKey};

fuzz_target!(|text: &str| {
    if let Ok(proof) = EventProof::read(text) {
        let _ = proof.check(None);
    }
    if let Ok(proof) = ConsistencyProof::read(text) {
        let _ = proof.check(None);
    }
    let _ = SignedCheckpoint::read(text);
    let _ = text.parse::<VerifierKey>();
});
