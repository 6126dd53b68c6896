//! Comparing stored rows with a fresh fold, without changing them. The fresh rows are folded into
//! another store, so memory stays bounded and nothing is written to this one. This module also
//! finds stray rows, which belong to no projection.

use std::cmp::Ordering;

use rollbook_domain::Position;
use rollbook_log::{Log, LogError, Row, RowScan};
use serde::Serialize;

use super::fold::{Target, fold};
use super::state::{Role, State, find_state, row_prefix, serving, state_key};
use super::{Progress, Runtime};
use crate::error::ProjectionError;
use crate::projection::{DynProjection, ProjectionName};

/// How a projection's rows compare with a fresh fold up to the same position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowsComparison {
    /// The projection.
    pub name: &'static str,
    /// The position up to which its rows are folded.
    pub position: Position,
    /// The number of its rows.
    pub rows: u64,
    /// The number of rows that differ, are missing, or should not exist.
    pub different: u64,
    /// The key of the first such row.
    pub first_different: Option<String>,
    /// Whether nothing was compared because the rows have another version of the projection. The
    /// next catch-up builds them again.
    pub outdated: bool,
}

/// Rows that belong to no projection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StrayRows {
    /// How many there are.
    pub rows: u64,
    /// The key of the first one.
    pub first: Option<String>,
}

/// The generation of the fresh rows.
const FRESH: u32 = 1;

impl Runtime {
    /// Folds every projection except those in `skip` afresh into the rows of `scratch`, another
    /// store, up to the checkpoint of its rows here, and compares row by row.
    ///
    /// # Errors
    /// If the log or the rows cannot be read, or the scratch store cannot be written.
    pub fn compare(
        &self,
        scratch: &Log,
        skip: &[ProjectionName],
        progress: Progress<'_>,
    ) -> Result<Vec<RowsComparison>, ProjectionError> {
        let snapshot = self.log.rows().snapshot();
        let mut states = Vec::new();
        for projection in self.projections.iter().map(AsRef::as_ref) {
            if !skip.contains(&projection.name()) {
                states.push((projection, serving(&snapshot, projection.name())?));
            }
        }
        self.fold_fresh(scratch, &states, progress)?;
        let built = scratch.rows().snapshot();
        let mut compared = Vec::new();
        for (projection, state) in states {
            let name = projection.name();
            let outdated = is_outdated(projection, &state);
            let mut one = RowsComparison {
                name: name.as_str(),
                position: state.checkpoint,
                rows: 0,
                different: 0,
                first_different: None,
                outdated,
            };
            if !outdated {
                let prefixes = (row_prefix(name, state.generation), row_prefix(name, FRESH));
                one.compare(
                    snapshot.scan(&prefixes.0)?,
                    built.scan(&prefixes.1)?,
                    prefixes.0.len(),
                )?;
            }
            compared.push(one);
        }
        Ok(compared)
    }

    /// Folds into `scratch` each projection up to the checkpoint of its state, unless its rows have
    /// another version. Rows are written together, so there is usually one checkpoint.
    fn fold_fresh(
        &self,
        scratch: &Log,
        states: &[(&dyn DynProjection, State)],
        progress: Progress<'_>,
    ) -> Result<(), ProjectionError> {
        let mut ends: Vec<Position> = states
            .iter()
            .map(|(_, state)| state.checkpoint)
            .filter(|end| *end <= self.log.head())
            .collect();
        ends.sort_unstable();
        ends.dedup();
        for end in ends {
            let here = states.iter().filter(|(projection, state)| {
                state.checkpoint == end && !is_outdated(*projection, state)
            });
            let mut targets: Vec<Target<'_>> = here
                .map(|(projection, _)| Target {
                    projection: *projection,
                    state: State {
                        version: projection.version(),
                        generation: FRESH,
                        checkpoint: 0,
                    },
                    role: Role::Serving,
                })
                .collect();
            fold((&self.log, scratch), &mut targets, end, None, progress)?;
        }
        Ok(())
    }

    /// Finds rows that belong neither to a serving generation nor to one that is being built.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn stray_rows(&self) -> Result<StrayRows, ProjectionError> {
        let snapshot = self.log.rows().snapshot();
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        for name in self.names().iter().copied() {
            for role in [Role::Serving, Role::Building] {
                keys.push(state_key(name, role));
                if let Some(state) = find_state(&snapshot, name, role)? {
                    prefixes.push(row_prefix(name, state.generation));
                }
            }
        }
        let mut stray = StrayRows::default();
        for row in snapshot.scan(b"")? {
            let (key, _) = row?;
            let is_known = prefixes.iter().any(|prefix| key.starts_with(prefix))
                || keys.iter().any(|known| **known == *key);
            if !is_known {
                stray.rows += 1;
                stray.first.get_or_insert_with(|| String::from_utf8_lossy(&key).into_owned());
            }
        }
        Ok(stray)
    }
}

fn is_outdated(projection: &dyn DynProjection, state: &State) -> bool {
    state.checkpoint > 0 && state.version != projection.version()
}

impl RowsComparison {
    /// Merges both scans in the order of their keys, after prefixes of equal length.
    fn compare(
        &mut self,
        stored: RowScan<'_>,
        fresh: RowScan<'_>,
        prefix_bytes: usize,
    ) -> Result<(), LogError> {
        let own = |row: &Row| row.0.get(prefix_bytes..).unwrap_or_default().to_vec();
        let (mut stored, mut fresh) = (stored, fresh);
        let (mut one, mut other) = (stored.next().transpose()?, fresh.next().transpose()?);
        loop {
            let order = match (&one, &other) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => own(one).cmp(&own(other)),
            };
            let differs = order != Ordering::Equal
                || one.as_ref().map(|row| &row.1) != other.as_ref().map(|row| &row.1);
            if differs {
                self.different += 1;
                let key = if order == Ordering::Greater { &other } else { &one };
                let key = key.as_ref().map(|row| String::from_utf8_lossy(&own(row)).into_owned());
                self.first_different = self.first_different.take().or(key);
            }
            self.rows += u64::from(order != Ordering::Greater);
            if order != Ordering::Greater {
                one = stored.next().transpose()?;
            }
            if order != Ordering::Less {
                other = fresh.next().transpose()?;
            }
        }
    }
}
