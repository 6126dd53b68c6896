//! Planning: writes what every series lacks into a batch file and changes nothing. A plan is the
//! dry run of a migration.

use std::path::{Path, PathBuf};

use rollbook_domain::calendar::Zone;
use rollbook_domain::series::Series;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{self, PrecreatedView};
use rollbook_projections::{Runtime, Snapshot};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchWriter, Counts, Header, Source};
use crate::definition::Obstacle;
use crate::error::MigrationError;
use crate::rules::{BatchRules, Inversion, Options};
use crate::{inverse, kinds};

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The batch file.
    pub file: PathBuf,
    /// Its header.
    pub header: Header,
    /// The parts of series that remain unmigrated, and why.
    pub obstacles: Vec<SeriesObstacle>,
}

/// A part of a series that the migration leaves as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesObstacle {
    /// The stream of the series.
    pub series: String,
    /// The reason.
    #[serde(flatten)]
    pub obstacle: Obstacle,
}

/// The time zone of the old server, as the store keeps it.
pub(crate) fn zone(snapshot: &Snapshot) -> Result<Zone, MigrationError> {
    let (rows, _) = snapshot.rows::<Directory>()?;
    Ok(directory::zone(&rows)?)
}

/// Plans a migration for every series into a batch file: `out`, or a name made of kind and digest
/// in the current directory. The digest of [`Inversion::of`] may be shortened.
///
/// # Errors
/// [`MigrationError::NothingToMigrate`] when no series lacks anything: then no file is written.
/// [`MigrationError::NoSuchBatch`] and [`MigrationError::NoInverse`] when a batch cannot be undone,
/// [`MigrationError::NoSeriesOf`] when a named client has no series.
/// When the store contains no import or cannot be read, or when the file cannot be written.
pub fn plan(
    runtime: &Runtime,
    options: impl Into<Options>,
    out: Option<&Path>,
) -> Result<Plan, MigrationError> {
    let snapshot = runtime.snapshot()?;
    let (rows, position) = snapshot.rows::<PrecreatedView>()?;
    if position == 0 {
        return Err(MigrationError::NothingImported);
    }
    let zone = zone(&snapshot)?;
    let options = whole(options.into(), &snapshot)?;
    let definition = kinds::definition(&options, zone, runtime)?;
    let directory = out
        .and_then(Path::parent)
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut writer = BatchWriter::begin(directory)?;
    let mut counts = Counts::default();
    let mut not_seen = options.clients().cloned().unwrap_or_default();
    let mut obstacles = Vec::new();
    let mut written = Ok(());
    views::each_series(&rows, &mut |stream, series: Series| {
        let plan = definition.plan_series(&stream, &series);
        stream.client().map(|client| not_seen.remove(client));
        counts.series += u64::from(plan.concerned);
        plan.events.iter().for_each(|event| counts.add(&event.event));
        let series = stream.to_string();
        obstacles.extend(
            plan.obstacles
                .into_iter()
                .map(|obstacle| SeriesObstacle { series: series.clone(), obstacle }),
        );
        if written.is_ok() {
            written = plan.events.iter().try_for_each(|event| writer.push(event));
        }
        Ok(())
    })?;
    written?;
    if let Some(client) = not_seen.pop_first() {
        return Err(MigrationError::NoSeriesOf { client });
    }
    if counts.events == 0 {
        return Err(MigrationError::NothingToMigrate { obstacles: obstacles.len() });
    }
    let source = Source { log: runtime.log().store_id(), position };
    let rules = BatchRules { options, zone: zone.to_string() };
    let (file, header) = writer.finish(out, |digest| Header { rules, source, counts, digest })?;
    Ok(Plan { file, header, obstacles })
}

/// The options with the whole digest of the batch that they name.
fn whole(options: Options, snapshot: &Snapshot) -> Result<Options, MigrationError> {
    let Options::Inverse(Inversion { of, at }) = options else { return Ok(options) };
    let control = tracker::control(&snapshot.rows::<Tracker>()?.0)?;
    Ok(Options::Inverse(Inversion { of: inverse::resolve(&control, &of)?, at }))
}
