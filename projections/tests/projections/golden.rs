//! The stored form of every projection's rows: keys and values as bytes, over one fixed history.
//!
//! A store keeps its rows when Rollbook is upgraded, unless the projection's version changes. So a
//! change of keys or values without a new version would let new code read old rows. This test
//! makes such a change fail: each version of each projection has a golden file, which is never
//! edited.

use std::fmt::Write as _;
use std::path::Path;

use rollbook_domain::event::{
    Audience, CheckOutcome, ExportedCollection, LinkKind, Origin, Terms, View,
};
use rollbook_domain::series::{assignment_id, response_id};
use rollbook_domain::{
    Actor, Collection, Document, Event, EventRecord, JsonText, Number, Personal, StreamId,
    Timestamp,
};
use rollbook_projections::rows::{MemoryRows, RowChanges, RowSource};
use rollbook_projections::tracker::Tracker;
use rollbook_projections::views::{LegacyView, PrecreatedView};
use rollbook_projections::{DynProjection, Projection as _, ProjectionName, all};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn imported(collection: Collection, id: &str, ordinal: u32, body: &str) -> Event {
    Event::DocumentImported(Document::new(
        collection,
        id.into(),
        ordinal,
        Personal::new(json(body)),
    ))
}

fn weekly() -> StreamId {
    StreamId::series("ada", "weekly")
}

