//! What a migration is planned with: its kind and the options of the kind, as values and as text.
//!
//! The text is recorded in batch files and in the log, so every text form that a release wrote
//! stays readable.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rollbook_domain::{JsonText, Timestamp};
use serde::{Deserialize, Serialize};

pub use crate::weekday::{TimeOfDay, TimeOfDayError, Weekday, WeekdayError};

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

/// The options of the kind `realign`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realignment {
    /// The day of the week on which weeks are due from now on.
    pub weekday: Weekday,
    /// The local time of day; without it, each week keeps its own.
    pub time: Option<TimeOfDay>,
    /// The clients, by document id; all clients if empty.
    pub clients: BTreeSet<String>,
    /// The time of the change. Only weeks that are due after it move.
    pub at: Timestamp,
}

/// The options of the kind `window`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewindowing {
    /// The new check-in window; `None` removes it.
    pub window: Option<JsonText>,
    /// Only weeks that are due from this instant on change.
    pub from: Timestamp,
    /// The clients, by document id; all clients if empty.
    pub clients: BTreeSet<String>,
    /// The time of the change.
    pub at: Timestamp,
}

/// The options of the kind `inverse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inversion {
    /// The digest of the batch that is undone.
    pub of: String,
    /// The time of the change.
    pub at: Timestamp,
}

/// A kind of migration with its options. They are the same for every series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    /// Stores every week of a recurring series, due by this rule.
    Precreate(DueRule),
    /// Moves due dates to one day of the week.
    Realign(Realignment),
    /// Changes the check-in window of weeks from an instant on.
    Window(Rewindowing),
    /// Undoes a batch that changed weeks.
    Inverse(Inversion),
}

impl Options {
    /// The name of the only kind that adds weeks.
    pub const PRECREATE: &str = "precreate";
    /// The names of all kinds.
    pub const KINDS: [&str; 4] = [Self::PRECREATE, "realign", "window", "inverse"];

    /// The stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Precreate(_) => Self::PRECREATE,
            Self::Realign(_) => "realign",
            Self::Window(_) => "window",
            Self::Inverse(_) => "inverse",
        }
    }

    /// The due rule of created weeks, for a kind that creates weeks.
    pub fn due(&self) -> Option<DueRule> {
        match self {
            Self::Precreate(due) => Some(*due),
            Self::Realign(_) | Self::Window(_) | Self::Inverse(_) => None,
        }
    }

    /// The only clients that are concerned; `None` if all are.
    pub(crate) fn clients(&self) -> Option<&BTreeSet<String>> {
        let clients = match self {
            Self::Realign(options) => &options.clients,
            Self::Window(options) => &options.clients,
            Self::Precreate(_) | Self::Inverse(_) => return None,
        };
        (!clients.is_empty()).then_some(clients)
    }

    /// Reads the options from the words of their text.
    fn read(words: &[(&str, &str)]) -> Option<Self> {
        match words {
            [("due", due)] => Some(Self::Precreate(due.parse().ok()?)),
            [("of", of), ("at", at)] => {
                Some(Self::Inverse(Inversion { of: (*of).to_owned(), at: at.parse().ok()? }))
            }
            [("weekday", weekday), ("at", at), rest @ ..] => {
                let (time, clients) = match rest {
                    [("time", time), clients @ ..] => (Some(time.parse().ok()?), clients),
                    clients => (None, clients),
                };
                let (weekday, clients) = (weekday.parse().ok()?, read_clients(clients)?);
                Some(Self::Realign(Realignment { weekday, time, clients, at: at.parse().ok()? }))
            }
            [("window", window), ("from", from), ("at", at), clients @ ..] => {
                let window = JsonText::parse(&unescape(window)?).ok()?;
                Some(Self::Window(Rewindowing {
                    window: (window.as_str() != "null").then_some(window),
                    from: from.parse().ok()?,
                    clients: read_clients(clients)?,
                    at: at.parse().ok()?,
                }))
            }
            _ => None,
        }
    }
}

impl From<DueRule> for Options {
    fn from(due: DueRule) -> Self {
        Self::Precreate(due)
    }
}

/// The form in texts, such as `due=monday` or
/// `weekday=monday at=2026-01-15T09:30:00.000Z time=09:00 client=ada`.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Precreate(due) => write!(f, "due={due}"),
            Self::Inverse(Inversion { of, at }) => write!(f, "of={of} at={at}"),
            Self::Realign(Realignment { weekday, time, clients, at }) => {
                write!(f, "weekday={weekday} at={at}")?;
                if let Some(time) = time {
                    write!(f, " time={time}")?;
                }
                write_clients(f, clients)
            }
            Self::Window(Rewindowing { window, from, clients, at }) => {
                let window = window.as_ref().map_or("null", JsonText::as_str);
                write!(f, "window={} from={from} at={at}", escape(window))?;
                write_clients(f, clients)
            }
        }
    }
}

