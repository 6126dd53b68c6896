//! Reports on plans and validations.

use std::io;
use std::path::{Path, PathBuf};

use rollbook_domain::{Position, StreamId};
use rollbook_migrations::batch::{Batch, Header};
use rollbook_migrations::plan::SeriesObstacle;
use rollbook_migrations::review::{self, ReviewError, Scope, SeriesReview};
use rollbook_migrations::validate::Validation;
use serde::{Deserialize, Serialize};

use super::status::Validated;
use crate::store::{Store, StoreError};

/// What a batch file holds, and what planning left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanReport {
    /// The batch file.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub file: PathBuf,
    /// SHA-256 over its events, in hexadecimal.
    pub digest: String,
    /// The definition's name.
    pub kind: String,
    /// When made weeks are due: `monday` or `weekday`.
    pub due: String,
    /// The old server's zone.
    pub zone: String,
    /// Series that the migration is about.
    pub series: u64,
    /// Events.
    pub events: u64,
    /// Weeks to create.
    pub created: u64,
    /// Responses to link to their own week.
    pub linked: u64,
    /// Weekless responses to link.
    pub adopted: u64,
    /// What stays as it is, and why.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<super::schemas::LeftAsItIs>))]
    pub obstacles: Vec<SeriesObstacle>,
}

impl PlanReport {
    /// What a header says of a file.
    pub fn of(file: &Path, header: &Header, obstacles: Vec<SeriesObstacle>) -> Self {
        let counts = header.counts;
        Self {
            file: file.to_owned(),
            digest: header.digest.clone(),
            kind: header.kind.clone(),
            due: header.rules.due.to_string(),
            zone: header.rules.zone.clone(),
            series: counts.series,
            events: counts.events,
            created: counts.created,
            linked: counts.linked,
            adopted: counts.adopted,
            obstacles,
        }
    }
}

/// Passes what a batch does to each series to `visit`, or only to the series `series`. With a store,
/// also what stays as it is there, and why. Returns how many series there were.
///
/// # Errors
/// When the batch or the store cannot be read, when they have different zones, or when `visit`
/// fails.
pub fn review(
    batch: &Batch,
    series: Option<&StreamId>,
    store: Option<&Store>,
    visit: &mut dyn FnMut(&SeriesReview) -> io::Result<()>,
) -> Result<u64, ReviewError> {
    review::review(batch, Scope { series, store: store.map(Store::runtime) }, visit)
}

/// A validation, with its figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValidationReport {
    /// The checks, and what they looked at.
    #[serde(flatten)]
    pub validation: Validation,
    /// How many hold.
    pub green: usize,
    /// Of how many.
    pub total: usize,
    /// Whether all do.
    pub all_green: bool,
}

impl From<Validation> for ValidationReport {
    fn from(validation: Validation) -> Self {
        let (green, total, all_green) =
            (validation.green(), validation.checks.len(), validation.all_green());
        Self { validation, green, total, all_green }
    }
}

/// The validations on record after a position, oldest first.
///
/// # Errors
/// When the log cannot be read.
pub fn validations(store: &Store, after: Position) -> Result<Vec<Validated>, StoreError> {
    let control = store.log().stream(&StreamId::Control, 0)?;
    let recorded = control.into_iter().filter(|recorded| recorded.position > after);
    Ok(recorded
        .filter_map(|recorded| Validated::recorded(recorded.position, recorded.event))
        .collect())
}
