//! The names of roles and scopes, and the grants that they give: in tokens, in documents, in the
//! file of API keys and on the command line.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::grant::Grant;

/// The grants of an operator. They never include the words of a client.
const OPERATOR: [Grant; 4] = [Grant::Metrics, Grant::Status, Grant::Switch, Grant::Migrations];

/// Returns the grants of a claim `role` or `roles` for a subject: a text, or a list of texts.
/// Unknown roles give no grant.
pub(super) fn grants_of_roles<'v>(
    roles: impl IntoIterator<Item = &'v Value>,
    subject: &str,
) -> Vec<Grant> {
    let mut grants = Vec::new();
    for value in roles {
        let names: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for name in names {
            match name {
                "client" => grants.push(Grant::Client(subject.to_owned())),
                "coach" => grants.push(Grant::Coach(subject.to_owned())),
                "admin" => grants.push(Grant::Admin),
                "operator" => grants.extend(OPERATOR),
                _ => {}
            }
        }
    }
    grants
}

/// A scope of an API key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything.
    Admin,
    /// Migrations, switch, status and metrics; never the words of a client.
    Operator,
    /// Planning, applying and validating migrations, their history, parity, status.
    Migrations,
    /// Reading and changing the switch.
    Switch,
    /// Reading the status and the switch.
    Status,
    /// The metrics.
    Metrics,
    /// The permissions of this coach.
    Coach(String),
    /// The permissions of this client.
    Client(String),
}

impl Scope {
    /// Returns the grants of the scope.
    pub(super) fn grants(&self) -> Vec<Grant> {
        match self {
            Self::Admin => vec![Grant::Admin],
            Self::Operator => OPERATOR.to_vec(),
            Self::Migrations => vec![Grant::Migrations],
            Self::Switch => vec![Grant::Switch],
            Self::Status => vec![Grant::Status],
            Self::Metrics => vec![Grant::Metrics],
            Self::Coach(id) => vec![Grant::Coach(id.clone())],
            Self::Client(id) => vec![Grant::Client(id.clone())],
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::Operator => f.write_str("operator"),
            Self::Migrations => f.write_str("migrations"),
            Self::Switch => f.write_str("switch"),
            Self::Status => f.write_str("status"),
            Self::Metrics => f.write_str("metrics"),
            Self::Coach(id) => write!(f, "coach:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
        }
    }
}

/// The text is not the name of a scope.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a scope; write admin, operator, migrations, switch, status, metrics, coach:ID or client:ID"
)]
pub struct NoScope(String);

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "admin" => Self::Admin,
            "operator" => Self::Operator,
            "migrations" => Self::Migrations,
            "switch" => Self::Switch,
            "status" => Self::Status,
            "metrics" => Self::Metrics,
            _ => match text.split_once(':') {
                Some(("coach", id)) if !id.is_empty() => Self::Coach(id.to_owned()),
                Some(("client", id)) if !id.is_empty() => Self::Client(id.to_owned()),
                _ => return Err(NoScope(text.to_owned())),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scope_reads_back_as_itself_and_other_text_is_none() {
        for text in [
            "admin",
            "operator",
            "migrations",
            "switch",
            "status",
            "metrics",
            "coach:c:1",
            "client:a",
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "Admin", "coach", "coach:", "client:", "root", "admin "] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }

    #[test]
    fn roles_are_text_or_a_list_and_anything_else_is_nothing() {
        let of = |value: Value| grants_of_roles([&value], "s");
        assert_eq!(of(json!("client")), [Grant::Client("s".to_owned())]);
        assert_eq!(of(json!(["coach", "admin", 7])), [Grant::Coach("s".to_owned()), Grant::Admin]);
        assert_eq!(of(json!("operator")), OPERATOR);
        for nothing in [
            json!(null),
            json!(true),
            json!({"admin": true}),
            json!("Admin"),
            json!("admin,client"),
            json!([["admin"]]),
        ] {
            assert_eq!(of(nothing.clone()), [], "{nothing}");
        }
    }
}
