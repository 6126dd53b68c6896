//! `rollbook backup`: takes, lists, verifies, restores and prunes backups. `text` has the printed
//! form of the results.

mod text;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rollbook_application::backup::{BackupRequest, Backups, ListedBackup};
use rollbook_application::store::Request;
use rollbook_domain::Timestamp;

use super::arguments::{ErasureSources, WriteOptions};
use super::context::{self, Context, directory_only};
use super::progress::Bar;
use crate::cli::error::CliError;
use crate::remote::Remote;

const EXAMPLES: &str = "\
Examples:
  rollbook backup create
  rollbook backup list
  rollbook backup verify pre-migration-20260105_090000
  rollbook --data restored backup restore pre-migration-20260105_090000 --from prod-backups
  rollbook backup prune --keep 14

The backups of the store DATA are in DATA-backups unless --to or --from names another directory.";

const CREATE_EXAMPLES: &str = "\
Examples:
  rollbook backup create
  rollbook --data prod backup create --to /mnt/backups --name before-precreate
  rollbook --server http://127.0.0.1:7350 backup create --name before-precreate

A running service has locked the store: use --server then. The backup is complete and consistent. It shares unchanged files with the last backup in the
same directory. The store records it on its control stream.";

const LIST_EXAMPLES: &str = "\
Examples:
  rollbook backup list
  rollbook backup list --from /mnt/backups --json | jq '.[].name'

Checks only manifests and the sizes of files; verify reads everything.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  rollbook backup verify pre-migration-20260105_090000
  rollbook backup verify before-precreate --from /mnt/backups --scratch /var/tmp

Restores into a scratch directory (beside the backups unless --scratch names another place), replays every event, compares log, Merkle root
and rows with the manifest, and removes the scratch directory. On damage the exit code is 1; the error names the file, or the difference.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  rollbook --data restored backup restore pre-migration-20260105_090000 --from prod-backups
  rollbook --data restored backup restore before-precreate --from /mnt/copies --forget prod

The directory (--data) must not exist: a restore never overwrites anything. It appears when it is complete. Clients who were erased after the
backup are erased again first, if the directory of backups records them. --forget names another directory that records erasures.";

const PRUNE_EXAMPLES: &str = "\
Examples:
  rollbook backup prune --keep 14

Keeps the newest intact backups. Damaged backups are neither counted nor removed.";

/// Take, list, verify, restore and prune backups.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct BackupArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Take a backup while the store serves reads and writes.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// The directory of backups. Default DATA-backups.
        #[arg(long, alias = "from", value_name = "DIR", env = "ROLLBOOK_BACKUPS")]
        to: Option<PathBuf>,
        /// The backup's name. Default pre-migration-YYYYMMDD_HHMMSS, in UTC.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        taken: BackupAuthor,
    },
    /// List the backups.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        location: Location,
    },
    /// Prove that a backup can be restored, by restoring it into scratch space.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        /// The backup.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        location: Location,
        /// Where to make the scratch directory. Default beside the backups.
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Restore a backup into a new directory.
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore {
        /// The backup.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        location: Location,
        #[command(flatten)]
        erasures: ErasureSources,
    },
    /// Remove old backups.
    #[command(after_help = PRUNE_EXAMPLES)]
    Prune {
        /// How many backups to keep.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
        #[command(flatten)]
        location: Location,
    },
}

/// Where the backups are.
#[derive(Debug, Args)]
struct Location {
    /// The directory of backups. Default DATA-backups.
    #[arg(long, alias = "to", value_name = "DIR", env = "ROLLBOOK_BACKUPS")]
    from: Option<PathBuf>,
}

