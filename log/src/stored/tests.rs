//! Golden bytes: the output of version 1, kept permanently under `tests/golden/v1`, one file per
//! event and one for a complete commit.
//!
//! If the output differs, it is written to a `.actual` file beside the golden one, and the test
//! fails. `ROLLBOOK_BLESS=1` writes missing golden files and never replaces one.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use rollbook_domain::event::{
    Acceptance, AcceptedFindings, AssignedStatus, Audience, CheckOutcome, ExportedCollection,
    FindingName, LinkKind, MissedReason, Origin, Placement, QualifiedValidation, RunTerms, Terms,
    View, WeekDue, WeekMove, WeekOfRun,
};
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, Number, Personal, StreamId, Timestamp,
};
use uuid::Uuid;

use super::mirrored::StoredForm as _;
use super::*;
use crate::keyring::aead::{NonceBytes, SecretKey};
use crate::keyring::{MasterKeySource, Opening, Sealing};

/// Names every variant in a match without a wildcard, so that a new one is missed here when
/// compiling, and in the samples when testing.
macro_rules! variants {
    ($($variant:ident),+ $(,)?) => {
        fn variant(event: &Event) -> &'static str {
            match event {
                $(Event::$variant { .. } => stringify!($variant),)+
                Event::Erased(_) => "never stored as such",
            }
        }
        const VARIANTS: &[&str] = &[$(stringify!($variant)),+];
    };
}

variants!(
    DocumentImported,
    DocumentChanged,
    DocumentRemoved,
    AssignmentCreated,
    ResponseSubmitted,
    ResponseLinked,
    AssignmentRescheduled,
    AssignmentMissed,
    ExtensionGranted,
    ReopenRequested,
    AssignmentReopened,
    SeriesPaused,
    SeriesResumed,
    SeriesExtended,
    SeriesWithdrawn,
    AssignmentWithdrawn,
    ResponseCleared,
    FeedbackGiven,
    ImportCompleted,
    BatchPlanned,
    BatchApplied,
    ValidationRecorded,
    ParityRecorded,
    ViewSwitched,
    BackupTaken,
    StageRecorded,
    LegacyRetired,
    ClientErased,
    ResponsesAttested,
    StatusAssigned,
    NoteWritten,
    ResponsePlaced,
    CorrectionUndone,
    DocumentAdopted,
    DuplicateWithdrawn,
    DuplicateCleared,
    WeeksChanged,
    WindowChanged,
    FindingsAccepted,
    AcceptanceWithdrawn,
    QualifiedValidationRecorded,
);

fn text(text: &str) -> String {
    text.to_owned()
}

fn finding(id: &str) -> FindingName {
    FindingName { id: text(id), about: text("series/client-1/form-1 run 1") }
}

fn personal(text: &str) -> Personal<String> {
    Personal::new(text.to_owned())
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_parts(seconds, 123_456_789).unwrap()
}

