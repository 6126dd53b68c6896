//! Verifies a backup: restores it into a temporary directory, replays every event, and compares the
//! result with the manifest.

use std::path::Path;

use rollbook_domain::Position;
use rollbook_log::{LogError, MasterKeySource, StagedDirectory};
use rollbook_projections::{DynProjection, Runtime};
use serde::Serialize;

use super::manifest::{Manifest, ProjectionDigest};
use super::{BackupError, Backups, Progress, check, restore};

/// The figures of a verified backup.
#[derive(Clone, Debug, Serialize)]
pub struct BackupVerification {
    /// The name of the backup.
    pub name: String,
    /// SHA-256 of the manifest, as recorded in the store.
    pub manifest_digest: String,
    /// The head of the log.
    pub head: Position,
    /// The number of files whose SHA-256 was checked.
    pub files: usize,
    /// The number of bytes in these files.
    pub bytes: u64,
    /// SHA-256 over the restored log. It equals that of the manifest.
    pub log_digest: String,
    /// The root of the restored Merkle tree. It equals that of the manifest.
    pub merkle_root: String,
    /// Each projection, folded again from position 1.
    pub projections: Vec<ComparedRows>,
}

/// The rows of a projection, folded again.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedRows {
    /// The name of the projection.
    pub name: String,
    /// The number of rows.
    pub rows: u64,
    /// SHA-256 over the rows.
    pub digest: String,
    /// Whether the rows were compared with the manifest. They are not if this build has another
    /// version of the rows than the build that took the backup.
    pub compared: bool,
}

impl Backups {
    /// Restores a backup into a temporary directory (in `scratch`, or else beside the backups),
    /// replays every event, compares log, root and rows with the manifest, and removes the
    /// directory.
    ///
    /// # Errors
    /// If a file is damaged, if the restored content differs, or if the disk is full.
    pub fn verify(
        &self,
        name: &str,
        scratch: Option<&Path>,
        master_key: &MasterKeySource,
        progress: Progress<'_>,
    ) -> Result<BackupVerification, BackupError> {
        let path = self.existing(name)?;
        let _not_taken_away = self.lock_to_read()?;
        let (manifest, manifest_digest) = Manifest::read(&path, name)?;
        check::contents(&path, &manifest, progress)?;
        // Dropping the staged directory deletes it.
        let beside = StagedDirectory::begin(
            &scratch.unwrap_or(&self.directory).join(format!(".verifying-{name}")),
        )?;
        let (log, _) = restore::build(
            &path,
            &manifest,
            beside.path(),
            &self.master_key(master_key, &path),
            progress,
        )?;
        let runtime = Runtime::new(log, rollbook_projections::all());
        let log_digest = replay(&runtime, &manifest, progress)?;
        let projections = compare_rows(&runtime, &manifest, progress)?;
        let merkle_root = super::create::merkle_root(&runtime, manifest.head)?;
        if merkle_root != manifest.merkle_root {
            return Err(differs(
                &manifest,
                format!("the Merkle root is {merkle_root} instead of {}", manifest.merkle_root),
            ));
        }
        Ok(BackupVerification {
            name: name.to_owned(),
            manifest_digest,
            head: manifest.head,
            files: manifest.files.len(),
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
            log_digest,
            merkle_root,
            projections,
        })
    }
}

fn differs(manifest: &Manifest, what: String) -> BackupError {
    BackupError::Differs { name: manifest.name.clone(), what }
}

/// Reads every event and every index entry. Returns the digest of the log.
fn replay(
    runtime: &Runtime,
    manifest: &Manifest,
    progress: Progress<'_>,
) -> Result<String, BackupError> {
    let damaged = |error: LogError| match error {
        LogError::Corrupt(corruption) => {
            differs(manifest, format!("the log is damaged: {corruption}"))
        }
        other => other.into(),
    };
    runtime
        .log()
        .verify(|position| progress("replaying events", position, manifest.head))
        .map_err(damaged)?;
    let digest = const_hex::encode(runtime.log().digest(manifest.head).map_err(damaged)?);
    if digest != manifest.log_digest {
        return Err(differs(
            manifest,
            format!("the log has the digest {digest} instead of {}", manifest.log_digest),
        ));
    }
    Ok(digest)
}

/// Folds every projection from position 1, and compares with the stored rows and with the manifest.
fn compare_rows(
    runtime: &Runtime,
    manifest: &Manifest,
    progress: Progress<'_>,
) -> Result<Vec<ComparedRows>, BackupError> {
    runtime.catch_up(&|done, of| progress("folding", done, of))?;
    let mut compared = Vec::new();
    for projection in rollbook_projections::all() {
        let name = projection.name();
        let rebuilt = runtime
            .rebuild(name, &|done, of| progress(&format!("folding {name} again"), done, of))?;
        if !rebuilt.identical {
            let what = format!(
                "the stored rows of {name} are {}, the events fold to {}",
                rebuilt.digest_before, rebuilt.digest_after
            );
            return Err(differs(manifest, what));
        }
        let said = said(manifest, projection.as_ref());
        if let Some(said) = said.filter(|said| said.digest != rebuilt.digest_after) {
            let what = format!(
                "the rows of {name} have the digest {} instead of {}",
                rebuilt.digest_after, said.digest
            );
            return Err(differs(manifest, what));
        }
        compared.push(ComparedRows {
            name: name.to_string(),
            rows: rebuilt.rows,
            digest: rebuilt.digest_after,
            compared: said.is_some(),
        });
    }
    Ok(compared)
}

/// Returns the digest in the manifest for a projection with the same version.
fn said<'m>(
    manifest: &'m Manifest,
    projection: &dyn DynProjection,
) -> Option<&'m ProjectionDigest> {
    manifest.projections.iter().find(|said| {
        said.name == projection.name().as_str() && said.version == projection.version()
    })
}
