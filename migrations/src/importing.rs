//! Carrying an import out: from an export that was read whole to events in the log. Owns the zone's rules, the size of commits
//! and going on after a cut; what the events are is `import`'s.

use std::collections::BTreeMap;

use rollbook_domain::calendar::Zone;
use rollbook_domain::{Actor, Collection, NewEvent, StreamId};
use rollbook_log::{Commit, ExpectedVersion, IdempotencyKey};
use rollbook_projections::Runtime;
use rollbook_projections::documents::Documents;
use rollbook_projections::tracker::{self, Tracker};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::apply::Watch;
use crate::error::MigrationError;
use crate::export_reader::{Export, UnknownCollection};
use crate::import::{Held, ImportCounts, plan_import};

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// SHA-256 over the events, in hexadecimal.
    pub digest: String,
    /// By collection.
    pub collections: BTreeMap<&'static str, ImportCounts>,
    /// Events appended now.
    pub appended: u64,
    /// The old server's zone, as the store keeps it.
    pub legacy_timezone: String,
    /// Collections that were left out.
    pub skipped: BTreeMap<String, u64>,
    /// The head of the log afterwards.
    pub head: u64,
}

/// Events of one commit, at the most; whole streams stay together where they fit.
const EVENTS_A_COMMIT: usize = 512;
/// Bytes of documents in one commit, at the most.
const BYTES_A_COMMIT: usize = 4 << 20;

/// Imports an export. Appends what is new or otherwise; nothing when nothing is.
///
/// # Errors
/// [`MigrationError::ImportZone`] when the store keeps another zone; what the log refuses; [`MigrationError::Interrupted`]
/// when `watch` asked for it: importing the same export again goes on.
pub fn import(
    runtime: &Runtime,
    export: Export,
    zone: Option<Zone>,
    watch: &Watch<'_>,
) -> Result<Imported, MigrationError> {
    let snapshot = runtime.snapshot()?;
    let (rows, _) = snapshot.rows::<Tracker>()?;
    let kept = tracker::control(&rows)?.legacy_timezone;
    let zone = match (kept, zone) {
        (Some(kept), Some(asked)) if kept != asked.to_string() => {
            return Err(MigrationError::ImportZone { kept, asked: asked.to_string() });
        }
        (Some(kept), _) => kept,
        (None, asked) => asked.unwrap_or_default().to_string(),
    };
    let control_version = runtime.log().stream_version(&StreamId::Control)?;
    let held = {
        let (rows, _) = snapshot.rows::<Documents>()?;
        let erased = runtime.log().erasures().into_iter().flat_map(|erasure| erasure.ids).collect();
        Held { erased, ..Held::read(&rows, &runtime.log().stream(&StreamId::Control, 0)?)? }
    };
    let skipped = export
        .unknown
        .iter()
        .map(|UnknownCollection { name, documents, .. }| (name.clone(), *documents as u64))
        .collect();
    let plan = plan_import(export, &held);
    let completed = plan.completed(&zone);
    let importing = Importing { runtime, digest: &plan.digest, imports_before: held.imports };
    let mut appended = importing.append_documents(&plan.events, watch)?;
    if let Some(completed) = completed {
        importing.append(
            "completed",
            vec![completed],
            vec![(StreamId::Control, ExpectedVersion::Exact(control_version))],
        )?;
        appended += 1;
    }
    runtime.catch_up(watch.progress)?;
    Ok(Imported {
        collections: plan
            .counts
            .iter()
            .map(|(collection, counts): (&Collection, _)| (collection.name(), *counts))
            .collect(),
        appended,
        legacy_timezone: zone,
        skipped,
        head: runtime.log().head(),
        digest: plan.digest,
    })
}

struct Importing<'a> {
    runtime: &'a Runtime,
    digest: &'a str,
    imports_before: u64,
}

impl Importing<'_> {
    fn append_documents(
        &self,
        events: &[NewEvent],
        watch: &Watch<'_>,
    ) -> Result<u64, MigrationError> {
        let mut done = 0;
        for (number, events) in commits(events).into_iter().enumerate() {
            if (watch.interrupted)() {
                return Err(MigrationError::Interrupted);
            }
            let count = events.len() as u64;
            self.append(&number.to_string(), events, Vec::new())?;
            done += count;
            (watch.progress)(done, done);
        }
        Ok(done)
    }

    fn append(
        &self,
        part: &str,
        events: Vec<NewEvent>,
        expected: Vec<(StreamId, ExpectedVersion)>,
    ) -> Result<(), MigrationError> {
        let key = format!("import/{}/{}/{part}", self.imports_before + 1, self.digest);
        let key = IdempotencyKey { request: Sha256::digest(key.as_bytes()).into(), key };
        let actor = Actor::Migration(self.digest.to_owned());
        self.runtime.log().append(Commit {
            events,
            expected,
            actor,
            cause: self.digest.to_owned(),
            key: Some(key),
        })?;
        Ok(())
    }
}

/// Cuts events into commits, between streams where possible.
fn commits(events: &[NewEvent]) -> Vec<Vec<NewEvent>> {
    let size = |event: &NewEvent| match &event.event {
        rollbook_domain::Event::DocumentImported(document)
        | rollbook_domain::Event::DocumentChanged(document) => {
            document.body.expose().map_or(0, |body| body.as_str().len())
        }
        _ => 0,
    };
    let mut commits: Vec<Vec<NewEvent>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let fits = commits.last().is_some_and(|commit| {
            commit.len() < EVENTS_A_COMMIT && bytes + size(event) <= BYTES_A_COMMIT
        });
        if !fits {
            commits.push(Vec::new());
            bytes = 0;
        }
        bytes += size(event);
        if let Some(commit) = commits.last_mut() {
            commit.push(event.clone());
        }
    }
    commits
}
