//! The zone of the old server, kept in memory once an import named it.
//!
//! A store keeps the zone of its first import: a later import with another zone is refused. So a
//! zone that was read once holds for as long as the store is open.

use std::sync::OnceLock;

use rollbook_domain::calendar::Zone;

use crate::directory::{Directory, imported_zone};
use crate::error::ProjectionError;
use crate::runtime::Runtime;

/// Caches the zone of one store.
#[derive(Debug, Default)]
pub struct ZoneCache(OnceLock<Zone>);

impl ZoneCache {
    /// The zone of the store; UTC until an import names one. Folds and reads rows only until then.
    ///
    /// # Errors
    /// As [`Runtime::snapshot`].
    pub fn zone(&self, runtime: &Runtime) -> Result<Zone, ProjectionError> {
        if let Some(zone) = self.0.get() {
            return Ok(*zone);
        }
        let snapshot = runtime.snapshot()?;
        let (rows, _) = snapshot.rows::<Directory>()?;
        Ok(imported_zone(&rows)?.map(|zone| *self.0.get_or_init(|| zone)).unwrap_or_default())
    }
}
