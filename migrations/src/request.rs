//! A request for a plan, as people and programs give it: a kind by name, and options of which each
//! kind takes its own.

use std::collections::BTreeSet;

use rollbook_domain::limits::{WINDOW_BYTES, check_json};
use rollbook_domain::series::decide::Rejection;
use rollbook_domain::{JsonText, Timestamp};

use crate::kinds;
use crate::rules::{DueRule, Inversion, Options, Realignment, Rewindowing, TimeOfDay, Weekday};

/// The requested kind and options. What is `None` or empty was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanRequest {
    /// The name of the kind; without it `precreate`, or `inverse` if a batch to undo is given.
    pub kind: Option<String>,
    /// The due rule of created weeks, for `precreate`.
    pub due: Option<DueRule>,
    /// The day of the week, for `realign`.
    pub weekday: Option<Weekday>,
    /// The local time of day, for `realign`.
    pub time: Option<TimeOfDay>,
    /// The new check-in window, for `window`; JSON null removes it.
    pub window: Option<JsonText>,
    /// The instant from which weeks must be due, for `window`.
    pub from: Option<Timestamp>,
    /// The clients by document id, for `realign` and `window`; all clients if empty.
    pub clients: BTreeSet<String>,
    /// The digest of the batch to undo, or its first digits, for `inverse`.
    pub inverse_of: Option<String>,
    /// The time of the change, for every kind but `precreate`; without it, the time of the request.
    pub at: Option<Timestamp>,
}

/// Why a request is not a kind with its options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanRequestError {
    /// There is no such kind.
    #[error("{kind:?} is not a kind of migration; the kinds are {known}")]
    UnknownKind {
        /// The requested kind.
        kind: String,
        /// The kinds that this build knows.
        known: String,
    },
    /// The kind needs an option that was not given.
    #[error("the kind {kind} needs {option}")]
    Lacks {
        /// The kind.
        kind: &'static str,
        /// The option.
        option: &'static str,
    },
    /// The kind does not take an option that was given.
    #[error("the kind {kind} takes no {option}")]
    NotOfKind {
        /// The kind.
        kind: &'static str,
        /// The option.
        option: &'static str,
    },
    /// An allocation could not have the window either.
    #[error(transparent)]
    Window(#[from] Rejection),
}

impl PlanRequest {
    /// The kind and its options. `now` is the time of a change that the request does not date.
    ///
    /// # Errors
    /// If the kind is unknown, lacks an option, or does not take one.
    pub fn options(self, now: Timestamp) -> Result<Options, PlanRequestError> {
        let implied = if self.inverse_of.is_some() { "inverse" } else { "precreate" };
        let at = self.at.unwrap_or(now);
        match self.kind.as_deref().unwrap_or(implied) {
            "precreate" => {
                self.takes_only("precreate", &["due"])?;
                Ok(Options::Precreate(self.due.unwrap_or_default()))
            }
            "realign" => {
                self.takes_only("realign", &["weekday", "time", "client", "at"])?;
                let weekday = self.weekday.ok_or(lacks("realign", "weekday"))?;
                let Self { time, clients, .. } = self;
                Ok(Options::Realign(Realignment { weekday, time, clients, at }))
            }
            "window" => {
                self.takes_only("window", &["window", "from", "client", "at"])?;
                let window = self.window.ok_or(lacks("window", "window"))?;
                check_json("the check-in window", &window, WINDOW_BYTES)?;
                let from = self.from.ok_or(lacks("window", "from"))?;
                let window = (window.as_str() != "null").then_some(window);
                Ok(Options::Window(Rewindowing { window, from, clients: self.clients, at }))
            }
            "inverse" => {
                self.takes_only("inverse", &["inverse-of", "at"])?;
                let of = self.inverse_of.ok_or(lacks("inverse", "inverse-of"))?;
                Ok(Options::Inverse(Inversion { of, at }))
            }
            kind => {
                let (kind, known) = (kind.to_owned(), kinds::names());
                Err(PlanRequestError::UnknownKind { kind, known })
            }
        }
    }

    fn takes_only(&self, kind: &'static str, options: &[&str]) -> Result<(), PlanRequestError> {
        let given = [
            ("due", self.due.is_some()),
            ("weekday", self.weekday.is_some()),
            ("time", self.time.is_some()),
            ("window", self.window.is_some()),
            ("from", self.from.is_some()),
            ("client", !self.clients.is_empty()),
            ("inverse-of", self.inverse_of.is_some()),
            ("at", self.at.is_some()),
        ];
        let other = given.iter().find(|(option, is_given)| *is_given && !options.contains(option));
        other.map_or(Ok(()), |(option, _)| Err(PlanRequestError::NotOfKind { kind, option }))
    }
}

fn lacks(kind: &'static str, option: &'static str) -> PlanRequestError {
    PlanRequestError::Lacks { kind, option }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::EPOCH
    }

    #[test]
    fn a_kind_takes_its_own_options_and_no_other() {
        let due = PlanRequest { due: Some(DueRule::Weekday), ..PlanRequest::default() };
        assert_eq!(due.clone().options(now()), Ok(Options::Precreate(DueRule::Weekday)));
        let kind = |kind: &str| Some(kind.to_owned());
        let realign = PlanRequest { kind: kind("realign"), ..PlanRequest::default() };
        assert_eq!(
            realign.clone().options(now()).unwrap_err().to_string(),
            "the kind realign needs weekday"
        );
        let monday = PlanRequest { weekday: Some(Weekday::Monday), ..realign };
        let Ok(Options::Realign(Realignment { at, .. })) = monday.clone().options(now()) else {
            panic!("a realignment");
        };
        assert_eq!(at, now());
        let both = PlanRequest { due: due.due, ..monday };
        assert_eq!(both.options(now()).unwrap_err().to_string(), "the kind realign takes no due");
    }

    #[test]
    fn a_batch_to_undo_is_enough_for_an_inverse() {
        let undo = PlanRequest { inverse_of: Some("ab".to_owned()), ..PlanRequest::default() };
        let expected = Inversion { of: "ab".to_owned(), at: now() };
        assert_eq!(undo.clone().options(now()), Ok(Options::Inverse(expected)));
        let other = PlanRequest { kind: Some("renumber".to_owned()), ..undo };
        assert_eq!(
            other.options(now()).unwrap_err().to_string(),
            "\"renumber\" is not a kind of migration; the kinds are precreate, realign, window, inverse"
        );
    }
}
