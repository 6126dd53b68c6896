//! Comparing stored rows with a fresh fold, without touching them: the fresh ones are folded into another store, which only lends its
//! rows, so that memory stays bounded and nothing is written here. Also finds rows that belong to no projection.

use std::cmp::Ordering;

use rollbook_domain::Position;
use rollbook_log::{Log, LogError, Row, RowScan};
use serde::Serialize;

use super::fold::{Target, fold};
use super::state::{Role, State, find_state, row_prefix, serving, state_key};
use super::{Progress, Runtime};
use crate::error::ProjectionError;

/// How a projection's rows compare with a fresh fold up to the same position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The projection.
    pub name: &'static str,
    /// The position its rows are folded up to.
    pub position: Position,
    /// How many rows it has.
    pub rows: u64,
    /// How many rows differ, are missing or are too many.
    pub different: u64,
    /// The key of the first of them.
    pub first_different: Option<String>,
    /// Whether nothing was compared, the rows being of another version of the projection: the next command builds them anew.
    pub outdated: bool,
}

/// Rows that belong to no projection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StrayRows {
    /// How many.
    pub rows: u64,
    /// The key of the first of them.
    pub first: Option<String>,
}

/// The generation that fresh rows have.
const FRESH: u32 = 1;

impl Runtime {
    /// Folds every projection but those that `skip` names afresh into the rows of `scratch`, another store, up to where its rows are, and
    /// compares row by row.
    ///
    /// # Errors
    /// When the log or the rows cannot be read, or the scratch store not written.
    pub fn compare(
        &self,
        scratch: &Log,
        skip: &[&str],
        progress: Progress<'_>,
    ) -> Result<Vec<Compared>, ProjectionError> {
        let snapshot = self.log.rows().snapshot();
        let mut states = Vec::new();
        for projection in self
            .projections
            .iter()
            .map(AsRef::as_ref)
            .filter(|projection| !skip.contains(&projection.name()))
        {
            states.push((projection, serving(&snapshot, projection.name())?));
        }
        let is_outdated = |projection: &dyn super::Projection, state: &State| {
            state.checkpoint > 0 && state.version != projection.version()
        };
        let fresh = |projection: &dyn super::Projection| State {
            version: projection.version(),
            generation: FRESH,
            checkpoint: 0,
        };
        // Rows are written together, so all are folded up to one position but where a version changed.
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
                    state: fresh(*projection),
                    role: Role::Serving,
                })
                .collect();
            fold(&self.log, scratch, &mut targets, end, progress)?;
        }
        let built = scratch.rows().snapshot();
        let mut compared = Vec::new();
        for (projection, state) in states {
            let name = projection.name();
            let outdated = is_outdated(projection, &state);
            let mut one = Compared {
                name,
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

    /// Rows that no projection of today keeps: neither in the generation that serves nor in one that is being built.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn stray_rows(&self) -> Result<StrayRows, ProjectionError> {
        let snapshot = self.log.rows().snapshot();
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        for name in self.names() {
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

impl Compared {
    /// Goes through both in the order of their keys, which have prefixes of one length.
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
