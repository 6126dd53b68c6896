//! The checks of one series. What needs documents of other series becomes a question (see
//! `questions`).

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::StreamId;
use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::limits::MOST_WEEKS;
use rollbook_domain::series::{Corrected, Item, Series, assignment_id, response_id};

use super::place::Place;
use super::questions::Questions;
use super::{AuditRules, Finding, FindingKind, Findings};

/// Checks series one by one and collects findings about complete clients.
pub(super) struct Judge<'a> {
    clients: &'a BTreeSet<String>,
    coaches: &'a BTreeSet<String>,
    rules: &'a AuditRules,
    split: BTreeMap<String, Vec<String>>,
    unknown: BTreeMap<String, Vec<String>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        clients: &'a BTreeSet<String>,
        coaches: &'a BTreeSet<String>,
        rules: &'a AuditRules,
    ) -> Self {
        Self { clients, coaches, rules, split: BTreeMap::new(), unknown: BTreeMap::new() }
    }

    pub(super) fn series(
        &mut self,
        stream: &StreamId,
        series: &Series,
        found: &mut Findings,
        questions: &mut Questions,
    ) {
        let StreamId::Series { client, form } = stream else { return };
        let place = Place { client, form };
        for run in series.run_numbers() {
            self.run(&place, series, run, found);
        }
        for item in series.items.iter() {
            self.assignment(&place, series, item, found, questions);
        }
        for response in series.responses.values() {
            if response.week.is_some_and(|week| week > MOST_WEEKS) {
                found.add(
                    FindingKind::RecurringWeekTooLarge,
                    place.finding(response.week, [&response.document]),
                );
            }
            questions.response(&place, series, response, found);
        }
        let numbers = series.corrections.iter().filter(|held| held.corrected == Corrected::Number);
        for held in numbers.filter(|held| !held.overtaken.is_empty()) {
            let documents = held.documents.first().into_iter().chain(&held.overtaken);
            let documents: BTreeSet<&String> = documents.collect();
            found.add(
                FindingKind::CorrectionOvertaken,
                place.finding(Some(held.to.week), documents),
            );
        }
        count_given(&place, series, found);
    }

    /// Findings about a client over all of its series.
    pub(super) fn finish(self, found: &mut Findings) {
        for (kind, clients) in
            [(FindingKind::SplitIdentity, self.split), (FindingKind::ClientUnknown, self.unknown)]
        {
            for (client, mut documents) in clients {
                documents.sort();
                found.add(
                    kind,
                    Finding {
                        client,
                        form: None,
                        week: None,
                        documents,
                        field: None,
                        resolve: None,
                    },
                );
            }
        }
    }

    fn run(&self, place: &Place<'_>, series: &Series, run: u32, found: &mut Findings) {
        let Some(base) = series.items.base(run) else { return };
        found.client(place.client).series += 1;
        let items: Vec<&Item> = series.items.iter().filter(|item| item.run == run).collect();
        let weeks: Vec<&[&Item]> = items.chunk_by(|a, b| a.week() == b.week()).collect();
        let stored: BTreeSet<u32> = items.iter().map(|item| item.week()).collect();
        let expected = if base.stored.recurring { base.stored.total_weeks } else { 1 };
        let missing = (1..=expected).filter(|week| {
            base.stored.recurring && !stored.contains(week) && !series.is_withdrawn(run, *week)
        });
        found.totals.series += 1;
        found.totals.weeks_expected += u64::from(expected);
        found.totals.weeks_stored += stored.len() as u64;
        found.totals.weeks_missing += missing.count() as u64;
        if base.week() != 1 {
            found.add(
                FindingKind::SeriesWithoutWeek1,
                place.finding(None, items.iter().map(|item| &item.stored.document)),
            );
        }
        if self.is_due_on_no_monday(&base.stored) {
            found.add(
                FindingKind::BaseDueNotMonday,
                place.finding(Some(base.week()), [&base.stored.document]),
            );
        }
        weeks_of_run(place, &weeks, found);
        ids_of_run(place, &items, found);
    }

    fn is_due_on_no_monday(&self, base: &StoredAssignment) -> bool {
        let zone = self.rules.zone;
        base.recurring
            && base.total_weeks > 1
            && base.due.value().is_some_and(|due| zone.date(*due) != zone.monday(*due))
    }

    fn assignment(
        &mut self,
        place: &Place<'_>,
        series: &Series,
        item: &Item,
        found: &mut Findings,
        questions: &mut Questions,
    ) {
        let stored = &item.stored;
        found.totals.assignments += 1;
        found.client(place.client).assignments += 1;
        if stored.client != place.client {
            self.split.entry(place.client.to_owned()).or_default().push(stored.document.clone());
        }
        if !self.clients.contains(place.client) {
            self.unknown.entry(place.client.to_owned()).or_default().push(stored.document.clone());
        }
        for kind in self.kinds_of(stored) {
            found.add(kind, place.finding(Some(item.week()), [&stored.document]));
        }
        if let Some(response) =
            stored.response_id().filter(|response| !is_given_here(place, series, item, response))
        {
            questions.answered(place, series, item, response, found);
        }
    }

    /// The findings of one assignment alone.
    fn kinds_of(&self, stored: &StoredAssignment) -> Vec<FindingKind> {
        let mut kinds = Vec::new();
        if stored.stored_week.is_none() {
            kinds.push(FindingKind::AssignmentWithoutWeek);
        }
        if stored.total_weeks_capped {
            kinds.push(FindingKind::TotalWeeksTooLarge);
        }
        if stored.week() > MOST_WEEKS {
            kinds.push(FindingKind::RecurringWeekTooLarge);
        }
        match stored.due {
            Field::Null => kinds.push(FindingKind::DueNull),
            Field::Missing => kinds.push(FindingKind::DueMissing),
            Field::Is(_) => {}
        }
        match (stored.status.as_str(), stored.paused_until) {
            ("inactive", Some(until)) if until <= self.rules.now => {
                kinds.push(FindingKind::InactivePausePast)
            }
            ("inactive", Some(_)) => kinds.push(FindingKind::InactivePauseFuture),
            ("overdue", _) => kinds.push(FindingKind::StoredOverdue),
            ("missed", _) => kinds.push(FindingKind::StoredMissed),
            _ => {}
        }
        if stored.is_completed() && stored.score.is_some_and(|score| score.is_zero()) {
            kinds.push(FindingKind::ScoreZero);
        }
        if stored.title.is_empty() {
            kinds.push(FindingKind::FormTitleEmpty);
        }
        if looks_like_an_id(&stored.assigned_by) && !self.coaches.contains(&stored.assigned_by) {
            kinds.push(FindingKind::AssignedByGone);
        }
        kinds
    }
}

