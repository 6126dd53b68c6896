//! The findings of a validation, one page at a time: open, accepted, and accepted but no longer
//! found.

use rollbook_domain::{Position, Timestamp};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::validate::{self, AcceptedFinding, CHECKS, Validation};
use serde::{Deserialize, Serialize};
use strum::EnumString;

use crate::operations::OperationError;
use crate::store::{Store, StoreError};
use rollbook_domain::control::AcceptanceRejection;

/// The state of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FindingState {
    /// It makes its check red.
    Open,
    /// It was accepted, and a check finds it.
    Accepted,
    /// It was accepted, and no check finds it any more.
    Stale,
}

impl FindingState {
    /// The name that programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Stale => "stale",
        }
    }
}

/// Who accepted a finding, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindingAcceptance {
    /// Who accepted it, such as `admin:robin`.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// The position of the event.
    pub position: Position,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListedFinding {
    /// Its id: the same at every instant and on every store, until one of its facts changes.
    pub id: String,
    /// The name of the check.
    pub check: String,
    /// Its state.
    pub state: FindingState,
    /// The finding in words.
    pub what: String,
    /// Who accepted it, and why; null if it is open.
    pub acceptance: Option<FindingAcceptance>,
}

/// A page of findings, in the order of the checks; stale ones are last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindingPage {
    /// The head of the log that was checked.
    pub at: Position,
    /// The number of open findings of all checks.
    pub open: u64,
    /// The number of accepted findings that a check finds.
    pub accepted: u64,
    /// The number of accepted findings that no check finds any more.
    pub stale: u64,
    /// The findings of this page.
    pub findings: Vec<ListedFinding>,
    /// The `after` of the next page; null on the last.
    pub next: Option<u64>,
}

/// The selection of a page of findings.
#[derive(Clone, Debug)]
pub struct FindingQuery {
    /// Only those of this check.
    pub check: Option<String>,
    /// Only those in this state.
    pub state: Option<FindingState>,
    /// How many of the selected findings to skip.
    pub after: u64,
    /// The maximum number; `None` for all.
    pub limit: Option<usize>,
    /// The grace of the pre-created view before a week is overdue, in milliseconds.
    pub overdue_after_milliseconds: i64,
}

/// Runs the checks, records nothing, and returns a page of their findings.
///
/// # Errors
/// If no check has the name, or the store cannot be read.
pub fn findings(
    store: &Store,
    query: &FindingQuery,
    now: Timestamp,
    watch: &Monitor<'_>,
) -> Result<FindingPage, OperationError> {
    if let Some(check) = query.check.as_ref().filter(|check| !CHECKS.contains(&check.as_str())) {
        let unknown = AcceptanceRejection::UnknownCheck(check.clone());
        return Err(StoreError::from(unknown).into());
    }
    let found = validate::preview(store.runtime(), query.overdue_after_milliseconds, now, watch)?;
    Ok(page(&found, query))
}

fn page(found: &Validation, query: &FindingQuery) -> FindingPage {
    let all = listed(found);
    let count = |state| all.iter().filter(|finding| finding.state == state).count() as u64;
    let (open, accepted, stale) =
        (count(FindingState::Open), count(FindingState::Accepted), count(FindingState::Stale));
    let selected: Vec<ListedFinding> = all
        .into_iter()
        .filter(|finding| query.check.as_ref().is_none_or(|check| finding.check == *check))
        .filter(|finding| query.state.is_none_or(|state| finding.state == state))
        .collect();
    let limit = query.limit.unwrap_or(usize::MAX);
    let skipped = usize::try_from(query.after).unwrap_or(usize::MAX);
    let more = selected.len().saturating_sub(skipped) > limit;
    let findings: Vec<ListedFinding> = selected.into_iter().skip(skipped).take(limit).collect();
    let next = more.then(|| query.after + findings.len() as u64);
    FindingPage { at: found.at, open, accepted, stale, findings, next }
}

fn listed(found: &Validation) -> Vec<ListedFinding> {
    let mut all = Vec::new();
    for check in &found.checks {
        all.extend(check.finding_ids.iter().zip(&check.findings).map(|(id, what)| ListedFinding {
            id: id.clone(),
            check: check.name.clone().into_owned(),
            state: FindingState::Open,
            what: what.clone(),
            acceptance: None,
        }));
        all.extend(check.accepted.iter().map(|found| accepted(found, FindingState::Accepted)));
    }
    all.extend(found.stale.iter().map(|found| accepted(found, FindingState::Stale)));
    all
}

fn accepted(found: &AcceptedFinding, state: FindingState) -> ListedFinding {
    let AcceptedFinding { id, check, what, reason, by, position, .. } = found.clone();
    let acceptance = Some(FindingAcceptance { by, reason, position });
    ListedFinding { id, check, state, what, acceptance }
}
