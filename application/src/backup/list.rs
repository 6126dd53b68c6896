//! Lists backups and their state.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::{BackupError, Backups, Finding, check, name};

/// A backup in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ListedBackup))]
pub struct ListedBackup {
    /// The name of the backup and of its directory.
    pub name: String,
    /// The state of the backup, from its manifest and the lengths of its files.
    pub state: State,
    /// The manifest; `None` if it is damaged.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::reports::schemas::BackupManifest>))]
    pub manifest: Option<Manifest>,
    /// Each damaged file.
    pub findings: Vec<Finding>,
}

/// The state of a backup, as known without reading every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = BackupState))]
pub enum State {
    /// Every file exists and has its length. Verifying the backup also checks the content.
    Whole,
    /// A file is missing or differs from the manifest.
    Damaged,
}

impl Backups {
    /// Lists every backup: damaged ones first, then the others, oldest first. An interrupted backup
    /// has no name and is not listed.
    ///
    /// # Errors
    /// If the directory cannot be read. A missing directory is not an error: the list is empty.
    pub fn list(&self) -> Result<Vec<ListedBackup>, BackupError> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(BackupError::file("read", &self.directory)(source)),
        };
        let mut listed = Vec::new();
        for entry in entries {
            let entry = entry.map_err(BackupError::file("read", &self.directory))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name::require(&name).is_ok() && entry.path().is_dir() {
                listed.push(look(&entry.path(), name)?);
            }
        }
        listed.sort_by(|a, b| key(a).cmp(&key(b)));
        Ok(listed)
    }

    /// Lists the complete backups, newest first.
    pub(super) fn whole(&self) -> Result<Vec<(String, Manifest)>, BackupError> {
        let listed = self.list()?.into_iter().rev().filter(|listed| listed.state == State::Whole);
        Ok(listed.filter_map(|listed| Some((listed.name, listed.manifest?))).collect())
    }
}

fn key(listed: &ListedBackup) -> (Option<rollbook_domain::Timestamp>, &str) {
    (listed.manifest.as_ref().map(|manifest| manifest.created_at), &listed.name)
}

fn look(path: &Path, name: String) -> Result<ListedBackup, BackupError> {
    let damaged = |manifest, findings| ListedBackup {
        name: name.clone(),
        state: State::Damaged,
        manifest,
        findings,
    };
    let manifest = match Manifest::read(path, &name) {
        Ok((manifest, _)) => manifest,
        Err(BackupError::Damaged { findings, .. }) => return Ok(damaged(None, findings)),
        Err(newer @ BackupError::Newer { .. }) => {
            return Ok(damaged(
                None,
                vec![Finding {
                    file: super::manifest::MANIFEST.to_owned(),
                    what: newer.to_string(),
                }],
            ));
        }
        Err(other) => return Err(other),
    };
    match check::lengths(path, &manifest) {
        Ok(()) => Ok(ListedBackup {
            name,
            state: State::Whole,
            manifest: Some(manifest),
            findings: Vec::new(),
        }),
        Err(BackupError::Damaged { findings, .. }) => Ok(damaged(Some(manifest), findings)),
        Err(other) => Err(other),
    }
}
