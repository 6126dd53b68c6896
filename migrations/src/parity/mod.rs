//! Parity: both views, of every client, at every instant at which either can change. Owns whom to compare and when; every
//! difference gets the one class whose cause is found in the rows, and none by default. Source: `docs/spec/precreated-view.md`,
//! "Where the two views may differ after the migration, and why".

mod at;
mod explain;
mod facts;
mod field;
mod instants;
mod presence;
mod report;
mod tally;

pub use instants::turning_points;
pub use report::{Class, Example, MOST_EXAMPLES, MOST_UNEXPLAINED, ParityReport, Unexplained};

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rollbook_domain::Timestamp;
use rollbook_domain::calendar::Zone;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::{identify, keys};
use rollbook_projections::rows::RowSource;
use rollbook_projections::views::{legacy_rows, precreated_rows};

use crate::precreate::DueRule;
use at::{Moment, Rows};
use facts::Facts;
use field::Field;
use tally::Tally;

/// By which rules the two views differ on purpose.
#[derive(Clone, Copy, Debug)]
pub struct ParityRules {
    /// The pre-created view's grace before overdue, in milliseconds.
    pub overdue_after_milliseconds: i64,
    /// When the weeks of the last applied batch are due.
    pub due: DueRule,
    /// The old server's zone.
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

/// Rows of both views at one position of the log.
#[derive(Clone, Copy)]
pub struct BothRows<'a> {
    /// The rows of the legacy view.
    pub legacy: &'a (dyn RowSource + Sync),
    /// The rows of the pre-created view.
    pub precreated: &'a (dyn RowSource + Sync),
}

/// How many clients are compared at a time.
const THREADS: usize = 2;

/// Compares both views for every client document, at every instant. `progress` is told (done, all), from any thread.
///
/// # Errors
/// When the rows cannot be read.
pub fn compare(
    rows: BothRows<'_>,
    rules: &ParityRules,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<ParityReport, ProjectionError> {
    let clients = clients(rows)?;
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || {
        let mut report = ParityReport::default();
        while let Some(client) = clients.get(next.fetch_add(1, Ordering::Relaxed)) {
            match compare_client(rows, rules, client) {
                Ok(one) => report.absorb(one),
                Err(error) => {
                    // The other threads need not go on.
                    next.store(clients.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, clients.len() as u64);
        }
        Ok(report)
    };
    let reports: Vec<Result<ParityReport, ProjectionError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    reports.into_iter().try_fold(ParityReport::default(), |mut all, report| {
        all.absorb(report?);
        Ok(all)
    })
}

/// Every client document that either view knows, in id order.
fn clients(rows: BothRows<'_>) -> Result<Vec<String>, ProjectionError> {
    let mut clients = Vec::new();
    for source in [rows.legacy, rows.precreated] {
        source.scan(keys::ALL_CLIENTS, &mut |key, _| {
            clients.push(
                String::from_utf8_lossy(key.get(keys::ALL_CLIENTS.len()..).unwrap_or_default())
                    .into_owned(),
            );
            Ok(())
        })?;
    }
    clients.sort();
    clients.dedup();
    Ok(clients)
}

/// Compares both views for one client at every instant at which either answer can change. Answers are constant in between.
///
/// # Errors
/// When the rows cannot be read.
pub fn compare_client(
    rows: BothRows<'_>,
    rules: &ParityRules,
    client: &str,
) -> Result<ParityReport, ProjectionError> {
    let (identity, other) = (identify(rows.legacy, client)?, identify(rows.precreated, client)?);
    if identity != other {
        let mut tally = Tally::new(client, &[]);
        let values = (format!("{identity:?}"), format!("{other:?}"));
        tally.whole(Timestamp::EPOCH, Field::Identity, values, "the views know another client");
        return Ok(tally.report);
    }
    if !identity.onboarded {
        // Both lists are empty at every instant.
        return Ok(Tally::new(client, &[]).report);
    }
    let (legacy, precreated) =
        (legacy_rows(rows.legacy, &identity)?, precreated_rows(rows.precreated, &identity)?);
    let facts = Facts::of(&identity.ids, &legacy, &precreated);
    let mut tally = Tally::new(client, &facts.forms);
    let rows = Rows { ids: &identity.ids, legacy: &legacy, precreated: &precreated };
    let instants = turning_points(&legacy, &precreated, rules);
    tally.report.instants = instants.len() as u64;
    for now in instants {
        Moment::new(&facts, rules, &rows, now).compare(&mut tally);
    }
    Ok(tally.report)
}
