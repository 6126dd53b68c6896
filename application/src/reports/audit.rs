//! Audits the data of a store. This module chooses the rows; the migrations crate makes the report.

use rollbook_domain::Timestamp;
use rollbook_migrations::adapters::StoredAudit;
use rollbook_migrations::audit::{AuditReport, AuditRules};

use crate::store::Store;
use crate::store::StoreError;

/// Audits a store. Whether a pause is over depends on `now`.
///
/// # Errors
/// If the store cannot be read.
pub fn audit(store: &Store, now: Timestamp) -> Result<AuditReport, StoreError> {
    let rules = AuditRules { now, zone: store.zone()? };
    let snapshot = store.snapshot()?;
    let source = StoredAudit { snapshot: &snapshot, log: store.log() };
    Ok(rollbook_migrations::audit::audit(&source, &rules)?)
}
