//! What the store holds and what is odd about it. Owns which rows the audit looks at; the report is the migrations crate's.

use rollbook_domain::Timestamp;
use rollbook_migrations::adapters::StoredAudit;
use rollbook_migrations::audit::{AuditReport, AuditRules};

use crate::store::Store;
use crate::store::StoreError;

/// The audit of a store; whether a pause is over depends on `now`.
///
/// # Errors
/// When the store cannot be read.
pub fn audit(store: &Store, now: Timestamp) -> Result<AuditReport, StoreError> {
    let rules = AuditRules { now, zone: store.zone()? };
    let snapshot = store.snapshot()?;
    let source = StoredAudit { snapshot: &snapshot, log: store.log() };
    Ok(rollbook_migrations::audit::audit(&source, &rules)?)
}
