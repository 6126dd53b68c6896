//! The configuration of the service: flags, environment, `rollbook.toml`, defaults; the first that
//! has a value wins. `rollbook serve` and `rollbook config show` share this loader, which remembers
//! where each value came from.
//!
//! `keys` is the table of settings, `kind` parses their values, `file` and `flags` are two of the
//! sources, `settings` is the typed result.

mod error;
mod file;
mod flags;
pub mod keys;
mod kind;
mod settings;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value};

pub use error::ConfigurationError;
pub use flags::SettingFlags;
pub use keys::{KEYS, Key};
pub use kind::Kind;
pub use settings::{Limits, Log, LogFormat, Metrics, Settings, Telemetry, Timeouts};

/// Environment variables with the prefix of settings that are not settings.
const OTHER_VARIABLES: [&str; 5] = [
    "ROLLBOOK_CONFIG",
    "ROLLBOOK_SERVER",
    "ROLLBOOK_TOKEN",
    "ROLLBOOK_FIXED_CLOCK",
    "ROLLBOOK_ALLOW_FIXED_CLOCK",
];

/// The source of a value, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag, without its dashes.
    Flag(&'static str),
    /// An environment variable.
    Environment(String),
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// No source has a value.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "--{flag}"),
            Self::Environment(variable) => formatter.write_str(variable),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// A value from a source.
#[derive(Clone, Debug)]
pub struct SourcedValue {
    /// The setting.
    pub key: &'static Key,
    /// The value; null if there is none.
    pub value: Value,
    /// The source of the value.
    pub origin: Origin,
}

/// The settings with their sources.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The settings.
    pub settings: Settings,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Every setting's value and origin, in the order of [`KEYS`].
    pub effective: Vec<SourcedValue>,
    /// Environment variables with the prefix of settings that are unknown.
    pub ignored: Vec<String>,
}

impl Configuration {
    /// Returns the source of a setting's value.
    pub fn origin(&self, name: &str) -> Origin {
        self.effective
            .iter()
            .find(|given| given.key.name == name)
            .map_or(Origin::Default, |given| given.origin.clone())
    }
}

/// Reads all sources: the flags, with `data` if `--data` was given, the environment of this
/// process, and the file.
///
/// # Errors
/// If a source cannot be read, or contains an unknown setting or an invalid value.
pub fn load(
    flags: &SettingFlags,
    data: Option<&OsStr>,
) -> Result<Configuration, ConfigurationError> {
    let mut values = flags.values.clone();
    values.extend(data.map(|data| ("data", data.to_owned())));
    let file = file::read(flags.file.as_deref())?;
    resolve(&values, std::env::vars_os(), file)
}

/// Combines the sources.
fn resolve(
    flags: &BTreeMap<&'static str, OsString>,
    environment: impl Iterator<Item = (OsString, OsString)>,
    file: Option<(PathBuf, String)>,
) -> Result<Configuration, ConfigurationError> {
    let (variables, ignored) = settings_in(environment);
    let in_file =
        file.as_ref().map(|(path, text)| file::parse(path, text)).transpose()?.unwrap_or_default();
    let mut effective = Vec::new();
    for key in KEYS {
        // A value that another source overrides must be valid too: a flag does not hide a mistake
        // in the file.
        let from_file = in_file.iter().find(|given| given.key == key).cloned();
        let from_environment = variables
            .get(key.name)
            .map(|text| read(key, text, Origin::Environment(key.variable())))
            .transpose()?;
        let from_flag =
            flags.get(key.name).map(|text| read(key, text, Origin::Flag(key.flag))).transpose()?;
        let default = || SourcedValue {
            key,
            value: key.default.and_then(|text| key.kind.from_text(text)).unwrap_or_default(),
            origin: Origin::Default,
        };
        effective.push(from_flag.or(from_environment).or(from_file).unwrap_or_else(default));
    }
    let settings: Settings = serde_json::from_value(tree(&effective))?;
    let loaded = Configuration { settings, file: file.map(|(path, _)| path), effective, ignored };
    match loaded.settings.contradiction() {
        Some((key, reason)) => {
            Err(ConfigurationError::Together { origin: loaded.origin(key), key, reason })
        }
        None => Ok(loaded),
    }
}

/// Returns the environment variables that are settings, by name, and the unknown ones with the same
/// prefix.
fn settings_in(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> (BTreeMap<&'static str, OsString>, Vec<String>) {
    let (mut variables, mut ignored) = (BTreeMap::new(), Vec::new());
    for (variable, value) in environment {
        let Some(variable) =
            variable.to_str().filter(|name| name.starts_with(keys::VARIABLE_PREFIX))
        else {
            continue;
        };
        match KEYS.iter().find(|key| key.variable() == variable) {
            // An empty variable counts as unset, except for a setting that may be absent.
            Some(key) if value.is_empty() && key.default.is_some() => {}
            Some(key) => drop(variables.insert(key.name, value)),
            None if OTHER_VARIABLES.contains(&variable) => {}
            None => ignored.push(variable.to_owned()),
        }
    }
    ignored.sort();
    (variables, ignored)
}

fn read(
    key: &'static Key,
    text: &OsStr,
    origin: Origin,
) -> Result<SourcedValue, ConfigurationError> {
    let value = match text.to_str() {
        Some("") if key.default.is_none() => Some(Value::Null),
        Some(text) => key.kind.from_text(text),
        None => None,
    };
    match value {
        Some(value) => Ok(SourcedValue { key, value, origin }),
        None => {
            let found = (!key.secret).then(|| text.to_string_lossy().into_owned());
            Err(ConfigurationError::Value {
                origin,
                key: key.name,
                expected: key.kind.expected(),
                found,
            })
        }
    }
}

/// Nests the values as in the typed settings.
fn tree(effective: &[SourcedValue]) -> Value {
    let mut root = Map::new();
    for SourcedValue { key, value, .. } in effective {
        match key.name.split_once('.') {
            None => drop(root.insert(key.name.to_owned(), value.clone())),
            Some((section, name)) => {
                let section = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(section) = section {
                    section.insert(name.to_owned(), value.clone());
                }
            }
        }
    }
    Value::Object(root)
}

#[cfg(test)]
mod tests;
