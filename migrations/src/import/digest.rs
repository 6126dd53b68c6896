//! The digests of an import: of a document's body, and of all its events.

use std::fmt::Write as _;

use rollbook_domain::{JsonText, NewEvent};
use sha2::{Digest, Sha256};

/// SHA-256 of a body's canonical text. A later import compares it to find changed documents.
pub fn body_digest(body: &JsonText) -> [u8; 32] {
    Sha256::digest(body.as_str().as_bytes()).into()
}

/// SHA-256 over events as one line of JSON each, in hexadecimal.
pub fn events_digest(events: &[NewEvent]) -> String {
    let mut hasher = Sha256::new();
    for event in events {
        // Serializing ids, times and JSON that was parsed before cannot fail.
        hasher.update(serde_json::to_vec(event).unwrap_or_default());
        hasher.update(b"\n");
    }
    hexadecimal(hasher.finalize().into())
}

pub(super) fn hexadecimal(digest: [u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
