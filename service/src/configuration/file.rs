//! Reads `rollbook.toml`, with the line of every value. A file with anything that is not a setting
//! is rejected. `kind` knows which values are valid.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::ConfigurationError;
use super::keys::{self, KEYS, Key};
use super::{Origin, SourcedValue};

/// The default file. It may be missing.
pub const DEFAULT_FILE: &str = "rollbook.toml";

/// Reads a file. A named file must exist; the default file may be missing.
///
/// # Errors
/// [`ConfigurationError::Unreadable`].
pub fn read(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, ConfigurationError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(source) => Err(ConfigurationError::Unreadable { path, source }),
    }
}

/// Parses the values of a file.
///
/// # Errors
/// [`ConfigurationError::Syntax`], [`ConfigurationError::UnknownKey`],
/// [`ConfigurationError::Value`], each with its line.
pub fn parse(path: &Path, text: &str) -> Result<Vec<SourcedValue>, ConfigurationError> {
    let document = DeTable::parse(text).map_err(|error| ConfigurationError::Syntax {
        path: path.to_owned(),
        line: line_of(text, error.span()),
        reason: error.message().to_owned(),
    })?;
    let mut given = Vec::new();
    File { path, text }.read_table("", document.get_ref(), &mut given)?;
    Ok(given)
}

/// Returns the line, from 1, at which a span of bytes starts.
fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

struct File<'t> {
    path: &'t Path,
    text: &'t str,
}

impl File<'_> {
    fn read_table(
        &self,
        section: &str,
        table: &DeTable<'_>,
        given: &mut Vec<SourcedValue>,
    ) -> Result<(), ConfigurationError> {
        for (name, value) in table {
            let full = if section.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{section}.{}", name.get_ref())
            };
            let line = line_of(self.text, Some(name.span()));
            match (keys::find(&full), value.get_ref()) {
                (Some(key), value) => given.push(self.read_value(key, line, value)?),
                (None, DeValue::Table(inner)) if is_section(&full) => {
                    self.read_table(&full, inner, given)?
                }
                _ => {
                    let nearest = nearest(&full);
                    return Err(ConfigurationError::UnknownKey {
                        path: self.path.to_owned(),
                        line,
                        key: full,
                        nearest,
                    });
                }
            }
        }
        Ok(())
    }

    fn read_value(
        &self,
        key: &'static Key,
        line: usize,
        value: &DeValue<'_>,
    ) -> Result<SourcedValue, ConfigurationError> {
        let origin = Origin::File { path: self.path.to_owned(), line };
        let absent = key.default.is_none() && value.as_str() == Some("");
        match if absent { Some(serde_json::Value::Null) } else { key.kind.from_toml(value) } {
            Some(value) => Ok(SourcedValue { key, value, origin }),
            None => {
                let found = (!key.secret).then(|| written(value));
                Err(ConfigurationError::Value {
                    origin,
                    key: key.name,
                    expected: key.kind.expected(),
                    found,
                })
            }
        }
    }
}

/// Formats a value for a message.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(switch) => switch.to_string(),
        other => format!("a TOML {}", other.type_str()),
    }
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// Returns the setting with the most similar name, if it is similar enough.
fn nearest(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let distance = |key: &Key| {
        let key_last = key.name.rsplit('.').next().unwrap_or(key.name);
        edits(key.name, name).min(edits(key_last, last) + usize::from(key.name != key_last))
    };
    let best = KEYS.iter().min_by_key(|key| distance(key))?;
    (distance(best) <= 3.min(last.len() / 2)).then_some(best.name)
}

/// Returns the edit distance of two words, in letters.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut next = vec![above + 1];
        for ((corner, up), against) in row.iter().zip(row.iter().skip(1)).zip(&other) {
            let left = next.last().copied().unwrap_or_default();
            next.push((left + 1).min(up + 1).min(corner + usize::from(letter != *against)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(Path::new("x.toml"), text).err().unwrap().to_string()
    }

    #[test]
    fn values_come_with_their_lines() {
        let text = "# a comment\nlisten = \"0.0.0.0:80\"\n\n[limits]\nheaders = 99\nbody_bytes = \"2MiB\"\n";
        let mut given = parse(Path::new("x.toml"), text).unwrap();
        given.sort_by_key(|given| given.key.name);
        let lines: Vec<String> = given
            .iter()
            .map(|given| format!("{} {} {}", given.key.name, given.value, given.origin))
            .collect();
        assert_eq!(
            lines,
            [
                "limits.body_bytes 2097152 x.toml:6",
                "limits.headers 99 x.toml:5",
                "listen \"0.0.0.0:80\" x.toml:2"
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_file_line_key_and_next_step() {
        let unknown = "x.toml:2: there is no setting \"limits.header\"; did you mean \"limits.headers\"?; `rollbook config show` lists all";
        assert_eq!(refused("[limits]\nheader = 3"), unknown);
        assert_eq!(
            refused("nonsense = 3"),
            "x.toml:1: there is no setting \"nonsense\"; `rollbook config show` lists all"
        );
        assert!(
            refused("[limits.body_bytes]\nx = 1")
                .starts_with("x.toml:1: limits.body_bytes is a size from ")
        );
        assert!(refused("limits = 3").starts_with("x.toml:1: there is no setting \"limits\""));
        let value =
            "x.toml:1: limits.headers is a whole number from 8 to 1000, not \"7\"; change it there";
        assert_eq!(refused("limits.headers = 7"), value);
        assert!(refused("listen = ").starts_with("x.toml:1: this is not valid TOML: "));
        assert!(
            refused("listen = '1.1.1.1:1'\nlisten = '1.1.1.1:1'")
                .starts_with("x.toml:2: this is not valid TOML: duplicate key")
        );
    }

    #[test]
    fn a_secret_stays_out_of_the_message() {
        let text = refused("telemetry.headers = 'authorization=Bearer abc'");
        assert!(text.contains("telemetry.headers") && !text.contains("abc"), "{text}");
    }

    #[test]
    fn words_differ_by_their_edits() {
        assert_eq!(
            (edits("", "abc"), edits("headers", "header"), edits("kitten", "sitting")),
            (3, 1, 3)
        );
    }
}
