//! JSON in canonical form: keys are sorted, white space is removed, and numbers keep their digits.

mod canonical;

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use self::canonical::{Nesting, canonical};

pub use self::canonical::levels;

/// Why text cannot be converted to canonical JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON, or an object has a duplicate key.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Its objects and arrays are nested too deep.
    #[error("the JSON is nested {found} levels deep; the limit is {limit}")]
    TooDeep {
        /// The maximum number of levels.
        limit: usize,
        /// The number of levels of the text.
        found: usize,
    },
}

/// A JSON value as canonical text. Two values are equal exactly when their canonical texts are.
///
/// Binary encodings store the text; JSON encodings embed the value itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Converts JSON text from outside to canonical form, in linear time and without recursion.
    ///
    /// # Errors
    /// If the text is not JSON, has more than [`JSON_LEVELS`](crate::limits::JSON_LEVELS) levels,
    /// or contains an object with a duplicate key.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        // Skipping a value needs no recursion in serde_json, and finds everything that is not JSON.
        let raw: &RawValue = serde_json::from_str(text)?;
        Ok(Self(canonical(raw.get(), Nesting::Limited)?.into_boxed_str()))
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

    /// The number of levels: objects and arrays inside each other. A number has none.
    pub fn levels(&self) -> usize {
        levels(self.0.as_bytes())
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

/// Reads any nesting, because exports, dumps and batches hold documents that older versions stored.
/// `limits::check_json` limits what a command stores. The time is linear: an object with more than
/// [`JSON_LEVELS`](crate::limits::JSON_LEVELS) levels must be canonical already.
impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let raw = Box::<RawValue>::deserialize(deserializer)?;
            let text = canonical(raw.get(), Nesting::Stored).map_err(D::Error::custom)?;
            Ok(Self(text.into_boxed_str()))
        } else {
            Ok(Self(Box::<str>::deserialize(deserializer)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert!(error.to_string().contains("\"x\" occurs twice"), "{error}");
    }

    #[test]
    fn json_embeds_the_value_and_reads_it_back() {
        let text = JsonText::parse(r#"{"n":1.50}"#).unwrap();
        let embedded = serde_json::to_string(&vec![&text]).unwrap();
        assert_eq!(embedded, r#"[{"n":1.50}]"#);
        let back: Vec<JsonText> = serde_json::from_str(&embedded).unwrap();
        assert_eq!(back, vec![text]);
    }

    /// The previous implementation, one recursion a level: what the canonical form is.
    fn slow(text: &str) -> Result<String, serde_json::Error> {
        let text = text.trim();
        Ok(match text.as_bytes()[0] {
            b'{' => {
                let members: std::collections::BTreeMap<String, &RawValue> =
                    serde_json::from_str(text)?;
                let mut parts = Vec::new();
                for (key, value) in members {
                    parts.push(format!("{}:{}", serde_json::to_string(&key)?, slow(value.get())?));
                }
                format!("{{{}}}", parts.join(","))
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                let items: Result<Vec<String>, _> =
                    items.into_iter().map(|item| slow(item.get())).collect();
                format!("[{}]", items?.join(","))
            }
            b'"' => serde_json::to_string(&serde_json::from_str::<String>(text)?)?,
            _ => text.to_owned(),
        })
    }

    fn values() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("-1.50E+3".to_owned()),
            Just(r#""\u0041\n\ud83d\ude00""#.to_owned()),
            "[a-z\\PC\u{1}\"]{0,6}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        ];
        leaf.prop_recursive(6, 60, 5, |inner| {
            let key = prop_oneof![
                "[ab\u{1}\u{7f}é\\\\]{0,3}".prop_map(|key| serde_json::to_string(&key).unwrap()),
                Just(r#""\u0062""#.to_owned()),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[ {}\n]", items.join(" ,\t"))),
                prop::collection::vec((key, inner), 0..5).prop_map(|members| {
                    let mut seen = std::collections::BTreeSet::new();
                    let members: Vec<String> = members
                        .into_iter()
                        .filter(|(key, _)| {
                            seen.insert(serde_json::from_str::<String>(key).unwrap())
                        })
                        .map(|(key, value)| format!(" {key} : {value} "))
                        .collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_what_it_was(text in values()) {
            let canonical = JsonText::parse(&text).unwrap();
            prop_assert_eq!(canonical.as_str(), slow(&text).unwrap());
            let again: JsonText = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(again, canonical);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:\\\\u0d8a1. ]{0,60}") {
            if let Ok(read) = JsonText::parse(&text) {
                prop_assert_eq!(read.as_str(), slow(&text).unwrap());
            }
        }
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn nesting_is_limited_for_new_text() {
        assert_eq!(JsonText::parse(&nested(64)).unwrap().levels(), 64);
        for levels in [65, 36_000, 500_000] {
            let error = JsonText::parse(&nested(levels)).unwrap_err();
            let JsonError::TooDeep { limit: 64, found } = error else { panic!("{error}") };
            assert_eq!(found, levels);
        }
        let text = r#"{"a":"[[[[\"{{{{"}"#;
        assert_eq!(JsonText::parse(text).unwrap().levels(), 1);
    }

    #[test]
    fn stored_text_of_any_nesting_is_read_in_linear_time() {
        let deep = nested(500_000);
        let read: JsonText = serde_json::from_str(&deep).unwrap();
        assert_eq!((read.as_str(), read.levels()), (deep.as_str(), 500_000));
        assert_eq!(serde_json::to_string(&read).unwrap(), deep);
        // Sorting the keys around so many levels would take quadratic time.
        let (open, close) = (r#"{"b":"#.repeat(100_000), r#","a":0}"#.repeat(100_000));
        let error = serde_json::from_str::<JsonText>(&format!("{open}0{close}")).unwrap_err();
        assert!(error.to_string().contains("100000 levels deep; the limit is 64"), "{error}");
    }

    #[test]
    fn an_error_in_an_object_is_placed_in_that_object() {
        let text = r#"[1, {"a":{"x":1,"x":2}}]"#;
        assert_eq!(
            JsonText::parse(text).unwrap_err().to_string(),
            r#"the key "x" occurs twice in one object at line 1 column 13"#
        );
        for text in [r#"[1, {"b": {"\ud800":1}}]"#, r#"{"b":["\ud800 "]}"#] {
            let before = slow(text).unwrap_err().to_string();
            assert_eq!(JsonText::parse(text).unwrap_err().to_string(), before, "{text}");
        }
    }
}
