//! Random commands on a series: imports, actions of coaches and clients, and a migration.
//!
//! Each command maps to events, given the state of the series. A rejected command maps to none.

#![allow(dead_code)]

use proptest::prelude::*;
use rollbook_domain::event::{AssignedStatus, LinkKind, MissedReason, Origin, Terms};
use rollbook_domain::series::decide::{Allocation, Decider, Decision};
use rollbook_domain::series::items::{replaces, terms_of};
use rollbook_domain::series::{Item, assignment_id};
use rollbook_domain::{Collection, Document, Event, JsonText, Number, Personal, Timestamp};

/// The number of weeks of the imported series.
const WEEKS: u32 = 5;

/// A command. It may name weeks and runs that do not exist.
#[derive(Clone, Debug)]
pub enum Command {
    Import { document: u8, week: u32, form: u8 },
    Remove { document: u8 },
    ImportResponse { response: u8, week: u32 },
    Migrate,
    Link { response: u8, week: u32, adopted: bool },
    Allocate { weeks: u32, extend: bool },
    Respond { run: u32, week: u32 },
    Miss { run: u32, week: u32 },
    Grant { run: u32, week: u32 },
    AskToReopen { run: u32, week: u32 },
    Reopen { run: u32, week: u32 },
    AssignStatus { run: u32, week: u32, done: bool },
    Reschedule { run: u32, week: u32, days: i64 },
    Pause { weeks: u32 },
    Resume,
    Withdraw { keep_answered: bool },
    WithdrawWeek { run: u32, week: u32 },
    WithdrawOne { run: u32, week: u32, which: u8 },
    Adopt { which: u8 },
    Feedback { run: u32, week: u32 },
}

pub fn any_command() -> impl Strategy<Value = Command> {
    let run = || prop_oneof![4 => Just(1_u32), 1 => Just(2_u32)];
    let week = || 1_u32..=WEEKS + 1;
    prop_oneof![
        6 => (0_u8..5, 1_u32..=3, 0_u8..12).prop_map(|(document, week, form)| Command::Import { document, week, form }),
        2 => (0_u8..5).prop_map(|document| Command::Remove { document }),
        1 => (0_u8..3, week()).prop_map(|(response, week)| Command::ImportResponse { response, week }),
        3 => Just(Command::Migrate),
        1 => (0_u8..3, week(), any::<bool>()).prop_map(|(response, week, adopted)| Command::Link { response, week, adopted }),
        2 => (1_u32..4, any::<bool>()).prop_map(|(weeks, extend)| Command::Allocate { weeks, extend }),
        8 => (run(), week()).prop_map(|(run, week)| Command::Respond { run, week }),
        1 => (run(), week()).prop_map(|(run, week)| Command::Miss { run, week }),
        1 => (run(), week()).prop_map(|(run, week)| Command::Grant { run, week }),
        1 => (run(), week()).prop_map(|(run, week)| Command::AskToReopen { run, week }),
        1 => (run(), week()).prop_map(|(run, week)| Command::Reopen { run, week }),
        1 => (run(), week(), any::<bool>()).prop_map(|(run, week, done)| Command::AssignStatus { run, week, done }),
        1 => (run(), week(), -20_i64..40).prop_map(|(run, week, days)| Command::Reschedule { run, week, days }),
        2 => (1_u32..4).prop_map(|weeks| Command::Pause { weeks }),
        2 => Just(Command::Resume),
        1 => any::<bool>().prop_map(|keep_answered| Command::Withdraw { keep_answered }),
        2 => (run(), week()).prop_map(|(run, week)| Command::WithdrawWeek { run, week }),
        3 => (run(), week(), 0_u8..3).prop_map(|(run, week, which)| Command::WithdrawOne { run, week, which }),
        3 => (0_u8..3).prop_map(|which| Command::Adopt { which }),
        1 => (run(), week()).prop_map(|(run, week)| Command::Feedback { run, week }),
    ]
}

