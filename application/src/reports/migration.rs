//! Reports on planned batches and on validations.

use std::io;
use std::path::{Path, PathBuf};

use rollbook_domain::{Position, StreamId};
use rollbook_migrations::batch::{Batch, Header};
use rollbook_migrations::plan::SeriesObstacle;
use rollbook_migrations::review::{self, ReviewError, Scope, SeriesReview};
use rollbook_migrations::validate::Validation;
use serde::{Deserialize, Serialize};

use super::status::RecordedValidation;
use crate::store::{Store, StoreError};

/// A planned batch: the figures of its file, and the obstacles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanReport {
    /// The path of the batch file.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub file: PathBuf,
    /// SHA-256 over the event lines of the file, in hexadecimal.
    pub digest: String,
    /// The kind of migration, such as `precreate`.
    pub kind: String,
    /// The due rule of created weeks, `monday` or `weekday`, for a kind that creates weeks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The options of the kind and the zone, as the log records them.
    #[serde(default)]
    pub rules: String,
    /// The time zone of the old server, an IANA name.
    pub zone: String,
    /// The number of series that the migration concerns.
    pub series: u64,
    /// The number of events.
    pub events: u64,
    /// The number of weeks to create.
    pub created: u64,
    /// The number of responses to link to the week that they state.
    pub linked: u64,
    /// The number of responses without a week to link to the week that names them.
    pub adopted: u64,
    /// The number of weeks to change.
    #[serde(default)]
    pub changed: u64,
    /// What the plan leaves unchanged, with the reason.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<super::schemas::LeftAsItIs>))]
    pub obstacles: Vec<SeriesObstacle>,
}

impl PlanReport {
    /// Reports the header of a batch file.
    pub fn of(file: &Path, header: &Header, obstacles: Vec<SeriesObstacle>) -> Self {
        let counts = header.counts;
        Self {
            file: file.to_owned(),
            digest: header.digest.clone(),
            kind: header.kind().to_owned(),
            due: header.rules.options.due().map(|due| due.to_string()),
            rules: header.rules.to_string(),
            zone: header.rules.zone.clone(),
            series: counts.series,
            events: counts.events,
            created: counts.created,
            linked: counts.linked,
            adopted: counts.adopted,
            changed: counts.changed,
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

/// A validation with the number of passed checks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValidationReport {
    /// The result of each check.
    #[serde(flatten)]
    pub validation: Validation,
    /// The number of checks that passed.
    pub green: usize,
    /// The number of checks.
    pub total: usize,
    /// Whether every check passed.
    pub all_green: bool,
}

impl From<Validation> for ValidationReport {
    fn from(validation: Validation) -> Self {
        let (green, total, all_green) =
            (validation.green(), validation.checks.len(), validation.all_green());
        Self { validation, green, total, all_green }
    }
}

/// Returns the recorded validations after a position, oldest first.
///
/// # Errors
/// If the log cannot be read.
pub fn validations(store: &Store, after: Position) -> Result<Vec<RecordedValidation>, StoreError> {
    let control = store.log().stream(&StreamId::Control, 0)?;
    let recorded = control.into_iter().filter(|recorded| recorded.position > after);
    Ok(recorded
        .filter_map(|recorded| RecordedValidation::recorded(recorded.position, &recorded.event))
        .collect())
}
