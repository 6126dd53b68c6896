//! The rules that a migration is planned with, as a choice, as values and as text.

use std::fmt;
use std::str::FromStr;

use rollbook_domain::calendar::Zone;
use serde::{Deserialize, Serialize};

/// When a created week is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DueRule {
    /// On Monday of its week at 09:00 local time, as clients saw it.
    #[default]
    Monday,
    /// On the weekday of the base at 09:00 local time.
    Weekday,
}

impl fmt::Display for DueRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Monday => "monday",
            Self::Weekday => "weekday",
        })
    }
}

/// A text that does not name a due rule.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a due rule; the rules are monday and weekday")]
pub struct DueRuleError {
    text: String,
}

impl FromStr for DueRule {
    type Err = DueRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "monday" => Ok(Self::Monday),
            "weekday" => Ok(Self::Weekday),
            _ => Err(DueRuleError { text: text.to_owned() }),
        }
    }
}

/// The rules of a plan. They are the same for every series.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The due rule of created weeks.
    pub due: DueRule,
    /// The old server's time zone.
    pub zone: Zone,
}

/// The rules that a batch was planned with. As text: `due=monday zone=Europe/London`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRules {
    /// The due rule of created weeks.
    pub due: DueRule,
    /// The IANA name of the old server's time zone.
    pub zone: String,
}

impl fmt::Display for BatchRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "due={} zone={}", self.due, self.zone)
    }
}

/// A text that is not the rules of a batch.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the rules of a batch; expected `due=<rule> zone=<name>`")]
pub struct BatchRulesError {
    text: String,
}

impl FromStr for BatchRules {
    type Err = BatchRulesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let (due, zone) = text.strip_prefix("due=")?.split_once(" zone=")?;
            let is_name = !zone.is_empty() && !zone.contains(char::is_whitespace);
            is_name.then_some(Self { due: due.parse().ok()?, zone: zone.to_owned() })
        };
        parsed().ok_or_else(|| BatchRulesError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_the_text_that_they_are_written_as() {
        for text in ["due=monday zone=UTC", "due=weekday zone=Europe/London"] {
            let rules: BatchRules = text.parse().unwrap();
            assert_eq!(rules.to_string(), text);
        }
    }

    #[test]
    fn any_other_text_is_rejected() {
        for text in
            ["", "due=weekday", "zone=UTC due=monday", "due=friday zone=UTC", "due=monday zone="]
        {
            assert!(text.parse::<BatchRules>().is_err(), "{text}");
        }
    }
}
