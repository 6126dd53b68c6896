//! The parts of views and histories that the demo prints: the weeks of a client in both views, one
//! entry, and the events of one assignment.

use rollbook_application::store::{Store, ViewChoice};
use rollbook_domain::event::View;
use rollbook_migrations::batch::short;
use rollbook_projections::entry::ListParameters;
use serde_json::Value;

use crate::cli::error::CliError;

fn checkins(body: &str) -> Result<Vec<Value>, CliError> {
    let body: Value = serde_json::from_str(body).map_err(|error| CliError::Output(error.into()))?;
    Ok(body.pointer("/data/checkins").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn week(entry: &Value) -> u64 {
    entry.get("recurringWeek").and_then(Value::as_u64).unwrap_or_default()
}

/// The weeks of one form of a client, in both views side by side.
pub(super) fn both(
    store: &Store,
    client: &str,
    form: &str,
    query: ListParameters,
) -> Result<Vec<String>, CliError> {
    let of = |view| -> Result<Vec<Value>, CliError> {
        let all = checkins(&store.check_ins(ViewChoice::View(view), client, query, None)?.body)?;
        Ok(all.into_iter().filter(|entry| text(entry, "formId") == form).collect())
    };
    let (legacy, precreated) = (of(View::Legacy)?, of(View::Precreated)?);
    let mut lines = vec![format!("{:<6}{:<14}{:<14}{:<14}", "week", "due", "legacy", "precreated")];
    let last = legacy.iter().chain(&precreated).map(week).max().unwrap_or_default();
    for number in 1..=last {
        let find = |entries: &[Value]| entries.iter().find(|entry| week(entry) == number).cloned();
        let (left, right) = (find(&legacy), find(&precreated));
        let Some(due) = right
            .as_ref()
            .or(left.as_ref())
            .map(|entry| text(entry, "dueDate").get(..10).unwrap_or_default().to_owned())
        else {
            continue;
        };
        let status = |entry: Option<&Value>| {
            entry.map_or("—".to_owned(), |entry| text(entry, "status").to_owned())
        };
        lines.push(format!(
            "{number:<6}{due:<14}{:<14}{:<14}",
            status(left.as_ref()),
            status(right.as_ref())
        ));
    }
    Ok(lines)
}

/// The entry of an assignment in a view's body.
pub(super) fn entry_of(body: &str, assignment: &str) -> Result<String, CliError> {
    let found = checkins(body)?.into_iter().find(|entry| text(entry, "documentId") == assignment);
    Ok(found.map_or_else(
        || "the response is missing".to_owned(),
        |entry| {
            let score = entry.get("score").map(ToString::to_string).unwrap_or_default();
            format!(
                "week {} is {}, score {score}, response {}",
                week(&entry),
                text(&entry, "status"),
                text(&entry, "responseId")
            )
        },
    ))
}

/// The events of one assignment, one line each.
pub(super) fn history(store: &Store, assignment: &str) -> Result<Vec<String>, CliError> {
    let found = store.assignment(assignment)?;
    let about = |event: &rollbook_domain::Event| {
        use rollbook_domain::Event::{AssignmentCreated, ResponseSubmitted};
        matches!(event, AssignmentCreated { run, week, .. } | ResponseSubmitted { run, week, .. } if (*run, *week) == (found.run, found.week))
    };
    let events = store.log().stream(&found.stream, 0)?;
    let line = |recorded: &rollbook_domain::EventRecord| {
        let who = match &recorded.actor {
            rollbook_domain::Actor::Client(id) => format!("client {id}"),
            rollbook_domain::Actor::Migration(digest) => format!("migration {}…", short(digest)),
            rollbook_domain::Actor::Coach(id) => format!("coach {id}"),
            rollbook_domain::Actor::Admin(name) | rollbook_domain::Actor::System(name) => {
                name.clone()
            }
        };
        format!(
            "{:>5}  {}  {:<18}  {who}",
            recorded.position,
            recorded.recorded_at,
            recorded.event.name()
        )
    };
    Ok(events.iter().filter(|recorded| about(&recorded.event)).map(line).collect())
}