/// Instants around the weeks of the commands.
pub fn any_now() -> impl Strategy<Value = Timestamp> {
    (0_i64..80 * 24).prop_map(|hours| first_due().plus_milliseconds((hours - 10 * 24) * 3_600_000))
}

fn first_due() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

fn json(value: &serde_json::Value) -> Personal<JsonText> {
    Personal::new(JsonText::from_value(value))
}

/// One version of a stored week: each number has another due date, status and response.
fn assignment(client: &str, form_id: &str, week: u32, form: u8) -> Personal<JsonText> {
    let days = i64::from(form) + 7 * (i64::from(week) - 1);
    let mut body = serde_json::json!({
        "clientId": client, "formId": form_id, "formTitle": format!("Form {}", form / 4), "isRecurring": true, "recurringWeek": week,
        "totalWeeks": WEEKS, "assignedAt": "2026-01-01T10:00:00Z", "dueDate": first_due().plus_milliseconds(days * 86_400_000).to_string(),
    });
    match form % 4 {
        1 => body["status"] = "missed".into(),
        2 => body["responseId"] = format!("imported-{week}-{form}").into(),
        3 => body["dueDate"] = serde_json::Value::Null,
        _ => {}
    }
    json(&body)
}

/// Makes a document the week that was made beside it, as an import does: the one that represents
/// the week among its documents.
fn adopt(decider: &Decider<'_>, which: u8) -> Vec<Event> {
    let items = &decider.series.items;
    let beside = |shown: &Item| {
        let (run, week) = (shown.run, shown.week());
        let made = items.of_week(run, week).find(|item| !item.imported)?;
        let documents =
            items.of_week(run, week).filter(|item| item.imported && item.alias.is_none());
        let document =
            documents.reduce(|held, item| if replaces(item, held) { item } else { held })?;
        let assignment = made.stored.document.parse().ok()?;
        let document = document.stored.document.clone();
        Some(Event::DocumentAdopted { assignment, run, week, document })
    };
    items.shown().filter_map(beside).nth(which.into()).into_iter().collect()
}

/// Returns the events of a command.
pub fn events(command: &Command, decider: &Decider<'_>) -> Vec<Event> {
    decided(command, decider).unwrap_or_default()
}

fn decided(
    command: &Command,
    decider: &Decider<'_>,
) -> Result<Vec<Event>, rollbook_domain::series::decide::Rejection> {
    let text = |text: &str| text.to_owned();
    match *command {
        Command::Import { document, week, form } => Ok(import(decider, document, week, form)),
        Command::Remove { document } => Ok(remove(decider, document)),
        Command::ImportResponse { response, week } => Ok(import_response(decider, response, week)),
        Command::Migrate => Ok(migrate(decider)),
        Command::Link { response, week, adopted } => Ok(link(decider, response, week, adopted)),
        Command::Allocate { weeks, extend } => decider.allocate(&Allocation {
            terms: terms(decider, weeks),
            first_due: first_due(),
            status: None,
            extend,
        }),
        Command::Respond { run, week } => decider
            .respond(run, week, JsonText::from_value(&serde_json::json!([])), Some(60))
            .map(|answered| match answered {
                Decision::Append(events) => events,
                Decision::AlreadyAnswered { .. } => Vec::new(),
            }),
        Command::Miss { run, week } => decider.miss(run, week, MissedReason::Sick, None),
        Command::Grant { run, week } => decider.extend(run, week, text("a good enough reason")),
        Command::AskToReopen { run, week } => decider.request_reopen(run, week, text("please")),
        Command::Reopen { run, week } => decider.reopen(run, week),
        Command::AssignStatus { run, week, done } => decider.assign_status(
            run,
            week,
            if done { AssignedStatus::Completed } else { AssignedStatus::Pending },
        ),
        Command::Reschedule { run, week, days } => {
            decider.reschedule(run, week, first_due().plus_milliseconds(days * 86_400_000))
        }
        Command::Pause { weeks } => decider.pause(weeks),
        Command::Resume => decider.resume(),
        Command::Withdraw { keep_answered } => decider.withdraw(keep_answered, text("left")),
        Command::WithdrawWeek { run, week } => decider.withdraw_week(run, week, text("by mistake")),
        Command::WithdrawOne { run, week, which } => {
            let item = decider.series.items.of_week(run, week).nth(which.into());
            let document = item.map(|item| item.stored.document.clone()).unwrap_or_default();
            decider.withdraw_assignment(run, week, &document, text("sent twice"))
        }
        Command::Adopt { which } => Ok(adopt(decider, which)),
        Command::Feedback { run, week } => {
            let response = decider
                .series
                .items
                .week(run, week)
                .and_then(|item| item.stored.response_id())
                .unwrap_or("nothing");
            decider.give_feedback(response, "coach-1", text("Well done"))
        }
    }
}

