//! Stream names: the five kinds of stream and their text form.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The stream of an event: one consistency boundary with versions 1, 2, 3… without gaps.
///
/// The text form is `series/<client>/<form>`, `client/<id>`, `coach/<id>`, `form/<id>` or
/// `control`. In an id, `%` is written as `%25` and `/` as `%2F`, so every stream has exactly one
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// All runs of one form for one client. The client is named by its document id, never by
    /// another identity.
    Series {
        /// The client's document id.
        client: String,
        /// The form's id; may be empty in imported data.
        form: String,
    },
    /// One person or account: the client document, the user document, and documents that belong to
    /// no series.
    Client(String),
    /// One coach.
    Coach(String),
    /// One form.
    Form(String),
    /// Imports, batches, validations and switches.
    Control,
}

/// The error for text that is not a stream name.
#[derive(Debug, thiserror::Error)]
#[error(
    "{text:?} is not a stream name; write series/<client>/<form>, client/<id>, coach/<id>, form/<id> or control"
)]
pub struct StreamIdError {
    text: String,
}

impl StreamId {
    /// Returns the stream of a series.
    pub fn series(client: &str, form: &str) -> Self {
        Self::Series { client: client.to_owned(), form: form.to_owned() }
    }

    /// Returns the id of the client that the stream belongs to; `None` for coach, form and control
    /// streams.
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::Series { client, .. } | Self::Client(client) => Some(client),
            Self::Coach(_) | Self::Form(_) | Self::Control => None,
        }
    }

    /// Returns the prefix that the names of this client's series streams have and no other stream's
    /// name has.
    pub fn series_prefix(client: &str) -> String {
        let mut prefix = "series/".to_owned();
        push_escaped(&mut prefix, client);
        prefix.push('/');
        prefix
    }

    /// Returns the text form. It avoids the formatter, because every commit needs a name.
    pub fn name(&self) -> String {
        let (kind, ids) = match self {
            Self::Series { client, form } => ("series", [Some(client), Some(form)]),
            Self::Client(id) => ("client", [Some(id), None]),
            Self::Coach(id) => ("coach", [Some(id), None]),
            Self::Form(id) => ("form", [Some(id), None]),
            Self::Control => ("control", [None, None]),
        };
        let ids = ids.into_iter().flatten();
        let mut name =
            String::with_capacity(ids.clone().fold(kind.len(), |bytes, id| bytes + 1 + id.len()));
        name.push_str(kind);
        for id in ids {
            name.push('/');
            push_escaped(&mut name, id);
        }
        name
    }
}

/// Appends an id with `%` and `/` escaped.
fn push_escaped(name: &mut String, id: &str) {
    let mut rest = id;
    // Both are ASCII, so searching bytes is correct and faster than searching characters.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'%' | b'/')) {
        let (plain, special) = rest.split_at(at);
        name.push_str(plain);
        name.push_str(if special.starts_with('%') { "%25" } else { "%2F" });
        rest = special.get(1..).unwrap_or_default();
    }
    name.push_str(rest);
}

fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut id = parts.next()?.to_owned();
    for part in parts {
        id.push(if part.starts_with("25") {
            '%'
        } else if part.starts_with("2F") {
            '/'
        } else {
            return None;
        });
        id.push_str(part.get(2..)?);
    }
    Some(id)
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let parsed = match parts.as_slice() {
            ["control"] => Some(Self::Control),
            ["client", id] => unescape(id).map(Self::Client),
            ["coach", id] => unescape(id).map(Self::Coach),
            ["form", id] => unescape(id).map(Self::Form),
            ["series", client, form] => unescape(client)
                .zip(unescape(form))
                .map(|(client, form)| Self::Series { client, form }),
            _ => None,
        };
        parsed.ok_or_else(|| StreamIdError { text: text.to_owned() })
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_reads_back_as_the_same_stream(client in ".{0,12}", form in "[a/%2F5]{0,8}") {
            for stream in [StreamId::series(&client, &form), StreamId::Client(client.clone()), StreamId::Form(form.clone())] {
                prop_assert_eq!(stream.to_string().parse::<StreamId>().unwrap(), stream);
            }
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "series/a", "series/a/b/c", "client/%zz", "switch"] {
            assert!(text.parse::<StreamId>().is_err(), "{text}");
        }
    }
}
