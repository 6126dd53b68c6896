//! `rollbook history --seen`: the list that a client got at an instant.

use rollbook_application::reports::switch::SwitchStatus;
use rollbook_application::store::PastView;
use rollbook_domain::Timestamp;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_projections::entry::ListParameters;
use serde_json::Value;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::format::{Format, md_head, md_row};
use crate::cli::output::{BOLD, styled};
use crate::cli::text::Text;

pub(super) fn run(
    context: &Context,
    client: &str,
    at: Timestamp,
    overdue_after: Option<i64>,
    format: Format,
) -> Result<(), CliError> {
    let seen = match &context.remote {
        Some(remote) => remote.seen(client, at, overdue_after)?,
        None => {
            let store = context.open()?;
            context.fold(&store)?;
            store.seen(
                client,
                ListParameters {
                    now: at,
                    overdue_after_milliseconds: overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS),
                },
            )?
        }
    };
    match format {
        Format::Json => context.output.json(&seen),
        Format::Md => context.output.text(&markdown(&seen)?),
        Format::Table => context.output.text(&text(&seen)?),
    }
}

/// Week, due date, status, title, form and id of each check-in.
fn rows(seen: &PastView) -> Result<Vec<[String; 6]>, CliError> {
    let body: Value =
        serde_json::from_str(seen.body.get()).map_err(|error| CliError::Output(error.into()))?;
    let entries =
        body.pointer("/data/checkins").and_then(Value::as_array).cloned().unwrap_or_default();
    let cell = |entry: &Value, name: &str| match entry.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    Ok(entries
        .iter()
        .map(|entry| {
            ["recurringWeek", "dueDate", "status", "title", "formId", "id"]
                .map(|name| cell(entry, name))
        })
        .collect())
}

fn position(seen: &PastView) -> String {
    match seen.recorded_at {
        Some(at) => format!("{} (recorded {at})", seen.position),
        None => "0 (nothing was recorded yet)".to_owned(),
    }
}

fn text(seen: &PastView) -> Result<String, CliError> {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("{} {value}\n", styled(BOLD, format!("{name:<9}"))))
    };
    line("client", &seen.client);
    line("at", &seen.at.to_string());
    line("position", &position(seen));
    line("view", seen.view.name());
    line("switch", &SwitchStatus::of(&seen.switch, None).text());
    let rows = rows(seen)?;
    if rows.is_empty() {
        text.push_str("the list was empty\n");
    }
    for [week, due, status, title, _, id] in rows {
        text.push_str(&format!("week {week:>3}  {due}  {status:9}  {title}  {id}\n"));
    }
    Ok(text)
}

fn markdown(seen: &PastView) -> Result<String, CliError> {
    let mut text = format!(
        "# What `{}` saw at {}\n\n- position {}\n- view {}\n- switch: {}\n\n",
        seen.client,
        seen.at,
        position(seen),
        seen.view.name(),
        SwitchStatus::of(&seen.switch, None).text()
    );
    let rows = rows(seen)?;
    if rows.is_empty() {
        text.push_str("The list was empty.\n");
        return Ok(text);
    }
    text.push_str(&md_head(&["week", "due", "status", "title", "form", "id"]));
    rows.iter().for_each(|row| text.push_str(&md_row(row.iter().map(String::as_str))));
    Ok(text)
}
