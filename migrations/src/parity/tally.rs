//! Counts the differences of one client. A difference counts once, however long it lasts.

use foldhash::HashSet;
use rollbook_domain::status::Status;
use rollbook_domain::{Position, Timestamp};
use rollbook_projections::entry::{Entry, Summary};

use super::decision::Cause;
use super::difference::{Difference, Side};
use super::facts::Key;
use super::field::Field;
use super::report::{
    Class, DecisionSummary, Example, MOST_DECISIONS, MOST_EXAMPLES, ParityReport,
    UnexplainedDifference,
};
use super::verdict::Verdict;

/// The entries of a week, by the views that show it.
#[derive(Clone, Copy)]
pub(super) enum Shown<'b, 'a> {
    Legacy(&'b Entry<'a>),
    Precreated(&'b Entry<'a>),
    Both(&'b Entry<'a>, &'b Entry<'a>),
}

/// A difference that the rows alone do not explain.
#[derive(Clone, Debug)]
pub(super) struct Unresolved {
    pub(super) difference: Difference,
    /// The first instant at which the views differ.
    pub(super) at: Timestamp,
    key: Key,
    legacy: String,
    precreated: String,
    /// Why the rows do not explain it; may be empty.
    reason: &'static str,
}

impl Shown<'_, '_> {
    fn side(self) -> Side {
        match self {
            Self::Legacy(_) => Side::Legacy,
            Self::Precreated(_) => Side::Precreated,
            Self::Both(..) => Side::Both,
        }
    }

    fn values(self, field: Field) -> (String, String) {
        let absent = || "absent".to_owned();
        match self {
            Self::Legacy(entry) => (field.value(entry), absent()),
            Self::Precreated(entry) => (absent(), field.value(entry)),
            Self::Both(legacy, precreated) => (field.value(legacy), field.value(precreated)),
        }
    }
}

pub(super) struct Tally<'f> {
    client: &'f str,
    forms: Vec<String>,
    seen: HashSet<(Key, Field, Class)>,
    unresolved: Vec<Unresolved>,
    open: HashSet<(Key, Field, Side)>,
    weeks: HashSet<(Key, Class)>,
    compared: HashSet<(Key, Status, Status)>,
    pub(super) report: ParityReport,
}

/// The key of differences that do not concern a single week.
const WHOLE: Key = (u32::MAX, 0, 0);

impl<'f> Tally<'f> {
    pub(super) fn new(client: &'f str, forms: &[&str]) -> Self {
        let report = ParityReport { clients: 1, ..ParityReport::default() };
        Self {
            client,
            forms: forms.iter().map(|form| (*form).to_owned()).collect(),
            seen: HashSet::default(),
            unresolved: Vec::new(),
            open: HashSet::default(),
            weeks: HashSet::default(),
            compared: HashSet::default(),
            report,
        }
    }

    /// Whether this is the first comparison of a week with these statuses.
    pub(super) fn is_first(&mut self, key: Key, legacy: Status, precreated: Status) -> bool {
        self.compared.insert((key, legacy, precreated))
    }

    pub(super) fn record(
        &mut self,
        at: Timestamp,
        key: Key,
        field: Field,
        shown: Shown<'_, '_>,
        verdict: Verdict,
    ) {
        match verdict {
            Ok(class) => self.explained(at, key, field, class, || (shown.values(field), None)),
            Err(reason) => self.unexplained(at, key, field, shown, reason),
        }
    }

    pub(super) fn unexplained(
        &mut self,
        at: Timestamp,
        key: Key,
        field: Field,
        shown: Shown<'_, '_>,
        reason: &'static str,
    ) {
        self.add_unresolved(at, (key, field, shown.side()), || shown.values(field), reason);
    }

