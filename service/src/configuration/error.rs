//! Errors of a configuration. Each text names the place, the setting, the reason and the next step.

use std::path::PathBuf;

use super::Origin;

/// An error of the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}; check the path and its permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The file is not valid TOML.
    #[error("{}:{line}: this is not valid TOML: {reason}; correct the line", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The message of the parser.
        reason: String,
    },
    /// The file contains an unknown setting.
    #[error("{}:{line}: there is no setting {key:?}{}; `rollbook config show` lists all", .path.display(), suggestion(.nearest))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The unknown name.
        key: String,
        /// The setting with the most similar name.
        nearest: Option<&'static str>,
    },
    /// A setting has an invalid value.
    #[error("{origin}: {key} is {expected}{}; change it there", written(.found))]
    Value {
        /// The source of the value.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// The valid values.
        expected: String,
        /// The given value; `None` for a secret.
        found: Option<String>,
    },
    /// Several values are valid alone but not together.
    #[error("{origin}: {key} {reason}")]
    Together {
        /// The source of the value.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// The contradiction, and the next step.
        reason: String,
    },
    /// The typed settings do not match the table of settings. This is a defect of this build.
    #[error("the settings do not fit their own table; report this")]
    Table(#[from] serde_json::Error),
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

fn written(found: &Option<String>) -> String {
    found.as_ref().map(|text| format!(", not {text:?}")).unwrap_or_default()
}
