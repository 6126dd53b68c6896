//! Corrects the ranges of unsigned integers in the document: the derive calls them `int64` and
//! `int32`, which is half of their range.

use serde_json::{Value, json};

/// Gives whole numbers that begin at zero or later the unsigned format of their size and its
/// largest number, everywhere in the document.
pub(super) fn complete(value: &mut Value) {
    if let Some(schema) = value.as_object_mut() {
        let begins = schema.get("minimum").and_then(Value::as_u64).is_some();
        let unsigned = match schema.get("format").and_then(Value::as_str) {
            Some("int64") if begins => Some("uint64"),
            Some("int32") if begins => Some("uint32"),
            _ => None,
        };
        if let Some(format) = unsigned {
            schema.insert("format".to_owned(), json!(format));
        }
        let most = match schema.get("format").and_then(Value::as_str) {
            Some("uint64") => Some(u64::MAX),
            Some("uint32") => Some(u32::MAX.into()),
            _ => None,
        };
        if let Some(most) = most {
            schema.entry("maximum").or_insert(json!(most));
        }
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(complete),
        Value::Array(items) => items.iter_mut().for_each(complete),
        _ => {}
    }
}
