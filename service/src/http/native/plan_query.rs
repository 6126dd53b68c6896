//! The query of a plan: a kind of migration and its options.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use rollbook_application::code::Code;
use rollbook_application::store::Store;
use rollbook_domain::{JsonText, Timestamp};
use rollbook_migrations::request::{PlanRequest, PlanRequestError};
use rollbook_migrations::rules::{DueRule, Options, TimeOfDay, Weekday};
use serde::Deserialize;
use utoipa::IntoParams;

use super::shapes::{DayOfWeek, Due, PlanKind};
use crate::http::error::ApiError;

/// The kind of a migration and its options.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(try_from = "Vec<(String, String)>")]
#[into_params(parameter_in = Query)]
pub struct PlanQuery {
    /// The kind of migration. The default is `precreate`, or `inverse` with `inverse_of`.
    #[param(value_type = Option<PlanKind>, inline)]
    kind: Option<String>,
    /// For `precreate`, the due rule of created weeks: the Monday of the week at 09:00, as clients
    /// saw it, or the weekday of the base. The default is `monday`.
    #[param(value_type = Option<Due>, inline)]
    due: Option<DueRule>,
    /// For `realign`, which needs it: the day of the week on which weeks are due.
    #[param(value_type = Option<DayOfWeek>, inline)]
    weekday: Option<Weekday>,
    /// For `realign`: the local time of day. Without it, each week keeps its own.
    #[param(value_type = Option<String>, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:00")]
    time: Option<TimeOfDay>,
    /// For `window`, which needs it: the new check-in window as JSON; `null` removes it.
    #[param(value_type = Option<String>, example = "{\"enabled\":true,\"startDay\":\"friday\"}")]
    window: Option<JsonText>,
    /// For `window`, which needs it: only weeks that are due from this instant on change, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// For `realign` and `window`: the document id of a client; may be repeated. Without it, all clients.
    #[param(value_type = Vec<String>, required = false)]
    client: BTreeSet<String>,
    /// For `inverse`, which needs it: the digest of the batch to undo, or its first digits.
    inverse_of: Option<String>,
    /// For every kind but `precreate`: the time of the change, RFC 3339; the default is now. Only the
    /// same time gives the same batch.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl TryFrom<Vec<(String, String)>> for PlanQuery {
    type Error = String;

    fn try_from(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let mut query = Self {
            kind: None,
            due: None,
            weekday: None,
            time: None,
            window: None,
            from: None,
            client: BTreeSet::new(),
            inverse_of: None,
            at: None,
        };
        for (name, text) in pairs {
            match name.as_str() {
                "kind" => once(&mut query.kind, &name, text)?,
                "due" => once(&mut query.due, &name, read(&text)?)?,
                "weekday" => once(&mut query.weekday, &name, read(&text)?)?,
                "time" => once(&mut query.time, &name, read(&text)?)?,
                "window" => once(&mut query.window, &name, json(&text)?)?,
                "from" => once(&mut query.from, &name, read(&text)?)?,
                "client" => {
                    query.client.insert(text);
                }
                "inverse_of" => once(&mut query.inverse_of, &name, text)?,
                "at" => once(&mut query.at, &name, read(&text)?)?,
                _ => return Err(format!("unknown field `{name}`")),
            }
        }
        Ok(query)
    }
}

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn json(text: &str) -> Result<JsonText, String> {
    JsonText::parse(text).map_err(|error| format!("window is not JSON: {error}"))
}

fn once<T>(field: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    field.replace(value).map_or(Ok(()), |_| Err(format!("duplicate field `{name}`")))
}

impl PlanQuery {
    /// The kind and its options.
    ///
    /// # Errors
    /// 400 `bad_query` if the kind is unknown, lacks an option, or does not take one.
    pub fn options(self) -> Result<Options, ApiError> {
        let Self { kind, due, weekday, time, window, from, client, inverse_of, at } = self;
        let clients = client;
        let request =
            PlanRequest { kind, due, weekday, time, window, from, clients, inverse_of, at };
        let refused = |error: PlanRequestError| {
            ApiError::bad_request(Code::BadQuery, format!("The query does not fit: {error}"))
        };
        request.options(Store::now()).map_err(refused)
    }
}