fn import(decider: &Decider<'_>, document: u8, week: u32, form: u8) -> Vec<Event> {
    // Document ids are unique in an export, so each one belongs to one series.
    let id = format!("{}-{}-{document}", decider.client, decider.form);
    let body = assignment(decider.client, decider.form, week, form);
    let is_new = decider.series.items.document(&id).is_none_or(|item| !item.imported);
    let document = Document::new(Collection::CheckInAssignments, id, u32::from(document), body);
    vec![if is_new { Event::DocumentImported(document) } else { Event::DocumentChanged(document) }]
}

fn remove(decider: &Decider<'_>, document: u8) -> Vec<Event> {
    let id = format!("{}-{}-{document}", decider.client, decider.form);
    let is_held = decider.series.items.document(&id).is_some_and(|item| item.imported);
    let removed = Event::DocumentRemoved { collection: Collection::CheckInAssignments, id };
    is_held.then_some(removed).into_iter().collect()
}

fn import_response(decider: &Decider<'_>, response: u8, week: u32) -> Vec<Event> {
    let body = json(
        &serde_json::json!({"clientId": decider.client, "formId": decider.form, "recurringWeek": week, "score": 40}),
    );
    let id = format!("{}-{}-r{response}", decider.client, decider.form);
    vec![Event::DocumentImported(Document::new(Collection::FormResponses, id, 0, body))]
}

fn terms(decider: &Decider<'_>, total_weeks: u32) -> Terms {
    Terms {
        stored_client: decider.client.into(),
        coach: "coach-1".into(),
        title: "Habits".into(),
        description: String::new(),
        assigned_by: Some("coach-1".into()),
        assigned_at: Some(decider.now),
        window: None,
        recurring: total_weeks > 1,
        total_weeks,
    }
}

/// Returns the events that create every missing week of an imported run, like the migration.
fn migrate(decider: &Decider<'_>) -> Vec<Event> {
    let Some(base) = decider.series.items.base(1).map(|base| &base.stored) else {
        return Vec::new();
    };
    let Some(due) = base.due.value().filter(|_| base.recurring) else { return Vec::new() };
    let missing = |week: &u32| {
        decider.series.items.week(1, *week).is_none() && !decider.series.is_withdrawn(1, *week)
    };
    let made = |week| Event::AssignmentCreated {
        assignment: assignment_id(decider.client, decider.form, 1, week),
        run: 1,
        week,
        due: decider.zone.monday_due(*due, week),
        origin: Origin::Migration,
        terms: terms_of(base).into(),
    };
    (2..=base.total_weeks).filter(missing).map(made).collect()
}

fn link(decider: &Decider<'_>, response: u8, week: u32, adopted: bool) -> Vec<Event> {
    let response = format!("{}-{}-r{response}", decider.client, decider.form);
    let is_open = decider.series.items.week(1, week).is_some_and(|item| !item.is_completed());
    if !is_open
        || !decider.series.responses.contains_key(&response)
        || decider.series.linked.contains_key(&response)
    {
        return Vec::new();
    }
    let kind = if adopted { LinkKind::Adopted } else { LinkKind::Linked };
    let (completed_at, score) = (Some(decider.now), Some(Number::from(40)));
    vec![Event::ResponseLinked {
        response,
        run: 1,
        week,
        named: String::new(),
        kind,
        completed_at,
        score,
    }]
}
