//! `rollbook backup`: taking, listing, checking, restoring and pruning backups. Owns how that is asked for and told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rollbook_application::backup::{
    Backups, Created, Listed, Pruned, Restored, State, Verified, Wanted, size,
};
use rollbook_application::store::Request;
use rollbook_domain::Timestamp;

use super::arguments::{Forgetting, Writing};
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use super::{Bar, Context, remote};
use crate::cli::error::CliError;
use crate::remote::Remote;

const EXAMPLES: &str = "\
Examples:
  rollbook backup create
  rollbook backup list
  rollbook backup verify pre-migration-20260105_090000
  rollbook --data restored backup restore pre-migration-20260105_090000 --from prod-backups
  rollbook backup prune --keep 14

Backups of the store DATA stand in DATA-backups unless --to or --from names another directory.";

const CREATE_EXAMPLES: &str = "\
Examples:
  rollbook backup create
  rollbook --data prod backup create --to /mnt/backups --name before-precreate
  rollbook --server http://127.0.0.1:7350 backup create --name before-precreate

A running service has the store to itself: ask it, with --server. The backup is whole and consistent; files that the last backup in the same directory has already are not stored twice. The store's
control stream has it on record.";

const LIST_EXAMPLES: &str = "\
Examples:
  rollbook backup list
  rollbook backup list --from /mnt/backups --json | jq '.[].name'

Looks at manifests and the lengths of files; verify reads everything.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  rollbook backup verify pre-migration-20260105_090000
  rollbook backup verify before-precreate --from /mnt/backups --scratch /var/tmp

Restores into scratch space (beside the backups unless --scratch says otherwise), replays every event, compares log, Merkle root and
rows with the manifest, and cleans up. Exit code 1 names the file that is damaged, or what differs.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  rollbook --data restored backup restore pre-migration-20260105_090000 --from prod-backups
  rollbook --data restored backup restore before-precreate --from /mnt/copies --forget prod

The directory (--data) must not exist: no backup is ever restored over anything. It appears when it is whole. Who was erased since the
backup is erased from it first, as far as the directory of backups was told; --forget names another that knows.";

const PRUNE_EXAMPLES: &str = "\
Examples:
  rollbook backup prune --keep 14

Keeps the newest whole backups. Damaged ones are neither counted nor removed.";

/// Take, list, check, restore and prune backups.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct BackupArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Take a backup, while others go on reading and writing.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// The directory of backups. Default DATA-backups.
        #[arg(long, alias = "from", value_name = "DIR", env = "ROLLBOOK_BACKUPS")]
        to: Option<PathBuf>,
        /// The backup's name. Default pre-migration-YYYYMMDD_HHMMSS, in UTC.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        taking: Taking,
    },
    /// List the backups there are.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Prove that a backup can be restored, by restoring it into scratch space.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        /// The backup.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: Place,
        /// Where to restore it for the check. Default beside the backups.
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Make a store of a backup, in a new directory.
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore {
        /// The backup.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        forgetting: Forgetting,
    },
    /// Take old backups away.
    #[command(after_help = PRUNE_EXAMPLES)]
    Prune {
        /// How many of the newest to keep.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the backups are.
#[derive(Debug, Args)]
struct Place {
    /// The directory of backups. Default DATA-backups.
    #[arg(long, alias = "to", value_name = "DIR", env = "ROLLBOOK_BACKUPS")]
    from: Option<PathBuf>,
}

/// On whose behalf, and when.
#[derive(Debug, Args)]
struct Taking {
    /// On whose behalf: admin:NAME, coach:ID or client:ID. Default admin: and the user's name.
    #[arg(long = "as", value_name = "ROLE:ID", value_parser = super::arguments::actor)]
    actor: Option<rollbook_domain::Actor>,
    /// When it is taken (RFC 3339): for its name and the record. Default now.
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
            Action::Create { to, name, taking } => {
                create(context, &backups(to), name.as_ref(), taking)
            }
            Action::List { place } => list(context, &backups(&place.from)),
            Action::Verify { name, place, scratch } => {
                verify(context, &backups(&place.from), name, scratch.as_deref())
            }
            Action::Restore { name, place, forgetting } => {
                restore(context, &backups(&place.from), name, forgetting)
            }
            Action::Prune { keep, place } => prune(context, &backups(&place.from), *keep),
        }
    }
}

impl BackupArguments {
    /// Whether a service may be asked.
    pub(super) fn place(&self) -> remote::Place {
        match self.action {
            Action::Create { .. } | Action::List { .. } => remote::Place::Either,
            _ => remote::Place::Directory,
        }
    }

    fn run_remotely(&self, context: &Context, remote: &Remote) -> Result<(), CliError> {
        let elsewhere = || {
            CliError::Usage("a service has its own directory of backups (setting `backups`); leave --to and --from out".to_owned())
        };
        match &self.action {
            Action::Create { to: Some(_), .. }
            | Action::List { place: Place { from: Some(_) } } => Err(elsewhere()),
            Action::Create { to: None, name, taking } => {
                let (at, _) = Writing::of(taking.actor.clone(), taking.at).remotely()?;
                let created = remote.back_up(name.as_deref(), at)?;
                context.output.either(&created, || created_text(&created))
            }
            Action::List { .. } => listed(context, &remote.backups()?, "there"),
            _ => Err(remote::directory_only()),
        }
    }
}

