//! Sample requests of every kind, for the golden digests. Several texts need escaping in JSON, in
//! Rust's string literals, or in both.

use rollbook_domain::event::{AssignedStatus, Audience, MissedReason, Terms, View};
use rollbook_domain::series::decide::{Allocation, Correction, Repair};
use rollbook_domain::{JsonText, Timestamp};

use super::SeriesCommand;

/// Quotes, a backslash, line ends, other control characters, a combining accent (alone, and after
/// its letter), a zero-width joiner, a no-break space, a private-use and an unassigned character,
/// and characters beyond the basic plane.
pub(crate) const AWKWARD: &str = "\u{301}she said \"it's\" C:\\ \n\r\t\0\u{7}\u{7f} e\u{301} ü \u{200d}\u{a0}\u{e000}\u{378} 你 \u{1f600}\u{10ffff}";

fn at(seconds: i64, nanoseconds: u32) -> Timestamp {
    Timestamp::from_parts(seconds, nanoseconds).unwrap()
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn allocation() -> Allocation {
    Allocation {
        terms: Terms {
            stored_client: "ada".to_owned(),
            coach: "robin".to_owned(),
            title: AWKWARD.to_owned(),
            description: String::new(),
            assigned_by: Some("o'neil".to_owned()),
            assigned_at: Some(at(1_767_603_600, 0)),
            window: Some(json(r#"{"from": "Fri \"10\"", "to": [1, 2.5, null, true]}"#)),
            recurring: true,
            total_weeks: 12,
        },
        first_due: at(1_767_603_600, 120_000_000),
        status: Some(AssignedStatus::Active),
        extend: false,
    }
}

/// Every kind of command on a series, with the stream's name; some kinds several times.
pub(crate) fn commands() -> Vec<(&'static str, SeriesCommand)> {
    use SeriesCommand::{
        Allocate, AskToReopen, Correct, Extend, Feedback, Miss, Pause, Reopen, Respond, Resume,
        Withdraw, WithdrawWeek,
    };
    let plain = "series/ada/weekly";
    let bare = Allocation {
        terms: Terms { assigned_by: None, assigned_at: None, window: None, ..allocation().terms },
        first_due: at(-62_135_596_801, 999_999_999),
        status: None,
        extend: true,
    };
    let text = || AWKWARD.to_owned();
    vec![
        (plain, Allocate(allocation())),
        ("series/a\"d\\a/ü", Allocate(bare)),
        (
            plain,
            Respond {
                run: 1,
                week: 3,
                answers: json(r#"[{"answer": "a \"b\" \u0000 é"}]"#),
                score: Some(80),
            },
        ),
        (plain, Respond { run: 2, week: 520, answers: json("[]"), score: None }),
        (
            plain,
            Miss {
                run: 1,
                week: 2,
                reason: MissedReason::PersonalEmergency,
                comment: Some(text()),
            },
        ),
        (plain, Miss { run: 1, week: 2, reason: MissedReason::Sick, comment: None }),
        (plain, Miss { run: 1, week: 2, reason: MissedReason::Traveling, comment: None }),
        (plain, Miss { run: 1, week: 2, reason: MissedReason::Other, comment: None }),
        (plain, Extend { run: 1, week: 4, reason: text() }),
        (plain, AskToReopen { run: 1, week: 4, reason: "was away".to_owned() }),
        (
            plain,
            Correct {
                run: 1,
                week: 5,
                correction: Correction {
                    due: Some(at(1_767_603_600, 1_500)),
                    status: Some(AssignedStatus::Missed),
                    note: Some(text()),
                },
            },
        ),
        (plain, Correct { run: 1, week: 5, correction: Correction::default() }),
        (plain, Reopen { run: 1, week: 6 }),
        (plain, Pause { weeks: 2 }),
        (plain, Resume),
        (plain, Withdraw { keep_answered: true, reason: text() }),
        (plain, WithdrawWeek { run: 1, week: 7, assignment: None, reason: String::new() }),
        (plain, Feedback { response: "r1".to_owned(), coach: "robin".to_owned(), text: text() }),
    ]
}

/// Every kind of correction, with the stream's name. Release 0.1.0 had none.
pub(crate) fn repairs() -> Vec<(&'static str, SeriesCommand)> {
    vec![
        (
            "series/ada/weekly",
            SeriesCommand::Repair(Repair::MoveResponse {
                response: "r1".to_owned(),
                run: 1,
                week: 5,
                reason: AWKWARD.to_owned(),
            }),
        ),
        (
            "series/ada/weekly",
            SeriesCommand::Repair(Repair::AdoptResponse {
                response: "r1".to_owned(),
                run: 1,
                week: 5,
                reason: AWKWARD.to_owned(),
            }),
        ),
        (
            "series/ada/weekly",
            SeriesCommand::Repair(Repair::SetWeek {
                document: "d1".to_owned(),
                week: 5,
                reason: AWKWARD.to_owned(),
            }),
        ),
        (
            "series/ada/weekly",
            SeriesCommand::Repair(Repair::Undo {
                correction: uuid::Uuid::from_u128(7),
                reason: AWKWARD.to_owned(),
            }),
        ),
    ]
}

/// Every kind of switch: the view, the audience, the reason, and whether the guard is overridden.
pub(crate) fn switches() -> Vec<(View, Audience, &'static str, bool)> {
    vec![
        (View::Precreated, Audience::Everyone, AWKWARD, false),
        (View::Legacy, Audience::Everyone, "back", true),
        (View::Precreated, Audience::Percent(10), "first tenth", false),
        (
            View::Precreated,
            Audience::Clients(vec!["ada".to_owned(), AWKWARD.to_owned()]),
            "pilot",
            true,
        ),
        (View::Legacy, Audience::Clients(Vec::new()), "", false),
    ]
}
