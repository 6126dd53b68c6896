//! `rollbook dump` and `rollbook load`: every event as text, and a new store made of it. Owns how that is asked for and told.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_application::store::Store;
use rollbook_log::OpenOptions;
use rollbook_migrations::dump::{self, DumpSummary, Form};
use serde::Serialize;

use super::arguments::Forgetting;
use super::output::{GOOD, styled};
use super::progress::watched;
use super::{Context, interrupt};
use crate::cli::error::CliError;

const DUMP_EXAMPLES: &str = "\
Examples:
  rollbook dump --sealed prod.ndjson
  rollbook dump --clear | gzip > prod.ndjson.gz

One JSON object a line: a header, every event with its id, position and times, and a last line with the SHA-256 of all before. A sealed
store asks for a choice: --sealed leaves names, answers and documents sealed and needs the master key to be read again; --clear
opens them.";

const LOAD_EXAMPLES: &str = "\
Examples:
  rollbook load prod.ndjson --data copy
  gzip -dc prod.ndjson.gz | rollbook --data copy load -
  rollbook --data copy load older.ndjson --forget prod-backups

The directory (--data) must not exist; the store appears in it when all of the dump is in it, and dumps the same again. A dump that was
cut short or edited makes no store. A dump knows nothing of who was erased after it: --forget names who does. A clear dump makes a sealed store with a master key of its own, or with --unsealed an unsealed one; a
sealed dump needs the master key of the store it came from.";

/// Write every event as text, to be loaded into another store.
#[derive(Debug, Args)]
#[command(after_help = DUMP_EXAMPLES)]
pub(super) struct DumpArguments {
    /// The file, which must be new; `-` is stdout.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// As stored: personal data stays sealed, the keyring comes along, wrapped by the master key.
    #[arg(long, conflicts_with = "clear")]
    sealed: bool,
    /// Personal data in the clear, for whoever has the file.
    #[arg(long)]
    clear: bool,
}

/// Make a new store of a dump, the same to the last position.
#[derive(Debug, Args)]
#[command(after_help = LOAD_EXAMPLES)]
pub(super) struct LoadArguments {
    /// The dump; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Make a store that keeps personal data in the clear, for ever; nobody can be erased from it.
    #[arg(long)]
    unsealed: bool,
    #[command(flatten)]
    forgetting: Forgetting,
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl DumpArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        if !is_standard(&self.file) && self.file.symlink_metadata().is_ok() {
            return Err(CliError::FileExists(self.file.clone()));
        }
        let store = context.open()?;
        let form = self.form(&store)?;
        context.fold(&store)?;
        let write = |out: &mut dyn Write| {
            watched("dumping", "events", |watch| {
                dump::write(store.runtime(), form, out, &|done, of| {
                    (watch.progress)(done, of);
                    interrupt::interrupted()
                })
            })
        };
        if is_standard(&self.file) {
            write(&mut context.output.lines())?;
            return Ok(());
        }
        let dumped = dump::write_file(&self.file, write)?;
        context.output.either(&dumped, || {
            let DumpSummary { header, trailer } = &dumped;
            let file = self.file.display();
            format!(
                "{} {} events, {} commits into {file}: SHA-256 {}\n",
                styled(GOOD, "dumped"),
                header.head,
                trailer.commits,
                trailer.sha256
            )
        })
    }
}

impl DumpArguments {
    /// What is personal in a sealed store leaves it in the clear by an explicit choice only.
    fn form(&self, store: &Store) -> Result<Form, CliError> {
        match (self.sealed, self.clear, store.log().sealing().sealed) {
            (true, ..) => Ok(Form::Sealed),
            (false, true, _) | (false, false, false) => Ok(Form::Clear),
            (false, false, true) => Err(CliError::Usage(
                "the store is sealed: say --sealed to dump it as it is stored, with the keyring, or --clear to dump personal data in the clear"
                    .to_owned(),
            )),
        }
    }
}

impl LoadArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let mut input: Box<dyn BufRead> = if is_standard(&self.file) {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(&self.file)
                .map_err(|source| CliError::Input { path: self.file.clone(), source })?;
            Box::new(BufReader::with_capacity(1 << 20, file))
        };
        let mut forgotten_again = 0;
        let loaded = watched("loading", "events", |watch| {
            let mut forget = |directory: &Path, options: &OpenOptions| {
                forgotten_again = self
                    .forgetting
                    .forget_in(directory, options, &context.master_key)
                    .map_err(Box::new)?;
                Ok(())
            };
            let options = context.options_to_make(self.unsealed);
            dump::load(
                &mut *input,
                &self.file,
                &context.data,
                &options,
                &mut forget,
                &|done, of| {
                    (watch.progress)(done, of);
                    interrupt::interrupted()
                },
            )
        })?;
        let made = Made { loaded, forgotten_again };
        context.output.either(&made, || made.text(&context.data))
    }
}

/// What was loaded, and who was erased from it before it appeared.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    loaded: DumpSummary,
    forgotten_again: u64,
}

impl Made {
    fn text(&self, data: &Path) -> String {
        let DumpSummary { header, trailer } = &self.loaded;
        let (events, commits, data) = (header.head, trailer.commits, data.display());
        let forgotten = match self.forgotten_again {
            0 => String::new(),
            count => format!("{count} clients who were erased since are erased here too\n"),
        };
        format!(
            "{} {events} events, {commits} commits into {data}: it dumps the same again\n{forgotten}",
            styled(GOOD, "loaded")
        )
    }
}