/// Who takes the backup, and when.
#[derive(Debug, Args)]
struct BackupAuthor {
    /// Who acts: admin:NAME, coach:ID or client:ID. Default admin: and the user's name.
    #[arg(long = "as", value_name = "ROLE:ID", value_parser = super::arguments::actor)]
    actor: Option<rollbook_domain::Actor>,
    /// The time for the backup's name and record (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl BackupArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        if let Some(remote) = &context.remote {
            return self.run_remotely(context, remote);
        }
        let backups = |directory: &Option<PathBuf>| match directory {
            Some(directory) => Backups::at(directory),
            None => Backups::of(&context.data),
        };
        match &self.action {
            Action::Create { to, name, taken } => {
                create(context, &backups(to), name.as_ref(), taken)
            }
            Action::List { location } => list(context, &backups(&location.from)),
            Action::Verify { name, location, scratch } => {
                verify(context, &backups(&location.from), name, scratch.as_deref())
            }
            Action::Restore { name, location, erasures } => {
                restore(context, &backups(&location.from), name, erasures)
            }
            Action::Prune { keep, location } => prune(context, &backups(&location.from), *keep),
        }
    }
}

impl BackupArguments {
    /// Where the command works: only create and list work at a service.
    pub(super) fn place(&self) -> context::Place {
        match self.action {
            Action::Create { .. } | Action::List { .. } => context::Place::Either,
            _ => context::Place::Directory,
        }
    }

    fn run_remotely(&self, context: &Context, remote: &Remote) -> Result<(), CliError> {
        let elsewhere = || {
            CliError::Usage("a service uses its own directory of backups (setting `backups`); leave --to and --from out".to_owned())
        };
        match &self.action {
            Action::Create { to: Some(_), .. }
            | Action::List { location: Location { from: Some(_) } } => Err(elsewhere()),
            Action::Create { to: None, name, taken } => {
                let (at, _) = WriteOptions::of(taken.actor.clone(), taken.at).remotely()?;
                let created = remote.back_up(name.as_deref(), at)?;
                context.output.either(&created, || text::created(&created))
            }
            Action::List { .. } => listed(context, &remote.backups()?, "at the service"),
            _ => Err(directory_only()),
        }
    }
}

/// Runs a long operation with a progress bar that shows the current step.
fn with_bar<R>(run: impl FnOnce(&(dyn Fn(&str, u64, u64) + Sync)) -> R) -> R {
    let bar = Bar::new("", "");
    run(&|what, done, of| bar.step(what, done, of))
}

fn create(
    context: &Context,
    backups: &Backups,
    name: Option<&String>,
    taken: &BackupAuthor,
) -> Result<(), CliError> {
    let store = context.open()?;
    let Request { actor, now, .. } = WriteOptions::of(taken.actor.clone(), taken.at).request();
    let wanted = BackupRequest { name: name.cloned(), actor, now };
    let created = with_bar(|progress| store.back_up(backups, &wanted, progress))?;
    context.fold(&store)?;
    context.output.either(&created, || text::created(&created))
}

fn list(context: &Context, backups: &Backups) -> Result<(), CliError> {
    listed(context, &backups.list()?, &format!("in {}", backups.directory().display()))
}

fn listed(context: &Context, listed: &[ListedBackup], place: &str) -> Result<(), CliError> {
    context.output.either(&listed, || {
        if listed.is_empty() {
            return format!("no backups {place}\n");
        }
        listed.iter().map(text::listed).collect()
    })
}

fn verify(
    context: &Context,
    backups: &Backups,
    name: &str,
    scratch: Option<&std::path::Path>,
) -> Result<(), CliError> {
    let verified =
        with_bar(|progress| backups.verify(name, scratch, &context.master_key, progress))?;
    context.output.either(&verified, || text::verified(&verified))
}

fn restore(
    context: &Context,
    backups: &Backups,
    name: &str,
    erasures: &ErasureSources,
) -> Result<(), CliError> {
    let restored = with_bar(|progress| {
        backups.restore(name, &context.data, &context.master_key, &erasures.forget, progress)
    })?;
    context.output.either(&restored, || text::restored(&restored))
}

fn prune(context: &Context, backups: &Backups, keep: u32) -> Result<(), CliError> {
    let pruned = backups.prune(usize::try_from(keep).unwrap_or(usize::MAX))?;
    context.output.either(&pruned, || text::pruned(&pruned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_are_beside_the_store_by_default() {
        let of =
            |data: &str| Backups::of(std::path::Path::new(data)).directory().display().to_string();
        assert_eq!(
            (of("prod"), of("./rollbook-data"), of("/var/lib/prod/")),
            (
                "prod-backups".into(),
                "./rollbook-data-backups".into(),
                "/var/lib/prod-backups".into()
            )
        );
    }
}
