//! The audit: the figures of a store and all irregular data in it, with document ids.
//!
//! `judge` checks each series alone, `questions` what needs several series, `fields` the fields of
//! each document. `kind` and `texts` name
//! and explain the findings, and `markdown` formats the report. Only ids are kept in memory.

mod fields;
mod judge;
mod kind;
mod markdown;
mod place;
mod questions;
mod texts;

pub use kind::FindingKind;

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredClient;
use rollbook_domain::series::Series;
use rollbook_domain::{Document, StreamId, Timestamp};
use serde::Serialize;

use judge::Judge;
use questions::Questions;

/// The source of an audit: one consistent state of a store.
pub trait AuditSource {
    /// The error of reading it.
    type Error;

    /// Every client document, by id.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn clients(&self) -> Result<BTreeMap<String, StoredClient>, Self::Error>;

    /// The ids of the coach documents.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn coaches(&self) -> Result<BTreeSet<String>, Self::Error>;

    /// Passes every series with its stream to `each`, in any order. Called twice if documents of
    /// different series name each other.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn series(&self, each: &mut dyn FnMut(&StreamId, &Series)) -> Result<(), Self::Error>;

    /// Passes every imported document, as it is stored now, with its stream to `each`, in any
    /// order. Erased documents are left out.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn documents(&self, each: &mut dyn FnMut(&StreamId, &Document)) -> Result<(), Self::Error>;
}

/// The parameters of an audit.
#[derive(Clone, Copy, Debug)]
pub struct AuditRules {
    /// The time of the audit. It decides whether a pause is over.
    pub now: Timestamp,
    /// The old server's time zone. It decides which day is a Monday.
    pub zone: Zone,
}

/// Counts over the whole store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Client documents.
    pub clients: u64,
    /// Stored assignments, including duplicates.
    pub assignments: u64,
    /// Responses, imported or submitted since.
    pub responses: u64,
    /// Runs of a form for a client.
    pub series: u64,
    /// The weeks that these runs should have: the sum of the totals of their bases.
    pub weeks_expected: u64,
    /// Distinct weeks that are stored.
    pub weeks_stored: u64,
    /// Expected weeks that are not stored.
    pub weeks_missing: u64,
}

/// Responses by the week they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponsesByWeek {
    /// How many, by week. A response without a week counts under the week of the assignment it
    /// names.
    pub weeks: BTreeMap<u32, u64>,
    /// Responses whose week is unknown.
    pub unknown: u64,
}

impl ResponsesByWeek {
    fn count(&mut self, week: Option<u32>) {
        match week {
            Some(week) => *self.weeks.entry(week).or_default() += 1,
            None => self.unknown += 1,
        }
    }
}

/// Counts of one client over all identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientFigures {
    /// Stored assignments.
    pub assignments: u64,
    /// Responses.
    pub responses: u64,
    /// Runs.
    pub series: u64,
    /// Responses by week.
    pub responses_by_week: ResponsesByWeek,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The client, by document id.
    pub client: String,
    /// The form, if the finding is about one series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The week, if the finding is about one week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub week: Option<u32>,
    /// The ids of the documents.
    pub documents: Vec<String>,
    /// The field of the document, if the finding is about one field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How it is resolved. The audit leaves it empty; the edge that shows the report adds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve: Option<String>,
}

/// All findings of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingGroup {
    /// The kind, serialized as its code.
    pub code: FindingKind,
    /// Their number.
    pub count: u64,
    /// What it is, in one line.
    pub explanation: &'static str,
    /// What the migration does about it.
    pub migration: &'static str,
    /// The findings, sorted by client, form and week.
    pub findings: Vec<Finding>,
}

/// The result of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// The time of the audit.
    pub now: Timestamp,
    /// The old server's time zone.
    pub legacy_timezone: String,
    /// Counts over the whole store.
    pub totals: Totals,
    /// Responses by week, over the whole store.
    pub responses_by_week: ResponsesByWeek,
    /// Counts by client id, for every client document and every client that assignments or
    /// responses name.
    pub clients: BTreeMap<String, ClientFigures>,
    /// The findings by kind, in the order of [`FindingKind::ALL`]. Kinds without findings are left
    /// out.
    pub findings: Vec<FindingGroup>,
}

impl AuditReport {
    /// The findings of one kind.
    pub fn of(&self, kind: FindingKind) -> &[Finding] {
        self.findings.iter().find(|group| group.code == kind).map_or(&[], |group| &group.findings)
    }

    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::report(self)
    }
}

/// The findings and counts so far.
#[derive(Default)]
struct Findings {
    totals: Totals,
    responses_by_week: ResponsesByWeek,
    clients: BTreeMap<String, ClientFigures>,
    findings: BTreeMap<FindingKind, Vec<Finding>>,
}

impl Findings {
    fn add(&mut self, kind: FindingKind, finding: Finding) {
        self.findings.entry(kind).or_default().push(finding);
    }

    fn client(&mut self, client: &str) -> &mut ClientFigures {
        self.clients.entry(client.to_owned()).or_default()
    }

    fn count_response(&mut self, client: &str, week: Option<u32>) {
        self.totals.responses += 1;
        self.responses_by_week.count(week);
        let figures = self.client(client);
        figures.responses += 1;
        figures.responses_by_week.count(week);
    }

    fn report(self, rules: &AuditRules) -> AuditReport {
        let group = |(kind, mut findings): (FindingKind, Vec<Finding>)| {
            findings.sort();
            // A document can be stored in several streams.
            findings.dedup();
            let count = findings.len() as u64;
            FindingGroup {
                code: kind,
                count,
                explanation: kind.explanation(),
                migration: kind.migration(),
                findings,
            }
        };
        AuditReport {
            now: rules.now,
            legacy_timezone: rules.zone.to_string(),
            totals: self.totals,
            responses_by_week: self.responses_by_week,
            clients: self.clients,
            findings: self.findings.into_iter().map(group).collect(),
        }
    }
}

/// Audits a store. Reads its documents once, and its series once, or twice if documents of
/// different series name each other.
///
/// # Errors
/// The errors of the source.
pub fn audit<S: AuditSource>(source: &S, rules: &AuditRules) -> Result<AuditReport, S::Error> {
    let clients: BTreeSet<String> = source.clients()?.into_keys().collect();
    let coaches = source.coaches()?;
    let mut found = Findings::default();
    found.totals.clients = clients.len() as u64;
    for client in &clients {
        found.client(client);
    }
    let mut questions = Questions::default();
    let mut judge = Judge::new(&clients, &coaches, rules);
    source
        .series(&mut |stream, series| judge.series(stream, series, &mut found, &mut questions))?;
    judge.finish(&mut found);
    if !questions.is_empty() {
        source.series(&mut |_, series| questions.look_in(series))?;
        questions.answer(&mut found);
    }
    source.documents(&mut |stream, document| fields::check(stream, document, &mut found))?;
    Ok(found.report(rules))
}
