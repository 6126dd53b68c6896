//! The one wrapper around personal data. Owns that such data never reaches a log line by accident, marks in the type what is sealed
//! under the client's key before it is stored, and says what is left of it when that key is gone: nothing.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Personal data: names, e-mail, answers, free text, imported documents; or the place where such data was, once it was erased.
///
/// `Debug` does not show the content; reading it is spelled out with [`Personal::expose`], and so is that there may be nothing to read.
///
/// In JSON the content is written as it is, and erased content as `{"$erased":true}`: no document, answer or text of the old
/// application looks like that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Personal<T>(Option<T>);

/// What stands in JSON for content that was erased.
const ERASED: &str = r#"{"$erased":true}"#;

#[derive(Serialize)]
struct ErasedJson {
    #[serde(rename = "$erased")]
    erased: bool,
}

impl<T> Personal<T> {
    /// Wraps personal data.
    pub fn new(content: T) -> Self {
        Self(Some(content))
    }

    /// What is left when the key of the data was destroyed.
    pub fn erased() -> Self {
        Self(None)
    }

    /// The data itself, for a caller that may see it; `None` when it was erased.
    pub fn expose(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Takes the data out; `None` when it was erased.
    pub fn into_inner(self) -> Option<T> {
        self.0
    }

    /// Whether the data is gone for good.
    pub fn is_erased(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_erased() { "[erased]" } else { "[personal]" })
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.0, serializer.is_human_readable()) {
            (content, false) => content.serialize(serializer),
            (Some(content), true) => content.serialize(serializer),
            (None, true) => ErasedJson { erased: true }.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Option::<T>::deserialize(deserializer).map(Self);
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get() == ERASED {
            return Ok(Self::erased());
        }
        serde_json::from_str(raw.get()).map(Self::new).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonText;

    #[test]
    fn json_holds_the_content_or_says_that_it_was_erased() {
        let text = Personal::new("Ada".to_owned());
        let document = Personal::new(JsonText::parse(r#"{"a":1.50}"#).unwrap());
        let gone: Personal<JsonText> = Personal::erased();
        let written = serde_json::to_string(&(&text, &document, &gone)).unwrap();
        assert_eq!(written, r#"["Ada",{"a":1.50},{"$erased":true}]"#);
        let back: (Personal<String>, Personal<JsonText>, Personal<JsonText>) =
            serde_json::from_str(&written).unwrap();
        assert_eq!(back, (text, document, gone));
    }

    #[test]
    fn debug_shows_neither() {
        assert_eq!(
            format!("{:?} {:?}", Personal::new("Ada"), Personal::<String>::erased()),
            "[personal] [erased]"
        );
    }
}