/// What an import brings: clients, a coach, two weeks, two responses, feedback.
fn import() -> Vec<(StreamId, Event)> {
    let client = |id: &str| StreamId::Client(id.to_owned());
    let week = |document: &str, ordinal, week: u32, more: &str| {
        let body = format!(
            r#"{{"id":"legacy-{document}","clientId":"uid-ada","formId":"weekly","formTitle":"Weekly","isRecurring":true,"recurringWeek":{week},
            "totalWeeks":3,"dueDate":"2026-01-05T09:00:00Z","assignedAt":"2026-01-01T10:00:00Z","assignedBy":"robin","coachId":"robin",
            "checkInWindow":{{"days":2}}{more}}}"#
        );
        (weekly(), imported(Collection::CheckInAssignments, document, ordinal, &body))
    };
    let answered = r#","responseId":"answer-1","status":"completed","completedAt":"2026-01-06T08:00:00Z","score":71.5"#;
    let response = r#"{"clientId":"ada","formId":"weekly","assignmentId":"week-1","recurringWeek":1,"score":71.5,"submittedAt":"2026-01-06T08:00:00Z"}"#;
    let late = r#"{"clientId":"ada","formId":"weekly","recurringWeek":2,"score":40,"submittedAt":"2026-01-13T08:00:00Z"}"#;
    vec![
        (
            client("ada"),
            imported(
                Collection::Clients,
                "ada",
                0,
                r#"{"authUid":"uid-ada","onboardingStatus":"completed","assignedCoach":"robin"}"#,
            ),
        ),
        (
            client("brook"),
            imported(Collection::Clients, "brook", 1, r#"{"onboardingStatus":"new"}"#),
        ),
        (
            StreamId::Coach("robin".to_owned()),
            imported(
                Collection::Coaches,
                "robin",
                0,
                r#"{"profile":{"firstName":"Robin","lastName":"Roe"}}"#,
            ),
        ),
        week("week-1", 0, 1, answered),
        week("week-2", 1, 2, ""),
        (weekly(), imported(Collection::FormResponses, "answer-1", 0, response)),
        (weekly(), imported(Collection::FormResponses, "answer-2", 1, late)),
        (
            weekly(),
            imported(
                Collection::CoachFeedback,
                "feedback-1",
                0,
                r#"{"responseId":"answer-1","coachId":"robin"}"#,
            ),
        ),
        (
            StreamId::Control,
            Event::ImportCompleted {
                digest: "11".repeat(32),
                legacy_timezone: "Europe/London".into(),
                collections: vec![ExportedCollection {
                    collection: Collection::Clients,
                    documents: 2,
                    header: json(r#"{"exportedAt":"2026-01-11T00:52:51Z"}"#),
                }],
                summary: Some(json(r#"{"documents":8}"#)),
            },
        ),
    ]
}

/// A batch, its validation, a switch.
fn migration() -> Vec<(StreamId, Event)> {
    let control = |event| (StreamId::Control, event);
    vec![
        control(Event::BatchPlanned {
            digest: "22".repeat(32),
            kind: "precreate".into(),
            rules: "due=monday zone=Europe/London".into(),
            base: 9,
            log_digest: "33".repeat(32),
            responses_digest: "44".repeat(32),
            responses: 2,
        }),
        (
            weekly(),
            Event::AssignmentCreated {
                assignment: assignment_id("ada", "weekly", 1, 3),
                run: 1,
                week: 3,
                due: at("2026-01-19T09:00:00Z"),
                origin: Origin::Migration,
                terms: terms("uid-ada", 3).into(),
            },
        ),
        (
            weekly(),
            Event::ResponseLinked {
                response: "answer-2".into(),
                run: 1,
                week: 2,
                named: String::new(),
                kind: LinkKind::Adopted,
                completed_at: Some(at("2026-01-13T08:00:00Z")),
                score: Some(Number::from(40)),
            },
        ),
        control(Event::BatchApplied {
            digest: "22".repeat(32),
            series: 1,
            created: 1,
            linked: 0,
            adopted: 1,
            skipped: 0,
        }),
        control(Event::ValidationRecorded {
            digest: "22".repeat(32),
            at: 13,
            checks: vec![CheckOutcome {
                name: "response-count".into(),
                green: true,
                detail: "2 responses".into(),
            }],
        }),
        control(Event::ParityRecorded {
            at: 13,
            classes: vec![("week-id".into(), 1)],
            unexplained: 0,
        }),
        control(Event::ViewSwitched {
            view: View::Precreated,
            audience: Audience::Clients(vec!["ada".into()]),
            reason: "ready".into(),
            forced: false,
        }),
        control(Event::StageRecorded { stage: "observing".into(), note: "one week".into() }),
    ]
}

/// Use after the migration: an allocation, a response, a withdrawal, an erasure.
fn use_after() -> Vec<(StreamId, Event)> {
    let habits = StreamId::series("ada", "habits");
    let assignment = assignment_id("ada", "habits", 1, 1);
    let created = Event::AssignmentCreated {
        assignment,
        run: 1,
        week: 1,
        due: at("2026-02-02T09:00:00Z"),
        origin: Origin::Allocation,
        terms: terms("ada", 2).into(),
    };
    let submitted = Event::ResponseSubmitted {
        assignment,
        run: 1,
        week: 1,
        response: response_id(assignment, 1).to_string(),
        submitted_at: at("2026-02-03T07:00:00Z"),
        score: Some(60),
        answers: Personal::new(json("[]")),
        legacy_due: at("2026-02-02T09:00:00Z"),
    };
    let withdrawn = Event::SeriesWithdrawn {
        run: 1,
        keep_answered: true,
        reason: Personal::new("finished".into()),
    };
    let erased = Document::new(
        Collection::CheckInAssignments,
        "week-of-brook".into(),
        2,
        Personal::erased(),
    );
    vec![
        (habits.clone(), created),
        (habits.clone(), submitted),
        (habits, withdrawn),
        (
            StreamId::series("brook", "weekly"),
            Event::Erased(Box::new(Event::DocumentImported(erased))),
        ),
        (
            StreamId::Client("brook".to_owned()),
            Event::ClientErased {
                client: "brook".into(),
                ids: vec!["brook".into(), "uid-brook".into()],
                reason: "asked for it".into(),
            },
        ),
    ]
}

/// A later import whose document is adopted, and a duplicate that is withdrawn.
fn later_import() -> Vec<(StreamId, Event)> {
    let week = |id: &str, week: u32| {
        let body = format!(
            r#"{{"clientId":"uid-ada","formId":"weekly","isRecurring":true,"recurringWeek":{week},"totalWeeks":3,"dueDate":"2026-01-20T09:00:00Z"}}"#
        );
        (weekly(), imported(Collection::CheckInAssignments, id, 3, &body))
    };
    let reason = || Personal::new("sent twice".to_owned());
    let (run, assignment) = (1, "week-1-again".to_owned());
    vec![
        week("week-3", 3),
        week("week-1-again", 1),
        (
            weekly(),
            Event::DocumentAdopted {
                assignment: assignment_id("ada", "weekly", 1, 3),
                run,
                week: 3,
                document: "week-3".into(),
            },
        ),
        (
            weekly(),
            Event::DuplicateCleared {
                run,
                week: 1,
                assignment: assignment.clone(),
                response: String::new(),
                reason: reason(),
            },
        ),
        (weekly(), Event::DuplicateWithdrawn { run, week: 1, assignment, reason: reason() }),
    ]
}

/// A batch that changes weeks and adds none.
fn realignment() -> Vec<(StreamId, Event)> {
    let digest = "66".repeat(32);
    let planned = Event::BatchPlanned {
        digest: digest.clone(),
        kind: "realign".into(),
        rules: "weekday=monday at=2026-02-10T12:00:00.000Z zone=Europe/London".into(),
        base: 24,
        log_digest: "77".repeat(32),
        responses_digest: "44".repeat(32),
        responses: 3,
    };
    let changed = Event::WeeksChanged { digest, series: 2, changed: 3, skipped: 1 };
    [planned, changed].map(|event| (StreamId::Control, event)).into()
}

fn terms(client: &str, total_weeks: u32) -> Terms {
    Terms {
        stored_client: client.into(),
        coach: "robin".into(),
        title: "Weekly".into(),
        description: "How was your week?".into(),
        assigned_by: Some("robin".into()),
        assigned_at: Some(at("2026-01-01T10:00:00Z")),
        window: Some(json(r#"{"days":2}"#)),
        recurring: true,
        total_weeks,
    }
}

fn history(projection: &str) -> Vec<EventRecord> {
    let all = import().into_iter().chain(migration()).chain(use_after());
    // The golden rows of the other projections are older than these events.
    let is_view = [LegacyView::NAME, PrecreatedView::NAME].contains(&projection);
    let all = all.chain(if is_view { later_import() } else { Vec::new() });
    let all = all.chain(if projection == Tracker::NAME { realignment() } else { Vec::new() });
    all.zip(1..)
        .map(|((stream, event), position)| EventRecord {
            position,
            version: position,
            id: assignment_id("golden", &stream.to_string(), 1, u32::try_from(position).unwrap()),
            stream,
            occurred_at: at("2026-02-10T12:00:00Z"),
            recorded_at: at("2026-02-10T12:00:01.123456789Z"),
            actor: Actor::System("golden".into()),
            cause: "golden".into(),
            event,
        })
        .collect()
}

/// Every row as a line: the key as text, the key in hexadecimal, the value in hexadecimal.
fn rows_of(projection: &dyn DynProjection) -> String {
    let mut rows = MemoryRows::default();
    let mut changes = RowChanges::new(&rows);
    for commit in history(projection.name().as_str()).chunks(4) {
        projection.fold(&mut changes, commit).unwrap();
    }
    if projection.wants_leaves() {
        // 257 leaves: a full tile, the node above it, and the first leaf of the next tile.
        let leaves: Vec<[u8; 32]> = (0..257_u32).map(|leaf| [leaf.to_be_bytes()[3]; 32]).collect();
        projection.fold_leaves(&mut changes, 1, &leaves).unwrap();
    }
    let encoded = changes.finish().unwrap();
    rows.absorb(encoded);
    let mut text = String::new();
    rows.scan(b"", &mut |key, value| {
        let readable = String::from_utf8_lossy(key).escape_default().to_string();
        writeln!(text, "# {readable}").unwrap();
        writeln!(text, "{} {}", const_hex::encode(key), const_hex::encode(value)).unwrap();
        Ok(())
    })
    .unwrap();
    text
}

#[test]
fn rows_do_not_change_without_a_new_version() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut failures = String::new();
    for projection in all() {
        let (name, version) = (projection.name(), projection.version());
        let file = golden.join(format!("{name}.v{version}.rows"));
        let actual = rows_of(projection.as_ref());
        if std::fs::read_to_string(&file).is_ok_and(|expected| expected == actual) {
            continue;
        }
        let beside = file.with_extension("rows.actual");
        std::fs::write(&beside, actual).unwrap();
        let what = if file.exists() {
            format!(
                "the rows of {name} changed, so stores of version {version} would be misread: raise VERSION"
            )
        } else {
            format!("version {version} of {name} has no golden rows yet: check and rename the file")
        };
        writeln!(failures, "{what} ({})", beside.display()).unwrap();
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_history_gives_every_kind_of_row() {
    let kinds: &[(&str, &[&str])] = &[
        ("directory", &["c/", "e/", "i/", "k/", "u/", "z"]),
        ("legacy", &["s/series/ada/habits", "s/series/ada/weekly"]),
        ("precreated", &["s/series/ada/habits", "s/series/ada/weekly"]),
        ("documents", &["check_in_assignments", "clients", "coachFeedback", "formResponses"]),
        ("names", &["answer-1\\u{0}r", "legacy-week-1\\u{0}l", "week-1\\u{0}a", "week-of-brook"]),
        ("tracker", &["control", "counts"]),
        ("tree", &["t\\u{0}", "t\\u{1}"]),
    ];
    assert_eq!(kinds.len(), all().len());
    for (name, prefixes) in kinds {
        let name: ProjectionName = name.parse().unwrap();
        let projection = all().into_iter().find(|one| one.name() == name).unwrap();
        let rows = rows_of(projection.as_ref());
        for prefix in *prefixes {
            assert!(
                rows.contains(&format!("\n# {prefix}")) || rows.starts_with(&format!("# {prefix}")),
                "{name} lacks {prefix}:\n{rows}"
            );
        }
    }
}
