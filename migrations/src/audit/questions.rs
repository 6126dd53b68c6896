//! Checks that may need documents of other series, because a response can name an assignment of
//! another series and vice versa. Names resolve in the same series first and then in all others;
//! document ids take precedence over legacy ids.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::document::StoredResponse;
use rollbook_domain::series::{CorrectionState, Item, Series};

use super::place::Place;
use super::{Finding, FindingKind, Findings};

/// An assignment that a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// Whether it was found by its legacy id. Document ids sort first.
    by_legacy_id: bool,
    week: u32,
    document: String,
}

/// A response that names no assignment of its own series.
struct NamesElsewhere {
    finding: Finding,
    named: String,
    week: Option<u32>,
    is_linked: bool,
}

/// An assignment whose response is not in its own series.
struct AnsweredElsewhere {
    finding: Finding,
    names: [String; 2],
    response: String,
}

/// The names to look up in the second pass, and the results.
#[derive(Default)]
pub(super) struct Questions {
    names: Vec<NamesElsewhere>,
    answers: Vec<AnsweredElsewhere>,
    not_named_back: BTreeMap<String, Finding>,
    assignments: BTreeMap<String, Option<Named>>,
    responses: BTreeMap<String, Option<String>>,
    named_back: BTreeSet<String>,
}

/// The assignments of a series with this name. The one that the name refers to is first.
fn named_in(series: &Series, name: &str) -> Vec<Named> {
    let named = |item: &Item| Named {
        by_legacy_id: !item.has_id(name),
        week: item.week(),
        document: item.stored.document.clone(),
    };
    let mut found: Vec<Named> =
        series.items.iter().filter(|item| item.is_named(name)).map(named).collect();
    found.sort();
    if found.first().is_some_and(|first| !first.by_legacy_id) {
        found.retain(|named| !named.by_legacy_id);
    }
    found
}

impl Questions {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.answers.is_empty() && self.not_named_back.is_empty()
    }

    /// Checks a response against the assignments of its own series, or adds a question.
    pub(super) fn response(
        &mut self,
        place: &Place<'_>,
        series: &Series,
        response: &StoredResponse,
        found: &mut Findings,
    ) {
        let finding = || place.finding(response.week, [&response.document]);
        if let Some(placed) = series.corrections.of_response(&response.document) {
            found.count_response(place.client, Some(placed.to.week));
            if !placed.overtaken.is_empty() {
                found.add(FindingKind::CorrectionOvertaken, overtaken(place, placed));
            }
            return;
        }
        if let Some(item) = series.items.iter().find(|item| {
            item.has_set_number() && item.stored.response_id() == Some(&response.document)
        }) {
            found.count_response(place.client, Some(item.week()));
            return;
        }
        if response.week.is_none() {
            found.add(FindingKind::ResponseWithoutWeek, finding());
        }
        let is_linked = series.linked.contains_key(&response.document);
        if !series.items.iter().any(|item| item.stored.response_id() == Some(&response.document)) {
            self.not_named_back.insert(response.document.clone(), finding());
        }
        let named = named_in(series, &response.named);
        let own_week = named.iter().any(|named| Some(named.week) == response.week);
        if let Some(first) = named.first() {
            let meant = Named {
                week: if own_week { response.week.unwrap_or(first.week) } else { first.week },
                ..first.clone()
            };
            place_response(finding(), response.week, is_linked, Some(&meant), found);
        } else {
            self.assignments.insert(response.named.clone(), None);
            self.names.push(NamesElsewhere {
                finding: finding(),
                named: response.named.clone(),
                week: response.week,
                is_linked,
            });
        }
    }

    /// Checks an assignment against the response that it names, or adds a question.
    pub(super) fn answered(
        &mut self,
        place: &Place<'_>,
        series: &Series,
        item: &Item,
        response: &str,
        found: &mut Findings,
    ) {
        let finding = place.finding(Some(item.week()), [item.stored.document.as_str(), response]);
        match series.responses.get(response) {
            Some(stored) => {
                let is_linked = series
                    .linked
                    .get(response)
                    .is_some_and(|(run, week, _)| (*run, *week) == (item.run, item.week()));
                if !item.is_named(&stored.named) && !is_linked {
                    found.add(FindingKind::AssignmentResponseNamesAnother, finding);
                }
            }
            None => {
                self.responses.insert(response.to_owned(), None);
                let names = [item.stored.document.clone(), item.stored.legacy_id.clone()];
                self.answers.push(AnsweredElsewhere {
                    finding,
                    names,
                    response: response.to_owned(),
                });
            }
        }
    }

    /// The second pass: looks for answers in one series.
    pub(super) fn look_in(&mut self, series: &Series) {
        for item in series.items.iter() {
            for name in [&item.stored.document, &item.stored.legacy_id] {
                if let Some(held) = self.assignments.get_mut(name).filter(|_| !name.is_empty()) {
                    let by_legacy_id = item.stored.document != *name;
                    let seen = Named {
                        by_legacy_id,
                        week: item.week(),
                        document: item.stored.document.clone(),
                    };
                    if held.as_ref().is_none_or(|held| seen < *held) {
                        *held = Some(seen);
                    }
                }
            }
            if let Some(response) = item
                .stored
                .response_id()
                .filter(|response| self.not_named_back.contains_key(*response))
            {
                self.named_back.insert(response.to_owned());
            }
        }
        for response in series.responses.values() {
            if let Some(held) = self.responses.get_mut(&response.document) {
                *held = Some(response.named.clone());
            }
        }
    }

    /// Adds the findings of all questions.
    pub(super) fn answer(self, found: &mut Findings) {
        for asked in self.names {
            let named = self.assignments.get(&asked.named).and_then(Option::as_ref);
            place_response(asked.finding, asked.week, asked.is_linked, named, found);
        }
        for asked in self.answers {
            match self.responses.get(&asked.response).and_then(Option::as_ref) {
                None => found.add(
                    FindingKind::AssignmentResponseMissing,
                    Finding {
                        documents: asked.names.into_iter().take(1).collect(),
                        ..asked.finding
                    },
                ),
                Some(named) if named.is_empty() || !asked.names.contains(named) => {
                    found.add(FindingKind::AssignmentResponseNamesAnother, asked.finding);
                }
                Some(_) => {}
            }
        }
        for (response, finding) in self.not_named_back {
            if !self.named_back.contains(&response) {
                found.add(FindingKind::ResponseNotNamedBack, finding);
            }
        }
    }
}

/// The finding about a correction whose documents changed since.
fn overtaken(place: &Place<'_>, placed: &CorrectionState) -> Finding {
    let documents = std::iter::once(&placed.response)
        .chain(placed.overtaken.iter().filter(|document| **document != placed.response));
    place.finding(Some(placed.to.week), documents)
}

/// Counts a response under its week, or that of the assignment it names, and checks the name.
fn place_response(
    finding: Finding,
    week: Option<u32>,
    is_linked: bool,
    named: Option<&Named>,
    found: &mut Findings,
) {
    found.count_response(&finding.client, week.or(named.map(|named| named.week)));
    let Some(named) = named else {
        found.add(FindingKind::ResponseNamesNothing, finding);
        return;
    };
    if named.by_legacy_id {
        found.add(FindingKind::ResponseNamesLegacyId, finding.clone());
    }
    if named.week == 1 && week.is_some_and(|week| week > 1) && !is_linked {
        found.add(FindingKind::ResponseNamesWeek1, finding);
    }
}