/// `assignedBy` is a coach's id or a name. Only names have spaces, and `Coach` is the default of
/// the old system.
fn looks_like_an_id(assigned_by: &str) -> bool {
    !assigned_by.is_empty() && assigned_by != "Coach" && !assigned_by.contains(char::is_whitespace)
}

/// Finds duplicate weeks, and completed weeks after weeks that are not stored.
fn weeks_of_run(place: &Place<'_>, weeks: &[&[&Item]], found: &mut Findings) {
    let mut before: Option<u32> = None;
    for items in weeks {
        let Some(week) = items.first().map(|item| item.week()) else { continue };
        if items.len() > 1 {
            found.add(
                FindingKind::DuplicateWeek,
                place.finding(Some(week), items.iter().map(|item| &item.stored.document)),
            );
        }
        let completed: Vec<&String> = items
            .iter()
            .filter(|item| item.is_completed())
            .map(|item| &item.stored.document)
            .collect();
        if !completed.is_empty() && before.is_some_and(|before| week > before + 1) {
            found.add(FindingKind::CompletedWeekAhead, place.finding(Some(week), completed));
        }
        before = Some(week);
    }
}

/// Finds later weeks whose `id` is derived from another document or is that of another document.
fn ids_of_run(place: &Place<'_>, items: &[&Item], found: &mut Findings) {
    let bases: Vec<&StoredAssignment> =
        items.iter().filter(|item| item.week() == 1).map(|item| &item.stored).collect();
    for item in items.iter().filter(|item| item.week() > 1 && !item.stored.legacy_id.is_empty()) {
        let id = &item.stored.legacy_id;
        let finding = || place.finding(Some(item.week()), [&item.stored.document]);
        if is_week_n_id(id) {
            found.add(FindingKind::WeekNId, finding());
        } else if bases.iter().any(|base| base.legacy_id == *id || base.document == *id) {
            found.add(FindingKind::BaseIdReused, finding());
        }
    }
}

fn is_week_n_id(id: &str) -> bool {
    id.rsplit_once("_week_").is_some_and(|(base, week)| {
        !base.is_empty() && !week.is_empty() && week.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a response was submitted here, so that its id is derived.
fn is_given_here(place: &Place<'_>, series: &Series, item: &Item, response: &str) -> bool {
    if series.submitted == 0 || series.responses.contains_key(response) {
        return false;
    }
    // A correction may have placed it in another week than it was submitted for.
    if series.corrections.of_response(response).is_some() || series.is_numbered(response) {
        return true;
    }
    let assignment = assignment_id(place.client, place.form, item.run, item.week());
    (1..=series.submitted).any(|ordinal| response_id(assignment, ordinal).to_string() == response)
}

/// Counts the responses submitted here. The week of a response that was cleared later is unknown.
fn count_given(place: &Place<'_>, series: &Series, found: &mut Findings) {
    let given = |item: &&Item| {
        item.stored
            .response_id()
            .is_some_and(|response| is_given_here(place, series, item, response))
    };
    let mut left = series.submitted;
    for item in series.items.iter().filter(given) {
        left = left.saturating_sub(1);
        found.count_response(place.client, Some(item.week()));
    }
    for _ in 0..left {
        found.count_response(place.client, None);
    }
}
