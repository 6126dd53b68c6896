//! `rollbook dump` and `rollbook load`: writes every event as text, and makes a new store from it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_application::store::Store;
use rollbook_log::OpenOptions;
use rollbook_migrations::dump::{self, DumpSummary, Form};
use serde::Serialize;

use super::arguments::ErasureSources;
use super::context::Context;
use super::interrupt;
use super::output::{GOOD, styled};
use super::progress::watched;
use crate::cli::error::CliError;

const DUMP_EXAMPLES: &str = "\
Examples:
  rollbook dump --sealed prod.ndjson
  rollbook dump --clear | gzip > prod.ndjson.gz

One JSON object per line: a header, every event with its id, position and times, and a last line with the SHA-256 of the lines before it. A sealed
store needs a choice: --sealed leaves names, answers and documents encrypted, so that loading needs the master key; --clear
decrypts them.";

const LOAD_EXAMPLES: &str = "\
Examples:
  rollbook load prod.ndjson --data copy
  gzip -dc prod.ndjson.gz | rollbook --data copy load -
  rollbook --data copy load older.ndjson --forget prod-backups

The directory (--data) must not exist. It appears when the whole dump is loaded; a dump of the new store is the same again. A dump that was
cut short or edited makes no store. A dump does not record who was erased later: --forget names a directory that does. A clear dump makes a sealed
store with a new master key, or with --unsealed an unsealed one. A sealed dump needs the master key of the store it came from.";

/// Write every event as text, for loading into another store.
#[derive(Debug, Args)]
#[command(after_help = DUMP_EXAMPLES)]
pub(super) struct DumpArguments {
    /// The file, which must be new; `-` is stdout.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// As stored: personal data stays sealed, and the keyring, encrypted with the master key, is
    /// included.
    #[arg(long, conflicts_with = "clear")]
    sealed: bool,
    /// Personal data in the clear: anyone who has the file can read it.
    #[arg(long)]
    clear: bool,
}

/// Make a new store from a dump, with the same events at the same positions.
#[derive(Debug, Args)]
#[command(after_help = LOAD_EXAMPLES)]
pub(super) struct LoadArguments {
    /// The dump; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Make a store that keeps personal data in the clear, permanently. Clients cannot be erased
    /// from it.
    #[arg(long)]
    unsealed: bool,
    #[command(flatten)]
    erasures: ErasureSources,
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
    /// A sealed store needs an explicit choice before personal data leaves it in the clear.
    fn form(&self, store: &Store) -> Result<Form, CliError> {
        match (self.sealed, self.clear, store.log().sealing().sealed) {
            (true, ..) => Ok(Form::Sealed),
            (false, true, _) | (false, false, false) => Ok(Form::Clear),
            (false, false, true) => Err(CliError::Usage(
                "the store is sealed: give --sealed to dump it as it is stored, with the keyring, or --clear to dump personal data in the clear"
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
                    .erasures
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
        let report = LoadReport { loaded, forgotten_again };
        context.output.either(&report, || report.text(&context.data))
    }
}

/// The loaded dump, and the number of clients erased from the store before it appeared.
#[derive(Serialize)]
struct LoadReport {
    #[serde(flatten)]
    loaded: DumpSummary,
    forgotten_again: u64,
}

impl LoadReport {
    fn text(&self, data: &Path) -> String {
        let DumpSummary { header, trailer } = &self.loaded;
        let (events, commits, data) = (header.head, trailer.commits, data.display());
        let forgotten = match self.forgotten_again {
            0 => String::new(),
            count => format!("erased {count} clients who were erased after the dump\n"),
        };
        format!(
            "{} {events} events, {commits} commits into {data}; a dump of it is the same again\n{forgotten}",
            styled(GOOD, "loaded")
        )
    }
}