/// Runs something long with a bar that says what is being done.
fn with_bar<R>(run: impl FnOnce(&(dyn Fn(&str, u64, u64) + Sync)) -> R) -> R {
    let bar = Bar::new("", "");
    run(&|what, done, of| bar.step(what, done, of))
}

fn create(
    context: &Context,
    backups: &Backups,
    name: Option<&String>,
    taking: &Taking,
) -> Result<(), CliError> {
    let store = context.open()?;
    let Request { actor, now, .. } = Writing::of(taking.actor.clone(), taking.at).request();
    let wanted = Wanted { name: name.cloned(), actor, now };
    let created = with_bar(|progress| store.back_up(backups, &wanted, progress))?;
    context.fold(&store)?;
    context.output.either(&created, || created_text(&created))
}

fn created_text(created: &Created) -> String {
    let Created { name, directory, manifest_digest, position, manifest } = created;
    format!(
        "{} {name}: every event up to position {}, {} clients\n{} in {}, {} new, {} shared with earlier backups\non record at position {position}; manifest SHA-256 {manifest_digest}\n{}\n",
        styled(GOOD, "backed up"),
        manifest.head,
        manifest.counts.clients,
        styled(BOLD, format!("{} files", manifest.files.len())),
        directory.display(),
        size(manifest.bytes_new),
        size(manifest.bytes_shared),
        styled(FAINT, format!("next: rollbook backup verify {name}"))
    )
}

fn list(context: &Context, backups: &Backups) -> Result<(), CliError> {
    listed(context, &backups.list()?, &format!("in {}", backups.directory().display()))
}

fn listed(context: &Context, listed: &[Listed], place: &str) -> Result<(), CliError> {
    context.output.either(&listed, || {
        if listed.is_empty() {
            return format!("no backups {place}\n");
        }
        listed.iter().map(listed_text).collect()
    })
}

fn listed_text(listed: &Listed) -> String {
    let name = styled(BOLD, format!("{:<32}", listed.name));
    let held = listed.manifest.as_ref().map_or_else(String::new, |manifest| {
        let sizes =
            format!("{} new, {} shared", size(manifest.bytes_new), size(manifest.bytes_shared));
        format!(
            "{}  head {:>8}  {} clients  {sizes}",
            manifest.created_at, manifest.head, manifest.counts.clients
        )
    });
    match listed.state {
        State::Whole => format!("{name}  {}  {held}\n", styled(GOOD, "whole  ")),
        State::Damaged => {
            let found: String =
                listed.findings.iter().map(|finding| format!("    {finding}\n")).collect();
            format!("{name}  {}  {held}\n{found}", styled(BAD, "damaged"))
        }
    }
}

fn verify(
    context: &Context,
    backups: &Backups,
    name: &str,
    scratch: Option<&std::path::Path>,
) -> Result<(), CliError> {
    let verified =
        with_bar(|progress| backups.verify(name, scratch, &context.master_key, progress))?;
    context.output.either(&verified, || verified_text(&verified))
}

fn verified_text(verified: &Verified) -> String {
    let Verified {
        name,
        manifest_digest,
        head,
        files,
        bytes,
        log_digest,
        merkle_root,
        projections,
    } = verified;
    let mut text = format!(
        "{} {name}: it was restored, replayed and compared\n{files} files, {}, as the manifest says (SHA-256 {manifest_digest})\n\
         {head} events replayed, log {log_digest}\nMerkle root {merkle_root}\n",
        styled(GOOD, "good"),
        size(*bytes)
    );
    for one in projections {
        let compared = if one.compared {
            "as the manifest says"
        } else {
            "of a newer version: not compared with the manifest"
        };
        text.push_str(&format!("{}: {} rows, folded again, {compared}\n", one.name, one.rows));
    }
    text
}

fn restore(
    context: &Context,
    backups: &Backups,
    name: &str,
    forgetting: &Forgetting,
) -> Result<(), CliError> {
    let restored = with_bar(|progress| {
        backups.restore(name, &context.data, &context.master_key, &forgetting.forget, progress)
    })?;
    context.output.either(&restored, || restored_text(&restored))
}

fn restored_text(restored: &Restored) -> String {
    let Restored { name, data, head, bytes, master_key, forgotten_again } = restored;
    let forgotten = if *forgotten_again == 0 {
        String::new()
    } else {
        format!("{forgotten_again} clients who were erased since are erased here too\n")
    };
    let key = master_key
        .as_ref()
        .map(|path| format!("a copy of the master key is beside it: {}\n", path.display()))
        .unwrap_or_default();
    format!(
        "{} {name} in {data}: head {head}, {} copied\n{key}{forgotten}",
        styled(GOOD, "restored"),
        size(*bytes)
    )
}

fn prune(context: &Context, backups: &Backups, keep: u32) -> Result<(), CliError> {
    let pruned = backups.prune(usize::try_from(keep).unwrap_or(usize::MAX))?;
    context.output.either(&pruned, || pruned_text(&pruned))
}

fn pruned_text(pruned: &Pruned) -> String {
    let mut text = String::new();
    for (what, names) in [
        ("kept", &pruned.kept),
        ("removed", &pruned.removed),
        ("damaged, left", &pruned.damaged),
        ("cleared", &pruned.leftovers),
    ] {
        names.iter().for_each(|name| text.push_str(&format!("{what} {name}\n")));
    }
    if text.is_empty() { "there are no backups\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_stand_beside_the_store_unless_somebody_says_otherwise() {
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