fn write_clients(f: &mut fmt::Formatter<'_>, clients: &BTreeSet<String>) -> fmt::Result {
    clients.iter().try_for_each(|client| write!(f, " client={}", escape(client)))
}

fn read_clients(words: &[(&str, &str)]) -> Option<BTreeSet<String>> {
    words.iter().map(|(key, id)| unescape(id).filter(|_| *key == "client")).collect()
}

/// A text as one word.
fn escape(id: &str) -> String {
    let mut word = String::with_capacity(id.len());
    for c in id.chars() {
        if c == '%' || c.is_whitespace() || c.is_control() {
            word.push_str(&format!("%{:X};", u32::from(c)));
        } else {
            word.push(c);
        }
    }
    word
}

fn unescape(word: &str) -> Option<String> {
    let mut parts = word.split('%');
    let mut id = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';')?;
        id.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        id.push_str(rest);
    }
    Some(id)
}

/// The rules that a batch was planned with. As text: `due=monday zone=Europe/London`, the options
/// followed by the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRules {
    /// The kind and its options.
    pub options: Options,
    /// The IANA name of the old server's time zone.
    pub zone: String,
}

impl fmt::Display for BatchRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} zone={}", self.options, self.zone)
    }
}

/// A text that is not the rules of a batch.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the rules of a batch; expected the options of a kind, then `zone=<name>`")]
pub struct BatchRulesError {
    text: String,
}

impl FromStr for BatchRules {
    type Err = BatchRulesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let words: Vec<(&str, &str)> =
                text.split(' ').map(|word| word.split_once('=')).collect::<Option<_>>()?;
            let (zone, options) = words.split_last()?;
            let (zone, options) = (zone.1.to_owned(), Options::read(options)?);
            let rules = Self { options, zone };
            // Also rejects another last key, an empty zone and every text that is not written so.
            (rules.to_string() == text && !rules.zone.is_empty()).then_some(rules)
        };
        parsed().ok_or_else(|| BatchRulesError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_the_text_that_they_are_written_as() {
        let of = "ab".repeat(32);
        for text in [
            "due=monday zone=UTC",
            "due=weekday zone=Europe/London",
            "weekday=monday at=2026-01-15T09:30:00.000Z zone=UTC",
            "window=null from=2026-02-01T00:00:00.000Z at=2026-01-15T09:30:00.000Z zone=UTC",
            "window={\"day\":\"the%20;fifth\"} from=2026-02-01T00:00:00.000Z at=2026-01-15T09:30:00.000Z client=a zone=UTC",
            "weekday=sunday at=2026-01-15T09:30:00.000Z time=07:05 client=a%20;b client=c%25; zone=UTC",
            &format!("of={of} at=2026-01-15T09:30:00.000Z zone=Europe/London"),
        ] {
            let rules: BatchRules = text.parse().unwrap();
            assert_eq!(rules.to_string(), text);
        }
    }

    #[test]
    fn the_ids_of_clients_are_kept_apart() {
        let clients = ["a b", "a", "b%20;", "é\u{2028}=", ""].map(String::from);
        let realignment = Realignment {
            weekday: Weekday::Friday,
            time: None,
            clients: clients.into(),
            at: Timestamp::EPOCH,
        };
        let rules = BatchRules { options: Options::Realign(realignment), zone: "UTC".to_owned() };
        assert_eq!(rules.to_string().parse(), Ok(rules));
    }

    #[test]
    fn any_other_text_is_rejected() {
        for text in [
            "",
            "due=weekday",
            "zone=UTC due=monday",
            "due=friday zone=UTC",
            "due=monday zone=",
            "due=monday  zone=UTC",
            "weekday=monday zone=UTC",
            "weekday=mon at=2026-01-15T09:30:00.000Z zone=UTC",
            "weekday=monday at=2026-01-15T09:30:00.000Z time=9:00 zone=UTC",
            "weekday=monday at=2026-01-15T09:30:00.000Z client=b client=a zone=UTC",
            "of=ab zone=UTC",
            "window={ from=2026-02-01T00:00:00.000Z at=2026-01-15T09:30:00.000Z zone=UTC",
        ] {
            assert!(text.parse::<BatchRules>().is_err(), "{text}");
        }
    }
}
