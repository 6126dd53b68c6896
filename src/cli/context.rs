//! The context of a command: the store or the service that it works on, and how it prints.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use clap::parser::ValueSource;
use rollbook_application::store::{Store, StoreError};
use rollbook_log::{MasterKeySource, OnNewMasterKey, OpenOptions};

use super::output::Output;
use super::progress::Bar;
use crate::cli::error::CliError;
use crate::remote::Remote;

/// The heading of the options that every command has.
pub(super) const GLOBAL_OPTIONS: &str = "Everywhere";

/// Where a command works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a store's directory or at a service.
    Either,
    /// In a store's directory only.
    Directory,
    /// On this machine, without a store that is open; the environment's service is ignored.
    Here,
}

/// What every command gets: where the store is, and how to print.
#[derive(Debug)]
pub struct Context {
    /// The store's directory.
    pub data: PathBuf,
    /// Whether `--data` named that directory.
    pub data_is_flag: bool,
    /// The service to send requests to, instead of opening the directory.
    pub remote: Option<Remote>,
    /// Where the master key is.
    pub master_key: MasterKeySource,
    /// Where results go.
    pub output: Output,
}

impl Context {
    /// The value of `--data` if it was on the command line: the strongest source of a setting.
    pub fn given_data(&self) -> Option<&OsStr> {
        self.data_is_flag.then_some(self.data.as_os_str())
    }

    /// Opens the store. It must exist.
    ///
    /// # Errors
    /// As [`Store::open`]; [`CliError::Usage`] if a service was named.
    pub fn open(&self) -> Result<Store, CliError> {
        if self.remote.is_some() {
            return Err(directory_only());
        }
        Ok(self.open_in(&self.data)?)
    }

    /// Opens the store in another directory. It must exist.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_in(&self, directory: &Path) -> Result<Store, StoreError> {
        Store::open_with(
            directory,
            OpenOptions { master_key: self.master_key.clone(), ..OpenOptions::default() },
        )
    }

    /// Opens the store, or makes one. `unsealed` applies only to a new store.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_or_make(&self, unsealed: bool) -> Result<Store, CliError> {
        Ok(Store::open_with(&self.data, self.options_to_make(unsealed))?)
    }

    /// The options that make a store if there is none. They report a new master key once, on
    /// stderr.
    pub fn options_to_make(&self, unsealed: bool) -> OpenOptions {
        let report = |path: &Path| {
            let path = path.display();
            let _unwritable = writeln!(
                anstream::stderr().lock(),
                "made the master key {path}: without it nobody can read the store; keep a copy away from the store and its backups"
            );
        };
        let on_new_master_key: Option<OnNewMasterKey> = Some(Arc::new(report));
        OpenOptions {
            create: true,
            unsealed,
            master_key: self.master_key.clone(),
            on_new_master_key,
            ..OpenOptions::default()
        }
    }

    /// Folds the events that a command wrote, so that later reads find current rows.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn fold(&self, store: &Store) -> Result<(), CliError> {
        let bar = Bar::new("folding projections", "events");
        store.catch_up(&|done, of| bar.fold_progress(done, of))?;
        Ok(())
    }
}

/// The error of a command, or a step of one, that cannot run at a service.
pub(super) fn directory_only() -> CliError {
    let reason = "this command works on a store's directory, but --server or ROLLBOOK_SERVER names a service; run it where the store is, with --data";
    CliError::Usage(reason.to_owned())
}

/// Whether a global option was on the command line, and not only in the environment.
pub(super) fn is_on_command_line(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}
