//! Parity: compares both views of every client at every instant at which either can change.
//!
//! A difference gets a class only if the cause of that class is found in the rows, or if the events
//! show that a recorded decision causes it (`causes`); there is no default class. Source:
//! `docs/spec/precreated-view.md`, "Where the two views may differ after the migration, and why".

mod at;
mod causes;
mod decision;
mod difference;
mod explain;
mod facts;
mod field;
mod past;
mod presence;
mod report;
mod tally;
mod verdict;

pub use past::{LogUntil, RecordedEvents};
pub use report::{Class, DecisionSummary, Example, ParityReport, UnexplainedDifference};

use std::sync::atomic::{AtomicU64, Ordering};

use rollbook_domain::Timestamp;
use rollbook_domain::calendar::Zone;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::{clients, identify};
use rollbook_projections::rows::RowSource;
use rollbook_projections::turning_points::turning_points;
use rollbook_projections::views::{legacy_rows, precreated_rows};

use crate::parallel;
use crate::rules::DueRule;
use at::{Moment, Rows};
use causes::causes;
use facts::Facts;
use past::ClientState;
use tally::Tally;

/// The rules by which the two views differ on purpose.
#[derive(Clone, Copy, Debug)]
pub struct ParityRules {
    /// The grace of the pre-created view before a week is overdue, in milliseconds.
    pub overdue_after_milliseconds: i64,
    /// The due rule of the last applied batch.
    pub due: DueRule,
    /// The time zone of the old server.
    pub zone: Zone,
}

impl Default for ParityRules {
    fn default() -> Self {
        Self {
            overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS,
            due: DueRule::default(),
            zone: Zone::default(),
        }
    }
}

/// The rows of both views and of the directory at the same position of the log.
#[derive(Clone, Copy)]
pub struct BothRows<'a> {
    /// The rows of the directory.
    pub directory: &'a (dyn RowSource + Sync),
    /// The rows of the legacy view.
    pub legacy: &'a (dyn RowSource + Sync),
    /// The rows of the pre-created view.
    pub precreated: &'a (dyn RowSource + Sync),
    /// The events that the rows were folded from.
    pub events: &'a dyn RecordedEvents,
}

/// Compares both views for every client document. `progress` is called with the number of clients
/// done and of all clients, from any thread.
///
/// # Errors
/// If the rows cannot be read.
pub fn compare(
    rows: BothRows<'_>,
    rules: &ParityRules,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<ParityReport, ProjectionError> {
    let clients = clients(rows.directory)?;
    let done = AtomicU64::new(0);
    let reports = parallel::fold(&clients, |report: &mut ParityReport, client| {
        report.absorb(compare_client(rows, rules, client)?);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, clients.len() as u64);
        Ok::<_, ProjectionError>(())
    })?;
    let mut all = ParityReport::default();
    reports.into_iter().for_each(|report| all.absorb(report));
    all.unexplained.sort();
    Ok(all)
}

/// Compares both views for one client at every instant at which either view can change. The views
/// are constant in between.
///
/// # Errors
/// If the rows cannot be read.
pub fn compare_client(
    rows: BothRows<'_>,
    rules: &ParityRules,
    client: &str,
) -> Result<ParityReport, ProjectionError> {
    let identity = identify(rows.directory, client)?;
    if !identity.onboarded {
        // Both lists are empty at every instant.
        return Ok(Tally::new(client, &[]).report);
    }
    let stored = ClientState {
        legacy: legacy_rows(rows.directory, rows.legacy, &identity)?,
        precreated: precreated_rows(rows.precreated, &identity)?,
    };
    let grace = rules.overdue_after_milliseconds;
    let instants = turning_points(&stored.legacy, &stored.precreated, rules.zone, grace);
    let count = instants.len() as u64;
    let (mut tally, unresolved) =
        tally_of(client, &identity.ids, &stored, rules, instants).into_parts();
    tally.report.instants = count;
    if !unresolved.is_empty() {
        let causes = causes(&rows, rules, &identity, &stored, &unresolved)?;
        tally.resolve(unresolved, causes);
    }
    Ok(tally.report)
}

/// Compares both views of some rows at some instants.
fn tally_of<'c>(
    client: &'c str,
    ids: &[String],
    state: &ClientState,
    rules: &ParityRules,
    instants: impl IntoIterator<Item = Timestamp>,
) -> Tally<'c> {
    let facts = Facts::of(ids, &state.legacy, &state.precreated);
    let mut tally = Tally::new(client, &facts.forms);
    let rows = Rows { ids, legacy: &state.legacy, precreated: &state.precreated };
    for now in instants {
        Moment::new(&facts, rules, &rows, now).compare(&mut tally);
    }
    tally
}
