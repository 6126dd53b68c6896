//! The wrapper for personal data.
//!
//! The wrapper keeps personal data out of log lines and marks it in the type, so that the log seals
//! it under the client's key before storing it. When that key is destroyed, the data is erased.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Personal data (names, e-mail addresses, answers, free text, imported documents), or a marker
/// that the data was erased.
///
/// `Debug` never shows the content. Reading it needs an explicit call of [`Personal::expose`],
/// which returns `None` for erased data.
///
/// In JSON the content is written unchanged, and erased content as `{"$erased":true}`. No document,
/// answer or text of the old application has that form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Personal<T>(Option<T>);

/// The JSON form of erased content.
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

    /// Creates the marker for erased data.
    pub fn erased() -> Self {
        Self(None)
    }

    /// Returns the data, for a caller that may see it; `None` if it was erased.
    pub fn expose(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Unwraps the data; `None` if it was erased.
    pub fn into_inner(self) -> Option<T> {
        self.0
    }

    /// Whether the data was erased.
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