fn document() -> Document {
    let body = Personal::new(json(r#"{"recurringWeek":1,"score":12.50,"title":"Wöchentlich"}"#));
    Document::new(Collection::CheckInAssignments, text("doc-1"), 300, body)
}

fn changed_document() -> Document {
    let Document { id, ordinal, body, .. } = document();
    Document::new(Collection::CoachFeedback, id, ordinal, body)
}

fn created() -> Event {
    Event::AssignmentCreated {
        assignment: Uuid::from_u128(0x0123_4567_89ab_5def_8123_4567_89ab_cdef),
        run: 1,
        week: 2,
        due: time(1_767_603_600),
        origin: Origin::Migration,
        terms: terms(),
    }
}

fn terms() -> RunTerms {
    Terms {
        stored_client: text("client@example.com"),
        coach: text("coach-1"),
        title: text("Weekly check-in"),
        description: text("How was the week?"),
        assigned_by: Some(text("coach-1")),
        assigned_at: Some(time(1_767_000_000)),
        window: Some(json(r#"{"enabled":true,"startDay":"friday"}"#)),
        recurring: true,
        total_weeks: 52,
    }
    .into()
}

fn samples() -> Vec<Event> {
    let assignment = Uuid::from_u128(7);
    let week_move = |week, from, to| WeekMove { week, from, to };
    vec![
        Event::DocumentImported(document()),
        Event::DocumentChanged(changed_document()),
        Event::DocumentRemoved { collection: Collection::Users, id: text("user-1") },
        created(),
        Event::ResponseSubmitted {
            assignment,
            run: 1,
            week: 3,
            response: text("response-1"),
            submitted_at: time(1_767_700_000),
            score: Some(87),
            answers: Personal::new(json(r#"[{"answer":"yes","questionId":"q1"}]"#)),
            legacy_due: time(1_768_000_000),
        },
        Event::ResponseLinked {
            response: text("response-1"),
            run: 1,
            week: 3,
            named: text("base_week_3"),
            kind: LinkKind::Adopted,
            completed_at: Some(time(-1)),
            score: Some(Number::new(87.5)),
        },
        Event::AssignmentRescheduled { run: 1, week: 4, due: time(1_768_208_400) },
        Event::AssignmentMissed {
            run: 1,
            week: 4,
            reason: MissedReason::Traveling,
            comment: Some(personal("on the road")),
        },
        Event::ExtensionGranted { run: 1, week: 4, reason: personal("was ill") },
        Event::ReopenRequested { run: 1, week: 4, reason: personal("forgot") },
        Event::AssignmentReopened { run: 2, week: 300 },
        Event::SeriesPaused {
            run: 1,
            pause_weeks: 2,
            until: time(1_769_000_000),
            moved: vec![week_move(5, Some(time(1)), Some(time(2))), week_move(6, None, None)],
        },
        Event::SeriesResumed {
            run: 1,
            restored: vec![WeekDue { week: 5, due: Some(time(1)) }, WeekDue { week: 6, due: None }],
        },
        Event::SeriesExtended { run: 1, total_weeks: 60 },
        Event::SeriesWithdrawn { run: 1, keep_answered: true, reason: personal("moved away") },
        Event::AssignmentWithdrawn { run: 1, week: 9, reason: personal("holiday") },
        Event::ResponseCleared {
            run: 1,
            week: 3,
            response: text("response-1"),
            reason: personal("wrong form"),
        },
        Event::FeedbackGiven {
            response: text("response-1"),
            coach: text("coach-1"),
            text: personal("well done"),
        },
        Event::ImportCompleted {
            digest: text("00ff"),
            legacy_timezone: text("Europe/London"),
            collections: vec![ExportedCollection {
                collection: Collection::Clients,
                documents: 26,
                header: json(r#"{"exportedAt":"x"}"#),
            }],
            summary: Some(json("{}")),
        },
        Event::BatchPlanned {
            digest: text("00ff"),
            kind: text("precreate"),
            rules: text("due=monday"),
            base: 1_000_000,
            log_digest: text("11"),
            responses_digest: text("22"),
            responses: 36,
        },
        Event::BatchApplied {
            digest: text("00ff"),
            series: 28,
            created: 691,
            linked: 2,
            adopted: 0,
            skipped: 70_000,
        },
        Event::ValidationRecorded {
            digest: text("00ff"),
            at: 5_000_000_000,
            checks: vec![CheckOutcome {
                name: text("weeks-complete"),
                green: false,
                detail: text("1 of 28"),
            }],
        },
        Event::ParityRecorded {
            at: 9,
            classes: vec![(text("generated-week"), 12), (text("due"), 0)],
            unexplained: 1,
        },
        Event::ViewSwitched {
            view: View::Precreated,
            audience: Audience::Clients(vec![text("client-1"), text("client-2")]),
            reason: text("pilot"),
            forced: true,
        },
        Event::ViewSwitched {
            view: View::Legacy,
            audience: Audience::Everyone,
            reason: text("back"),
            forced: false,
        },
        Event::ViewSwitched {
            view: View::Precreated,
            audience: Audience::Percent(25),
            reason: text("a quarter"),
            forced: false,
        },
        Event::BackupTaken { name: text("before-switch"), at: 12 },
        Event::StageRecorded { stage: text("pilot"), note: text("two clients") },
        Event::LegacyRetired { reason: text("done") },
        Event::ClientErased {
            client: text("client-1"),
            ids: vec![text("client-1"), text("uid-1")],
            reason: text("asked to be"),
        },
        Event::ResponsesAttested {
            digest: text("00ff"),
            responses: 35,
            responses_digest: text("33"),
        },
        // What is absent, in the shapes that have something to be absent.
        Event::AssignmentMissed { run: 1, week: 1, reason: MissedReason::Other, comment: None },
        Event::FeedbackGiven {
            response: text("response-1"),
            coach: text("coach-1"),
            text: Personal::erased(),
        },
        // Events that came after the golden commit was kept.
        Event::StatusAssigned { run: 1, week: 4, status: AssignedStatus::Missed },
        Event::NoteWritten { run: 1, week: 4, note: personal("call on Monday") },
        Event::ResponsePlaced(Placement {
            correction: Uuid::from_u128(0x1123_4567_89ab_5def_8123_4567_89ab_cdef),
            response: text("response-1"),
            assignment,
            run: 1,
            week: 5,
            left: vec![WeekOfRun { run: 1, week: 3 }, WeekOfRun { run: 1, week: 4 }],
            completed_at: Some(time(1_767_700_000)),
            score: Some(Number::new(72.5)),
            legacy_due: time(1_770_022_800),
            terms: Some(terms()),
            reason: personal("answered the wrong week"),
        }),
        Event::ResponsePlaced(Placement {
            correction: Uuid::from_u128(8),
            response: text("response-2"),
            assignment,
            run: 1,
            week: 6,
            left: Vec::new(),
            completed_at: None,
            score: None,
            legacy_due: time(1_770_022_800),
            terms: None,
            reason: Personal::erased(),
        }),
        Event::CorrectionUndone {
            correction: Uuid::from_u128(8),
            reason: personal("it was right before"),
        },
        Event::DocumentAdopted { assignment, run: 1, week: 3, document: text("doc-3") },
        Event::DuplicateWithdrawn {
            run: 1,
            week: 3,
            assignment: text("doc-3"),
            reason: personal("sent twice"),
        },
        Event::DuplicateCleared {
            run: 1,
            week: 3,
            assignment: text("doc-3"),
            response: text("response-1"),
            reason: personal("answered twice"),
        },
        Event::WeeksChanged { digest: text("00ff"), series: 28, changed: 691, skipped: 70_000 },
        Event::WindowChanged { run: 1, week: 3, window: Some(json(r#"{"enabled":true}"#)) },
        Event::WindowChanged { run: 1, week: 3, window: None },
        Event::FindingsAccepted(Acceptance {
            check: text("weeks-complete"),
            findings: vec![finding("0123456789abcdef"), finding("fedcba9876543210")],
            reason: text("the old application shows none either"),
        }),
        Event::AcceptanceWithdrawn {
            findings: vec![text("0123456789abcdef")],
            reason: text("it was corrected"),
        },
        Event::QualifiedValidationRecorded(QualifiedValidation {
            digest: text("00ff"),
            at: 5_000_000_000,
            checks: vec![CheckOutcome {
                name: text("weeks-complete"),
                green: true,
                detail: text("28 weeks, with 1 accepted"),
            }],
            accepted: vec![AcceptedFindings {
                check: text("weeks-complete"),
                findings: vec![finding("fedcba9876543210")],
                reason: text("the old application shows none either"),
                by: text("admin:robin"),
                at: 812,
            }],
        }),
    ]
}

/// The number of samples when the golden commit was created. New events do not change it.
const SAMPLES_OF_THE_COMMIT: usize = 33;

fn body(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_body(event, STREAM, None, &mut Scratch::default(), &mut bytes).unwrap();
    bytes
}

const STREAM: &str = "series/client-1/form-1";

/// A constant key and nonce, for reproducible bytes.
fn sealing() -> (SecretKey, NonceBytes) {
    (SecretKey::new([0x42; 32]), [0x24; 12])
}

fn sealed_body(event: &Event) -> Vec<u8> {
    let ((key, nonce), mut bytes) = (sealing(), Vec::new());
    write_body(event, STREAM, Some((&key, nonce)), &mut Scratch::default(), &mut bytes).unwrap();
    bytes
}

fn open_body(bytes: &[u8], opening: &Opening) -> Result<Event, DecodeError> {
    seal::read_body(bytes, STREAM, opening, &mut Scratch::default())
}

fn read_body(bytes: &[u8]) -> Event {
    open_body(bytes, &Opening::Nobody).unwrap()
}

/// A keyring without any key.
fn no_keys() -> Keyring {
    let sealing = Sealing {
        master_key: MasterKeySource::default(),
        unsealed: true,
        outdated: false,
        on_new_master_key: None,
    };
    Keyring::of_new_store(std::path::Path::new("nowhere"), Uuid::nil(), sealing)
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/v1")
        .join(name)
        .with_extension("bin")
}

/// The golden bytes with a name, after checking that they equal `today`.
fn check_golden(name: &str, today: &[u8]) -> Vec<u8> {
    let path = golden(name);
    let actual = path.with_extension("bin.actual");
    if !path.exists() && std::env::var_os("ROLLBOOK_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, today).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_default();
    if kept == today {
        let _none = fs::remove_file(&actual);
    } else {
        fs::write(&actual, today).unwrap();
        panic!(
            "version 1 of {name} is no longer what {} has; today's bytes are beside it",
            path.display()
        );
    }
    kept
}

#[test]
fn every_event_is_stored_as_it_ever_was() {
    let mut samples_of: BTreeMap<&str, u32> = VARIANTS.iter().map(|name| (*name, 0)).collect();
    for event in samples() {
        let name = variant(&event);
        let nth = samples_of.entry(name).and_modify(|count| *count += 1).or_default();
        let file = if *nth == 1 { name.to_owned() } else { format!("{name}-{nth}") };
        assert_eq!(read_body(&check_golden(&file, &body(&event))), event);
    }
    assert!(samples_of.values().all(|count| *count > 0), "a sample of every event: {samples_of:?}");
}

/// The samples with personal content, and the same without it.
fn personal_samples() -> Vec<(Event, Event)> {
    let gone = |event: &Event| {
        let mut form = event.to_form();
        match form.personal() {
            Some(personal) if matches!(personal, body::StoredPersonal::Clear(_)) => {
                *personal = body::StoredPersonal::Erased
            }
            _ => return None,
        }
        Some((event.clone(), Event::from_form(form).unwrap()))
    };
    samples().iter().filter_map(gone).collect()
}

#[test]
fn sealed_events_are_stored_as_they_ever_were() {
    let samples = personal_samples();
    assert_eq!(samples.len(), 15);
    for (event, gone) in samples {
        let name = format!("sealed-{}", variant(&event));
        let bytes = check_golden(&name, &sealed_body(&event));
        assert_eq!(open_body(&bytes, &Opening::Key(Arc::new(sealing().0))).unwrap(), event);
        assert_eq!(
            open_body(&bytes, &Opening::Erased).unwrap(),
            Event::Erased(Box::new(gone.clone()))
        );
        assert_eq!(open_body(&bytes, &Opening::Unopened).unwrap(), gone);
        let refused = open_body(&bytes, &Opening::NoKey).unwrap_err();
        assert!(matches!(refused, DecodeError::NoKey { .. }), "{refused:?}");
    }
}

#[test]
fn a_sealed_event_does_not_hold_its_content() {
    for (event, _) in personal_samples() {
        let clear = body(&event);
        let mut form = event.to_form();
        let Some(body::StoredPersonal::Clear(text)) = form.personal() else { panic!("{event:?}") };
        let holds =
            |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds(&clear) && !holds(&sealed_body(&event)), "{event:?}");
    }
}

#[test]
fn any_changed_bit_of_a_sealed_event_is_refused_and_so_are_another_stream_and_another_key() {
    let event = Event::ReopenRequested { run: 1, week: 4, reason: personal("forgot") };
    let (whole, key) = (sealed_body(&event), Opening::Key(Arc::new(sealing().0)));
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            assert!(open_body(&bytes, &key).is_err(), "bit {bit} of byte {at}");
        }
    }
    for length in 0..whole.len() {
        assert!(open_body(&whole[..length], &key).is_err(), "cut at {length}");
    }
    let elsewhere =
        seal::read_body(&whole, "series/client-2/form-1", &key, &mut Scratch::default())
            .unwrap_err();
    assert!(matches!(elsewhere, DecodeError::DoesNotOpen), "{elsewhere:?}");
    let other = open_body(&whole, &Opening::Key(Arc::new(SecretKey::new([0x43; 32])))).unwrap_err();
    assert!(matches!(other, DecodeError::DoesNotOpen), "{other:?}");
}

proptest! {
    #[test]
    fn what_is_sealed_opens_as_it_was(text in ".{0,200}", key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), week in 1_u32..400) {
        let event = Event::AssignmentMissed { run: 1, week, reason: MissedReason::Other, comment: Some(personal(&text)) };
        let (key, mut bytes) = (SecretKey::new(key), Vec::new());
        write_body(&event, STREAM, Some((&key, nonce)), &mut Scratch::default(), &mut bytes).unwrap();
        prop_assert_eq!(open_body(&bytes, &Opening::Key(Arc::new(key))).unwrap(), event);
    }
}

#[test]
fn content_that_does_not_open_is_corruption_with_its_position() {
    let sealed =
        sealed_body(&Event::ReopenRequested { run: 1, week: 4, reason: personal("forgot") });
    let actor = Actor::System(text("test"));
    let parts = EnvelopeParts { recorded_at: time(0), actor: &actor, cause: "", key: None };
    let mut envelope = Envelope::new(&parts, 1, 2);
    let first = body(&created());
    envelope.push_stream(STREAM, 1);
    envelope.push_event(0, Uuid::nil(), time(0), &first);
    envelope.push_event(0, Uuid::from_u128(1), time(0), &sealed);
    let record = seal(70, &envelope, 0).unwrap();
    let corruption =
        check(70, &record).unwrap().events_after(&no_keys(), 0, &mut Vec::new()).unwrap_err();
    assert_eq!(corruption.position, 71);
    assert!(
        matches!(
            corruption.kind,
            CorruptionKind::Undecodable { source: DecodeError::NoKey { .. } }
        ),
        "{corruption:?}"
    );
}

/// A commit of the first samples, on two streams in turn.
fn whole_commit() -> (Position, Vec<u8>) {
    let (one, two) =
        (StreamId::series("client-1", "form-1").to_string(), StreamId::Control.to_string());
    let bodies: Vec<Vec<u8>> = samples().iter().take(SAMPLES_OF_THE_COMMIT).map(body).collect();
    let actor = Actor::Migration(text("00ff"));
    let parts = EnvelopeParts {
        recorded_at: time(1_767_225_600),
        actor: &actor,
        cause: "00ff",
        key: Some(("batch-00ff", [7; 32])),
    };
    let mut envelope = Envelope::new(&parts, 2, bodies.len());
    envelope.push_stream(&one, 11);
    envelope.push_stream(&two, 1);
    for (index, body) in (0..).zip(&bodies) {
        envelope.push_event(
            index % 2,
            Uuid::from_u128(u128::from(index)),
            time(i64::from(index)),
            body,
        );
    }
    (300, seal(300, &envelope, 0).unwrap())
}

#[test]
fn a_whole_commit_is_stored_as_it_ever_was() {
    let (first, record) = whole_commit();
    let kept = check_golden("commit", &record);
    let record = check(first, &kept).unwrap();
    let mut events = Vec::new();
    record.events_after(&no_keys(), 0, &mut events).unwrap();
    assert_eq!(
        events.iter().map(|event| event.event.clone()).collect::<Vec<_>>(),
        samples()[..SAMPLES_OF_THE_COMMIT]
    );
    let last = events.last().unwrap();
    assert_eq!((last.position, record.last()), (332, 332));
    assert_eq!(
        (events[0].version, events[1].version, events[2].version, events[29].version),
        (11, 1, 12, 15)
    );
    assert_eq!(
        (events[2].stream.clone(), events[3].stream.clone()),
        (StreamId::series("client-1", "form-1"), StreamId::Control)
    );
    assert_eq!(
        (events[3].id, events[3].occurred_at, events[3].recorded_at),
        (Uuid::from_u128(3), time(3), time(1_767_225_600))
    );
    assert_eq!(
        (&events[0].actor, events[0].cause.as_str()),
        (&Actor::Migration(text("00ff")), "00ff")
    );
    assert_eq!(record.envelope().unwrap().key(), Some(("batch-00ff", [7; 32])));
    let streams: Vec<_> = record
        .envelope()
        .unwrap()
        .streams()
        .map(|(name, first, last)| (name.to_owned(), first, last))
        .collect();
    assert_eq!(streams, [(text("series/client-1/form-1"), 11, 27), (text("control"), 1, 16)]);
}

#[test]
fn every_actor_comes_back() {
    for actor in [
        Actor::Client(text("a")),
        Actor::Coach(text("b")),
        Actor::Admin(text("c")),
        Actor::System(text("d")),
        Actor::Migration(text("e")),
    ] {
        let bytes = body(&created());
        let parts = EnvelopeParts { recorded_at: time(0), actor: &actor, cause: "", key: None };
        let mut envelope = Envelope::new(&parts, 1, 1);
        envelope.push_stream("control", 1);
        envelope.push_event(0, Uuid::nil(), time(0), &bytes);
        let record = seal(1, &envelope, 0).unwrap();
        let mut events = Vec::new();
        check(1, &record).unwrap().events_after(&no_keys(), 0, &mut events).unwrap();
        assert_eq!(events[0].actor, actor);
    }
}

#[test]
fn what_follows_a_value_is_refused() {
    let mut bytes = body(&created());
    bytes.push(0);
    let refused = binary::read::<body::Body<'_>>(&bytes).err().unwrap();
    assert!(matches!(refused, DecodeError::Trailing { bytes: 1 }), "{refused:?}");
}

/// A record of every sample event, and its bytes with a correct checksum after an edit.
fn record_of_samples() -> Vec<u8> {
    let bodies: Vec<Vec<u8>> = samples().iter().map(body).collect();
    let actor = Actor::Admin(text("a"));
    let key = Some(("key", [7; 32]));
    let parts = EnvelopeParts { recorded_at: time(0), actor: &actor, cause: "cause", key };
    let mut envelope = Envelope::new(&parts, 1, bodies.len());
    envelope.push_stream("control", 1);
    for bytes in &bodies {
        envelope.push_event(0, Uuid::nil(), time(0), bytes);
    }
    seal(1, &envelope, 0).unwrap()
}

/// Corrects length and checksum, as somebody does who changes a record on purpose.
fn corrected(mut record: Vec<u8>) -> Vec<u8> {
    let Some(payload_bytes) = record.len().checked_sub(HEADER_BYTES) else { return record };
    let payload_bytes = u32::try_from(payload_bytes).unwrap();
    record[9..13].copy_from_slice(&payload_bytes.to_le_bytes());
    let events = u32::from_le_bytes(record[5..9].try_into().unwrap());
    let crc = checksum(1, record[0], events, payload_bytes, &record[HEADER_BYTES..]);
    record[1..5].copy_from_slice(&crc.to_le_bytes());
    record
}

fn read_everything(bytes: &[u8]) {
    if let Ok(record) = check(1, bytes) {
        let mut events = Vec::new();
        let _ = record.events_after(&no_keys(), 0, &mut events);
        if let Ok(envelope) = record.envelope() {
            let _ = (envelope.streams().count(), envelope.ids().count(), envelope.recorded_at());
            let _ = envelope.leaves(1, CURRENT, |leaf| {
                let _ = leaf.event();
                Ok(())
            });
        }
        let _ = record.last();
    }
    if let Ok(leaf) = Leaf::read(bytes) {
        let _ = (leaf.event(), leaf.recorded_at());
    }
    let _ = binary::read::<body::Body<'_>>(bytes);
}

proptest! {
    #[test]
    fn changed_records_and_bodies_are_read_or_refused(
        which: prop::sample::Index,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 0..6),
    ) {
        let record = record_of_samples();
        for mut bytes in [record, body(which.get(&samples()))] {
            for (at, kind, byte) in &edits {
                if bytes.is_empty() {
                    break;
                }
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = *byte,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, *byte),
                    // A length of up to 2^64.
                    _ => drop(bytes.splice(at..=at, [253, *byte, 255, 255, 255, 255, 255, 255, *byte])),
                }
            }
            read_everything(&bytes);
            read_everything(&corrected(bytes));
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
        read_everything(&corrected(bytes));
    }
}
