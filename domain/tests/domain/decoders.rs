//! Decoders of outside bytes: arbitrary bytes and changed valid bytes are read or refused. None
//! panics, recurses without bound, or makes much more than it was given. `PROPTEST_CASES` sets the
//! number of cases.

use proptest::prelude::*;
use rollbook_domain::calendar::Zone;
use rollbook_domain::document::{StoredAssignment, StoredClient, StoredResponse, check_timestamps};
use rollbook_domain::document::{coach_name, feedback_response};
use rollbook_domain::status::Clock;
use rollbook_domain::{Collection, Event, EventRecord, JsonText, NewEvent, StreamId, Timestamp};

const VALID: [&str; 6] = [
    r#"{"_id":"a","clientId":"c","formId":"f","dueDate":{"_seconds":1767603600,"_nanoseconds":0},"isRecurring":true,"recurringWeek":1,"totalWeeks":52,"checkInWindow":{"days":[1,2]}}"#,
    r#"{"dueDate":{"__datatype__":"timestamp","value":{"_seconds":1767603600,"_nanoseconds":5}},"score":1.5e3}"#,
    r#"{"type":"ResponseSubmitted","data":{"assignment":"b4033edd-89af-579d-86d6-1e3ee007ea4e","run":1,"week":2,"response":"r","submitted_at":"2026-01-05T09:00:00.000Z","score":7,"answers":[{"answer":"\u00e9","score":1}],"legacy_due":"2026-01-05T09:00:00.000Z"}}"#,
    r#"{"stream":"series/c/f","occurred_at":"2026-01-05T09:00:00.000Z","event":{"type":"NoteWritten","data":{"run":1,"week":1,"note":{"$erased":true}}}}"#,
    "series/ada%2Fb/weekly",
    "2026-01-05T09:00:00.123456789Z",
];

/// A valid text with some bytes replaced, repeated, removed or nested.
fn changed() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8, any::<u8>());
    (prop::sample::select(&VALID[..]), prop::collection::vec(edit, 0..6)).prop_map(
        |(text, edits)| {
            let mut bytes = text.as_bytes().to_vec();
            for (from, to, kind, byte) in edits {
                if bytes.is_empty() {
                    break;
                }
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let (from, to) = (from.min(to), from.max(to));
                match kind {
                    0 => bytes[from] = byte,
                    1 => drop(bytes.drain(from..to)),
                    2 => {
                        let part = bytes[from..to].to_vec();
                        bytes.splice(from..from, part);
                    }
                    _ => drop(bytes.splice(from..from, vec![b'['; usize::from(byte) * 40])),
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        },
    )
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => changed(),
        1 => prop::collection::vec(any::<u8>(), 0..200)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => (0_usize..60_000, "[\\[{\"a:]{1,6}")
            .prop_map(|(times, part)| part.repeat(times / part.len())),
    ]
}

/// Reads a body in every way that a document is read.
fn read_body(body: &JsonText) {
    let _ = StoredAssignment::read("d", body);
    let _ = StoredResponse::read("d", body);
    let _ = (StoredClient::read(body), coach_name(body), feedback_response(body));
    for collection in Collection::ALL {
        let _ = check_timestamps(collection, body);
    }
}

proptest! {
    #[test]
    fn outside_text_is_read_or_refused(text in texts()) {
        if let Ok(read) = JsonText::parse(&text) {
            // An escape takes two bytes at least, and a control character six.
            prop_assert!(read.as_str().len() <= 6 * text.len());
            prop_assert!(read.levels() <= 64);
            prop_assert_eq!(&JsonText::parse(read.as_str()).unwrap(), &read);
            read_body(&read);
        }
        if let Ok(read) = serde_json::from_str::<JsonText>(&text) {
            prop_assert_eq!(&serde_json::from_str::<JsonText>(read.as_str()).unwrap(), &read);
            read_body(&read);
            let _ = rollbook_domain::series::decide::score_of(&read);
        }
        // Stored text is not checked again.
        read_body(&JsonText::from_canonical(text.clone()));
        let _ = serde_json::from_str::<Event>(&text);
        let _ = serde_json::from_str::<NewEvent>(&text);
        let _ = serde_json::from_str::<EventRecord>(&text);
        let _ = text.parse::<Zone>();
        if let Ok(stream) = text.parse::<StreamId>() {
            prop_assert_eq!(stream.to_string(), text.clone());
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            prop_assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
        }
    }

    #[test]
    fn no_instant_makes_the_calendar_panic(
        seconds: i64,
        nanoseconds: u32,
        days: i64,
        milliseconds: i64,
        week: u32,
        zone in prop::sample::select(&["UTC", "Africa/Casablanca", "Pacific/Apia"][..]),
    ) {
        let limit = 8_334_601_228_800;
        let instants = [seconds, seconds % limit, seconds % 100_000_000_000, -1, i64::MIN, i64::MAX];
        let zone: Zone = zone.parse().unwrap();
        for seconds in instants {
            let nanoseconds = nanoseconds % 1_000_000_000;
            let Some(at) = Timestamp::from_parts(seconds, nanoseconds) else { continue };
            let _ = (at.milliseconds(), at.to_milliseconds_text(), at.to_string());
            let moved = at.plus_milliseconds(milliseconds);
            let _ = (zone.date(at), zone.monday(at), zone.next_window_opens(at));
            let _ = (zone.plus_local_days(at, days), zone.plus_local_days(at, days % 100_000_000));
            let _ = (zone.monday_due(at, week), zone.weekday_due(at, week));
            let _ = (zone.midnight_utc_date(at), zone.horizon(at));
            for (now, due) in [(at, moved), (moved, at)] {
                let _ = Clock::new(now, zone).status(false, false, due);
            }
        }
    }
}
