//! The binary encoding: leaves with their events, and rows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_log::{Leaf, binary};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(leaf) = Leaf::read(bytes) {
        let _ = leaf.event();
    }
    let _ = binary::read::<Series>(bytes);
    let _ = binary::read::<LegacySeries>(bytes);
});
