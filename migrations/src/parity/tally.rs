//! Counts the differences of one client. A difference counts once, however long it lasts.

use std::collections::HashSet;

use rollbook_domain::Timestamp;
use rollbook_domain::status::Status;
use rollbook_projections::entry::{Entry, Summary};

use super::facts::Key;
use super::field::Field;
use super::report::{Class, Example, MOST_EXAMPLES, MOST_UNEXPLAINED, ParityReport, Unexplained};
use super::verdict::Verdict;

/// The entries of a week, by the views that show it.
#[derive(Clone, Copy)]
pub(super) enum Shown<'b, 'a> {
    Legacy(&'b Entry<'a>),
    Precreated(&'b Entry<'a>),
    Both(&'b Entry<'a>, &'b Entry<'a>),
}

impl Shown<'_, '_> {
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
    forms: &'f [&'f str],
    seen: HashSet<(Key, Field, Option<Class>)>,
    weeks: HashSet<(Key, Class)>,
    compared: HashSet<(Key, Status, Status)>,
    pub(super) report: ParityReport,
}

/// The key of differences that do not concern a single week.
const WHOLE: Key = (u32::MAX, 0, 0);

impl<'f> Tally<'f> {
    pub(super) fn new(client: &'f str, forms: &'f [&'f str]) -> Self {
        let report = ParityReport { clients: 1, ..ParityReport::default() };
        Self {
            client,
            forms,
            seen: HashSet::new(),
            weeks: HashSet::new(),
            compared: HashSet::new(),
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
            Ok(class) => self.explained(at, key, field, class, || shown.values(field)),
            Err(reason) => self.unexplained(at, key, field, shown, reason),
        }
    }

    pub(super) fn unexplained(
        &mut self,
        at: Timestamp,
        key: Key,
        field: Field,
        shown: Shown<'_, '_>,
        reason: &str,
    ) {
        self.add_unexplained(at, key, field, || shown.values(field), reason);
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
            Ok(class) => self.explained(at, WHOLE, Field::Summary, class, values),
            Err(reason) => self.add_unexplained(at, WHOLE, Field::Summary, values, reason),
        }
    }

    fn form(&self, key: Key) -> String {
        self.forms.get(key.0 as usize).copied().unwrap_or_default().to_owned()
    }

    fn explained(
        &mut self,
        at: Timestamp,
        key: Key,
        field: Field,
        class: Class,
        values: impl FnOnce() -> (String, String),
    ) {
        if !self.seen.insert((key, field, Some(class))) {
            return;
        }
        let is_new_week = self.weeks.insert((key, class));
        *self.report.differences.entry(class).or_default() += u64::from(is_new_week);
        let form = self.form(key);
        let examples = self.report.examples.entry(class).or_default();
        if is_new_week && examples.len() < MOST_EXAMPLES {
            let (legacy, precreated) = values();
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
            });
        }
    }

    fn add_unexplained(
        &mut self,
        at: Timestamp,
        key: Key,
        field: Field,
        values: impl FnOnce() -> (String, String),
        reason: &str,
    ) {
        if !self.seen.insert((key, field, None)) {
            return;
        }
        self.report.unexplained_total += 1;
        if self.report.unexplained.len() < MOST_UNEXPLAINED {
            let (legacy, precreated) = values();
            let because = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let what =
                format!("{}: legacy {legacy}, pre-created {precreated}{because}", field.name());
            let (client, form) = (self.client.to_owned(), self.form(key));
            self.report.unexplained.push(Unexplained {
                client,
                at,
                form,
                run: key.1,
                week: key.2,
                what,
            });
        }
    }
}
