//! Settings as flags: one flag for each setting, made from the table. Their values are parsed by
//! the same code as all others, so an error has one form wherever a value comes from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::OsStringValueParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use std::ffi::OsString;

use super::keys::KEYS;

/// The flag and the variable that name the file.
const FILE_FLAG: &str = "config";

/// The settings from flags, and the named configuration file.
#[derive(Clone, Debug, Default)]
pub struct SettingFlags {
    /// The configuration file from the flag or the environment.
    pub file: Option<PathBuf>,
    /// Values by setting.
    pub values: BTreeMap<&'static str, OsString>,
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let file = matches
            .get_one::<OsString>(FILE_FLAG)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        let given = KEYS
            .iter()
            .filter(|key| key.name != "data")
            .filter_map(|key| Some((key.name, matches.get_one::<OsString>(key.name)?.clone())));
        Ok(Self { file, values: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE_FLAG)
            .long(FILE_FLAG)
            .env("ROLLBOOK_CONFIG")
            .value_name("FILE")
            .value_parser(OsStringValueParser::new());
        let help = "The configuration file. Default rollbook.toml in the working directory, if there is one.";
        let heading =
            "Settings (also ROLLBOOK_NAME in the environment, and in the configuration file)";
        let command = command.arg(file.help(help));
        // Every command has `--data` already.
        KEYS.iter().filter(|key| key.name != "data").fold(command, |command, key| {
            let default = key
                .default
                .filter(|text| !text.is_empty())
                .map(|text| format!(" [default: {text}]"))
                .unwrap_or_default();
            let mut letters = key.about.chars();
            let about: String =
                letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
            let argument = Arg::new(key.name)
                .long(key.flag)
                .value_name(key.kind.value_name())
                .value_parser(OsStringValueParser::new());
            command.arg(
                argument
                    .allow_hyphen_values(true)
                    .help(format!("{about}{default}"))
                    .help_heading(heading),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