    pub(super) fn summary(
        &mut self,
        at: Timestamp,
        legacy: &Summary,
        precreated: &Summary,
        verdict: Verdict,
    ) {
        let values = || (format!("{legacy:?}"), format!("{precreated:?}"));
        match verdict {
            Ok(class) => self.explained(at, WHOLE, Field::Summary, class, || (values(), None)),
            Err(reason) => {
                self.add_unresolved(at, (WHOLE, Field::Summary, Side::Both), values, reason);
            }
        }
    }

    fn form(&self, key: Key) -> String {
        self.forms.get(key.0 as usize).cloned().unwrap_or_default()
    }

    fn explained(
        &mut self,
        at: Timestamp,
        key: Key,
        field: Field,
        class: Class,
        values: impl FnOnce() -> ((String, String), Option<String>),
    ) {
        if !self.seen.insert((key, field, class)) {
            return;
        }
        let is_new_week = self.weeks.insert((key, class));
        *self.report.differences.entry(class).or_default() += u64::from(is_new_week);
        let form = self.form(key);
        let examples = self.report.examples.entry(class).or_default();
        if is_new_week && examples.len() < MOST_EXAMPLES {
            let ((legacy, precreated), event) = values();
            let (client, what) = (self.client.to_owned(), field.name().to_owned());
            examples.push(Example {
                client,
                at,
                form,
                run: key.1,
                week: key.2,
                what,
                legacy,
                precreated,
                event,
            });
        }
    }

    fn add_unresolved(
        &mut self,
        at: Timestamp,
        (key, field, side): (Key, Field, Side),
        values: impl FnOnce() -> (String, String),
        reason: &'static str,
    ) {
        if !self.open.insert((key, field, side)) {
            return;
        }
        let (legacy, precreated) = values();
        let difference = Difference { place: (self.form(key), key.1, key.2), field, side };
        self.unresolved.push(Unresolved { difference, at, key, legacy, precreated, reason });
    }

    /// The report without the unresolved differences, and those.
    pub(super) fn into_parts(mut self) -> (Self, Vec<Unresolved>) {
        let unresolved = std::mem::take(&mut self.unresolved);
        (self, unresolved)
    }

    /// Adds the unresolved differences with their causes to the report.
    pub(super) fn resolve(&mut self, unresolved: Vec<Unresolved>, causes: Vec<Cause>) {
        let mut unexplained = HashSet::default();
        for (open, cause) in unresolved.into_iter().zip(causes) {
            match cause {
                Cause::Decision(decision) => {
                    let event = decision.describe(&open.difference);
                    self.decided(decision.position(&open.difference), &open, &event);
                    let Unresolved { difference, at, key, legacy, precreated, .. } = open;
                    self.explained(at, key, difference.field, Class::ChangedSince, || {
                        ((legacy, precreated), Some(event))
                    });
                }
                Cause::Unknown(more) => {
                    if unexplained.insert((open.key, open.difference.field)) {
                        self.add_unexplained(open, more);
                    }
                }
            }
        }
        self.report.decisions.sort();
        self.report.decisions.truncate(MOST_DECISIONS);
    }

    fn decided(&mut self, position: Position, open: &Unresolved, event: &str) {
        let held = self.report.decisions.iter_mut().find(|held| held.position == position);
        match held {
            Some(held) => held.differences += 1,
            None => self.report.decisions.push(DecisionSummary {
                position,
                client: self.client.to_owned(),
                form: open.difference.place.0.clone(),
                differences: 1,
                event: event.to_owned(),
            }),
        }
    }

    fn add_unexplained(&mut self, open: Unresolved, more: &'static str) {
        self.report.unexplained_total += 1;
        let Unresolved { difference, at, legacy, precreated, reason, .. } = open;
        let because: String = [reason, more]
            .iter()
            .filter(|why| !why.is_empty())
            .map(|why| format!(" ({why})"))
            .collect();
        let (form, run, week) = difference.place;
        let what = format!(
            "{}: legacy {legacy}, pre-created {precreated}{because}",
            difference.field.name()
        );
        let client = self.client.to_owned();
        self.report.unexplained.push(UnexplainedDifference { client, at, form, run, week, what });
    }
}
