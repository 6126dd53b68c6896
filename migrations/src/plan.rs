//! Planning: reads every series, writes the batch file, changes nothing. It is the dry run, and the default. Owns the pass
//! over the store; what one series lacks is the definition's (`precreate`).

use std::path::{Path, PathBuf};

use rollbook_domain::calendar::Zone;
use rollbook_domain::series::Series;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::views::{self, PrecreatedView};
use rollbook_projections::{Runtime, Snapshot};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchWriter, Counts, FORMAT, Header, HeaderRules, PRECREATE, Source};
use crate::error::MigrationError;
use crate::precreate::{DueRule, Obstacle, Rules, plan_series};

/// What was planned.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// The batch file.
    pub file: PathBuf,
    /// Its header.
    pub header: Header,
    /// Series of which something stays as it is, and why.
    pub obstacles: Vec<SeriesObstacle>,
}

/// Something that the migration leaves as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesObstacle {
    /// The series' stream.
    pub series: String,
    /// Why.
    #[serde(flatten)]
    pub obstacle: Obstacle,
}

/// The zone of the store in this snapshot.
pub(crate) fn zone(snapshot: &Snapshot) -> Result<Zone, MigrationError> {
    let (rows, _) = snapshot.rows::<Directory>()?;
    Ok(directory::zone(&rows)?)
}

/// Plans the migration of every series into a batch file: `out`, or a name made of kind and digest in the current directory.
///
/// # Errors
/// When the store holds no import, cannot be read, or the file cannot be written.
pub fn plan(
    runtime: &Runtime,
    due: DueRule,
    out: Option<&Path>,
) -> Result<Planned, MigrationError> {
    let snapshot = runtime.snapshot()?;
    let (rows, position) = snapshot.rows::<PrecreatedView>()?;
    if position == 0 {
        return Err(MigrationError::NothingImported);
    }
    let zone = zone(&snapshot)?;
    let rules = Rules { due, zone };
    let directory = out
        .and_then(Path::parent)
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut writer = BatchWriter::begin(directory)?;
    let mut counts = Counts::default();
    let mut obstacles = Vec::new();
    let mut written = Ok(());
    views::each_series(&rows, &mut |stream, series: Series| {
        let plan = plan_series(&stream, &series, &rules);
        counts.series += u64::from(plan.concerned);
        counts.created += plan.created;
        counts.linked += plan.linked;
        counts.adopted += plan.adopted;
        counts.events += plan.events.len() as u64;
        obstacles.extend(
            plan.obstacles
                .into_iter()
                .map(|obstacle| SeriesObstacle { series: stream.to_string(), obstacle }),
        );
        if written.is_ok() {
            written = plan.events.iter().try_for_each(|event| writer.push(event));
        }
        Ok(())
    })?;
    written?;
    let source = Source { log: runtime.log().store_id(), position };
    let header_rules = HeaderRules { due, zone: zone.to_string() };
    let kind = PRECREATE.to_owned();
    let (file, header) = writer.finish(out, |digest| Header {
        rollbook_batch: FORMAT,
        kind,
        rules: header_rules,
        source,
        counts,
        digest,
    })?;
    Ok(Planned { file, header, obstacles })
}
