//! The findings that are accepted, read from the events that accepted them.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::control::Control;
use rollbook_domain::event::{Acceptance, AcceptedFindings, FindingName};
use rollbook_domain::{Actor, Event, Position};
use rollbook_log::Log;
use serde::{Deserialize, Serialize};

use super::Validation;
use crate::error::MigrationError;

/// A finding that a person accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedFinding {
    /// Its id.
    pub id: String,
    /// The name of the check.
    pub check: String,
    /// The finding in words; what it is about, if it is no longer found.
    pub what: String,
    /// What it is about, as recorded.
    pub about: String,
    /// The reason for accepting it.
    pub reason: String,
    /// Who accepted it, such as `admin:robin`.
    pub by: String,
    /// The position of the event that accepted it.
    pub position: Position,
}

impl AcceptedFinding {
    /// The findings of one recorded value.
    pub fn of(recorded: &AcceptedFindings) -> impl Iterator<Item = Self> + '_ {
        let AcceptedFindings { check, findings, reason, by, at } = recorded;
        findings.iter().map(move |FindingName { id, about }| Self {
            id: id.clone(),
            check: check.clone(),
            what: about.clone(),
            about: about.clone(),
            reason: reason.clone(),
            by: by.clone(),
            position: *at,
        })
    }
}

/// Every finding that is accepted, by id.
pub(super) fn read(
    log: &Log,
    control: &Control,
) -> Result<BTreeMap<String, AcceptedFinding>, MigrationError> {
    let positions: BTreeSet<Position> = control.accepted.values().copied().collect();
    let mut accepted = BTreeMap::new();
    for position in positions {
        let Some(recorded) = log.at(position)? else { continue };
        let Event::FindingsAccepted(Acceptance { check, findings, reason }) = recorded.event else {
            continue;
        };
        let by = named(&recorded.actor);
        let all = AcceptedFindings { check, findings, reason, by, at: position };
        let in_force = |found: &AcceptedFinding| control.accepted.get(&found.id) == Some(&position);
        let found = AcceptedFinding::of(&all).filter(in_force);
        accepted.extend(found.map(|found| (found.id.clone(), found)));
    }
    Ok(accepted)
}

/// The role and the id of an actor.
fn named(actor: &Actor) -> String {
    let (role, id) = match actor {
        Actor::Client(id) => ("client", id),
        Actor::Coach(id) => ("coach", id),
        Actor::Admin(id) => ("admin", id),
        Actor::System(id) => ("system", id),
        Actor::Migration(id) => ("migration", id),
    };
    format!("{role}:{id}")
}

impl Validation {
    /// Adds the accepted findings that no check found.
    pub(super) fn with_stale(mut self, mut accepted: BTreeMap<String, AcceptedFinding>) -> Self {
        for found in self.accepted() {
            accepted.remove(&found.id);
        }
        self.stale = accepted.into_values().collect();
        self
    }

    /// The accepted findings that were found, one value for each check and event.
    pub(super) fn accepted_by_event(&self) -> Vec<AcceptedFindings> {
        let mut grouped: BTreeMap<(Position, &str), AcceptedFindings> = BTreeMap::new();
        for found in self.accepted() {
            let AcceptedFinding { id, check, about, reason, by, position, .. } = found;
            let group = grouped.entry((*position, check)).or_insert_with(|| AcceptedFindings {
                check: check.clone(),
                findings: Vec::new(),
                reason: reason.clone(),
                by: by.clone(),
                at: *position,
            });
            group.findings.push(FindingName { id: id.clone(), about: about.clone() });
        }
        grouped.into_values().collect()
    }
}
