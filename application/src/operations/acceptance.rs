//! Accepting findings of a validation, and withdrawing an acceptance.

use rollbook_domain::control::{AcceptanceRejection, Control};
use rollbook_domain::event::{Acceptance, FindingName};
use rollbook_domain::limits::{REASON_BYTES, check_text};
use rollbook_domain::{Event, Position, StreamId};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::validate::{self, CHECKS, Check, Validation};
use serde::{Deserialize, Serialize};

use super::OperationError;
use crate::store::{Outcome, Proposal, Request, Store, StoreError, new_event};

/// The findings to accept.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These findings, by id.
    Findings(Vec<String>),
    /// Every finding of a check that is not accepted yet.
    Check {
        /// The name of the check.
        check: String,
        /// How many there are. Another number is refused, so that nothing is accepted unseen.
        expected: u64,
    },
}

/// A request to accept findings.
#[derive(Clone, Debug)]
pub struct AcceptRequest {
    /// The findings.
    pub selection: Selection,
    /// The reason.
    pub reason: String,
    /// The grace of the pre-created view before a week is overdue, in milliseconds.
    pub overdue_after_milliseconds: i64,
}

/// The result of accepting findings or of withdrawing acceptances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AcceptanceReport {
    /// The ids of the findings that are accepted now, or no longer.
    pub findings: Vec<String>,
    /// The number of named findings that were accepted before.
    pub already: u64,
    /// The position of the last event; `None` if nothing was written.
    pub position: Option<Position>,
}

/// Accepts findings. Runs the checks first, and records nothing of their result.
///
/// # Errors
/// If a finding is not found now, the check is unknown or has another number of findings, the
/// reason is missing or too long, or the store fails. Then nothing was written.
pub fn accept(
    store: &Store,
    wanted: &AcceptRequest,
    request: &Request,
    watch: &Monitor<'_>,
) -> Result<AcceptanceReport, OperationError> {
    let AcceptRequest { selection, reason, overdue_after_milliseconds } = wanted;
    require_reason(reason)?;
    let found =
        validate::preview(store.runtime(), *overdue_after_milliseconds, request.now, watch)?;
    let (chosen, before) = choose(&found, selection).map_err(StoreError::from)?;
    let named_none = matches!(selection, Selection::Findings(ids) if ids.is_empty());
    if chosen.iter().all(|(_, findings)| findings.is_empty()) && !named_none {
        return Ok(AcceptanceReport { findings: Vec::new(), already: before, position: None });
    }
    let outcome = append(store, request, |control| control.decide_accept(&chosen, reason))?;
    let total: usize = chosen.iter().map(|(_, findings)| findings.len()).sum();
    let report = report(&outcome);
    let meanwhile = (total as u64).saturating_sub(report.findings.len() as u64);
    Ok(AcceptanceReport { already: before + meanwhile, ..report })
}

/// Withdraws the acceptance of findings. A recorded validation from before no longer opens the
/// guard of the switch.
///
/// # Errors
/// If a finding is not accepted, the reason is missing or too long, or the store fails. Then
/// nothing was written.
pub fn withdraw(
    store: &Store,
    findings: &[String],
    reason: &str,
    request: &Request,
) -> Result<AcceptanceReport, StoreError> {
    require_reason(reason)?;
    let decide = |control: &Control| {
        control.decide_withdraw_acceptance(findings, reason).map(|event| vec![event])
    };
    Ok(report(&append(store, request, decide)?))
}

fn require_reason(reason: &str) -> Result<(), StoreError> {
    if reason.trim().is_empty() {
        return Err(AcceptanceRejection::NoReason.into());
    }
    Ok(check_text("the reason", reason, REASON_BYTES)?)
}

fn append(
    store: &Store,
    request: &Request,
    decide: impl Fn(&Control) -> Result<Vec<Event>, AcceptanceRejection>,
) -> Result<Outcome, StoreError> {
    store.decide_and_append(
        &StreamId::Control,
        request,
        None,
        || store.control_now(),
        |control: &Control| {
            let events = decide(control)?;
            if events.is_empty() {
                return Ok(Proposal::Settled(Outcome::Nothing));
            }
            let new = |event| new_event(&StreamId::Control, request.now, event);
            Ok(Proposal::Append(events.into_iter().map(new).collect()))
        },
    )
}

fn report(outcome: &Outcome) -> AcceptanceReport {
    let mut findings = Vec::new();
    for written in outcome.events() {
        match &written.event {
            Event::FindingsAccepted(Acceptance { findings: accepted, .. }) => {
                findings.extend(accepted.iter().map(|finding| finding.id.clone()));
            }
            Event::AcceptanceWithdrawn { findings: withdrawn, .. } => {
                findings.extend_from_slice(withdrawn);
            }
            _ => {}
        }
    }
    let position = outcome.events().last().map(|written| written.position);
    AcceptanceReport { findings, already: 0, position }
}

/// The findings of each check that a person names.
type ChosenFindings = Vec<(String, Vec<FindingName>)>;

/// Returns the chosen findings, and how many of the named ones are accepted already.
fn choose(
    found: &Validation,
    selection: &Selection,
) -> Result<(ChosenFindings, u64), AcceptanceRejection> {
    match selection {
        Selection::Findings(ids) => named(found, ids),
        Selection::Check { check: name, expected } => {
            let check = found.checks.iter().find(|check| check.name == name.as_str());
            let Some(check) = check.filter(|_| CHECKS.contains(&name.as_str())) else {
                return Err(AcceptanceRejection::UnknownCheck(name.clone()));
            };
            let open = check.findings.len() as u64;
            if open != *expected {
                let (check, expected) = (name.clone(), *expected);
                return Err(AcceptanceRejection::Count { check, expected, found: open });
            }
            Ok((vec![(name.clone(), open_findings(check).collect())], 0))
        }
    }
}

fn named(found: &Validation, ids: &[String]) -> Result<(ChosenFindings, u64), AcceptanceRejection> {
    let known = |id: &String| {
        let open = found.checks.iter().any(|check| check.finding_ids.contains(id));
        open || found.accepted().any(|accepted| accepted.id == *id)
    };
    if let Some(unknown) = ids.iter().find(|id| !known(id)) {
        return Err(AcceptanceRejection::UnknownFinding(unknown.clone()));
    }
    let mut chosen: ChosenFindings = Vec::new();
    for check in &found.checks {
        let mut findings: Vec<FindingName> =
            open_findings(check).filter(|finding| ids.contains(&finding.id)).collect();
        findings.dedup();
        if !findings.is_empty() {
            chosen.push((check.name.clone().into_owned(), findings));
        }
    }
    let before = found.accepted().filter(|accepted| ids.contains(&accepted.id)).count();
    Ok((chosen, before as u64))
}

fn open_findings(check: &Check) -> impl Iterator<Item = FindingName> + '_ {
    let both = check.finding_ids.iter().zip(&check.about);
    both.map(|(id, about)| FindingName { id: id.clone(), about: about.clone() })
}
