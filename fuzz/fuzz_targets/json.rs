//! JSON text and the documents in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollbook_domain::document::{StoredAssignment, StoredClient, StoredResponse, check_timestamps};
use rollbook_domain::{Collection, JsonText};

fuzz_target!(|text: &str| {
    let Ok(body) = JsonText::parse(text) else { return };
    assert!(body.levels() <= rollbook_domain::limits::JSON_LEVELS);
    assert_eq!(JsonText::parse(body.as_str()).ok().as_ref(), Some(&body));
    let _ = StoredAssignment::read("d", &body);
    let _ = StoredResponse::read("d", &body);
    let _ = StoredClient::read(&body);
    for collection in Collection::ALL {
        let _ = check_timestamps(collection, &body);
    }
});
