//! The binary encoding: leaves with their events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollbook_log::Leaf;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(leaf) = Leaf::read(bytes) {
        let _ = (leaf.event(), leaf.recorded_at());
    }
});
