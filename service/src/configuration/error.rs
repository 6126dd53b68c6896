//! Errors of a configuration. Each text names the place, the setting, the reason and the next step.

use std::path::PathBuf;

use super::Origin;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}; check the path and its permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}:{line}: this is no TOML: {reason}; mend the line", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// The file names something that is no setting.
    #[error("{}:{line}: there is no setting {key:?}{}; `rollbook config show` lists all", .path.display(), suggestion(.nearest))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it names.
        key: String,
        /// The setting that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A value that a setting cannot have.
    #[error("{origin}: {key} is {expected}{}; change it there", written(.found))]
    Value {
        /// Where it was given.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// What it takes.
        expected: String,
        /// What was given; nothing for a secret.
        found: Option<String>,
    },
    /// Values that are possible one by one and not together.
    #[error("{origin}: {key} {reason}")]
    Together {
        /// Where the value was given.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// Settings and their table do not fit: a mistake in Rollbook itself.
    #[error("the settings do not fit their own table; report this")]
    Table(#[from] serde_json::Error),
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

fn written(found: &Option<String>) -> String {
    found.as_ref().map(|text| format!(", not {text:?}")).unwrap_or_default()
}
