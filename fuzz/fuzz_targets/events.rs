//! Events, streams and instants as text, and certificates of migrations.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollbook_domain::{Event, EventRecord, JsonText, StreamId, Timestamp};
use rollbook_migrations::certificate::Certificate;

fuzz_target!(|text: &str| {
    let _ = serde_json::from_str::<JsonText>(text);
    let _ = serde_json::from_str::<Event>(text);
    let _ = serde_json::from_str::<EventRecord>(text);
    let _ = text.parse::<StreamId>();
    let _ = text.parse::<Timestamp>();
    let _ = Certificate::read(text);
});
