//! JSON in canonical form: keys are sorted, white space is removed, and numbers keep their digits.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON value as canonical text. Two values are equal exactly when their canonical texts are.
///
/// Binary encodings store the text; JSON encodings embed the value itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Converts JSON text to canonical form.
    ///
    /// # Errors
    /// If the text is not JSON, is nested deeper than serde_json reads, or contains an object with
    /// a duplicate key.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        let mut canonical = String::with_capacity(text.len());
        write_canonical(raw, &mut canonical)?;
        Ok(Self(canonical.into_boxed_str()))
    }

    /// Converts a value to canonical form.
    pub fn from_value(value: &serde_json::Value) -> Self {
        // serde_json's map is sorted, so its compact text is canonical.
        Self(value.to_string().into_boxed_str())
    }

    /// Wraps text that is already canonical, such as stored text.
    pub fn from_canonical(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Deserializes the value.
    ///
    /// # Errors
    /// If the JSON does not have the shape of the type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let raw: &RawValue =
                serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
            raw.serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let raw = Box::<RawValue>::deserialize(deserializer)?;
            Self::parse(raw.get()).map_err(D::Error::custom)
        } else {
            Ok(Self(Box::<str>::deserialize(deserializer)?))
        }
    }
}

/// The members of an object. A duplicate key is an error, because keeping one member would lose the
/// other.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if let Some(_earlier) = members.insert(key.clone(), value) {
                        // The endpoints of the old application return this text, so its bytes are
                        // frozen.
                        return Err(A::Error::custom(format!(
                            "the key {key:?} stands twice in one object"
                        )));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

fn write_canonical(raw: &RawValue, out: &mut String) -> Result<(), serde_json::Error> {
    let text = raw.get().trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text)?;
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::to_string(&key)?);
                out.push(':');
                write_canonical(value, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push('[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out)?;
            }
            out.push(']');
        }
        Some(b'"') => {
            let string: String = serde_json::from_str(text)?;
            out.push_str(&serde_json::to_string(&string)?);
        }
        _ => out.push_str(text),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_sorts_keys_and_keeps_every_digit() {
        let text = JsonText::parse(
            r#" { "b" : [1.0, 12345678901234567890123, -0.0, 1E+2], "a": "\u00e9\n", "c": {} } "#,
        )
        .unwrap();
        assert_eq!(
            text.as_str(),
            r#"{"a":"é\n","b":[1.0,12345678901234567890123,-0.0,1E+2],"c":{}}"#
        );
    }

    #[test]
    fn a_duplicate_key_is_rejected() {
        let error = JsonText::parse(r#"{"a":{"x":1,"x":2}}"#).unwrap_err();
        assert!(error.to_string().contains("\"x\" stands twice"), "{error}");
    }

    #[test]
    fn json_embeds_the_value_and_reads_it_back() {
        let text = JsonText::parse(r#"{"n":1.50}"#).unwrap();
        let embedded = serde_json::to_string(&vec![&text]).unwrap();
        assert_eq!(embedded, r#"[{"n":1.50}]"#);
        let back: Vec<JsonText> = serde_json::from_str(&embedded).unwrap();
        assert_eq!(back, vec![text]);
    }
}
