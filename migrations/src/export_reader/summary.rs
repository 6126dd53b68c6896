//! Checks an export against its own summary. An export that failed, or that lost documents on the way,
//! would remove what a store has.

use rollbook_domain::Collection;
use serde::Deserialize;
use serde_json::Value;

use super::{Export, ImportError};

/// The parts of `BACKUP_SUMMARY.json` that are checked. Values of other types count as absent.
#[derive(Default, Deserialize)]
struct Summary {
    #[serde(default)]
    status: Value,
    #[serde(default)]
    collections: Value,
    #[serde(default)]
    totals: Value,
}

/// Requires that the export did not fail, and that its summary and its files agree. Collections that
/// Rollbook does not store are not compared. An export without a summary passes.
///
/// # Errors
/// [`ImportError::FailedCollection`], [`ImportError::FailedCollections`],
/// [`ImportError::CountDiffers`].
pub(super) fn check(export: &Export) -> Result<(), ImportError> {
    let Some(text) = &export.summary else { return Ok(()) };
    let summary: Summary = text.read().map_err(|source| ImportError::File {
        file: "BACKUP_SUMMARY.json".to_owned(),
        source: source.into(),
    })?;
    if let Some(status) = failed(&summary.status) {
        let collection = "the export".to_owned();
        return Err(ImportError::FailedCollection { collection, status, error: None });
    }
    let listed = summary.collections.as_array().map(Vec::as_slice).unwrap_or_default();
    let known = |entry: &&Value| {
        Collection::ALL
            .iter()
            .any(|collection| entry.get("name").is_some_and(|name| name == collection.name()))
    };
    for entry in listed.iter().filter(known) {
        check_collection(export, entry)?;
    }
    let is_failed = |entry: &Value| failed(entry.get("status").unwrap_or(&Value::Null)).is_some();
    match summary.totals.get("failedCollections").and_then(Value::as_u64) {
        Some(failed) if failed > 0 && !listed.iter().any(is_failed) => {
            Err(ImportError::FailedCollections { failed })
        }
        _ => Ok(()),
    }
}

/// Compares one entry of the summary with its file.
fn check_collection(export: &Export, entry: &Value) -> Result<(), ImportError> {
    let collection = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let error = entry.get("error").and_then(Value::as_str).map(str::to_owned);
    if let Some(status) = failed(entry.get("status").unwrap_or(&Value::Null)) {
        return Err(ImportError::FailedCollection { collection, status, error });
    }
    let is_named = |exported: &&(_, _)| {
        let (exported, _): &(rollbook_domain::event::ExportedCollection, Vec<_>) = exported;
        exported.collection.name() == collection
    };
    let documents = export.collections.iter().find(is_named).map_or(0, |(_, found)| found.len());
    let found = documents as u64;
    match entry.get("count").and_then(Value::as_u64) {
        Some(summary) if summary != found => {
            Err(ImportError::CountDiffers { collection, summary, found })
        }
        _ => Ok(()),
    }
}

/// The status, if it is one of a failure. The old exporter writes `success` or `failed`.
fn failed(status: &Value) -> Option<String> {
    let status = status.as_str()?;
    (!status.eq_ignore_ascii_case("success")).then(|| status.to_owned())
}
