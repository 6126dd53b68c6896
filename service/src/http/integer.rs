//! Integers in bodies. JSON has one kind of number, so `4.0` is the integer 4, as the OpenAPI type
//! `integer` says.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// The largest integer up to which a floating-point number represents every integer exactly.
const MOST: f64 = 9_007_199_254_740_992.0;

/// An optional integer from zero.
///
/// # Errors
/// If it is not a number, not an integer, below zero, or too large for its field.
pub fn optional<'de, D: Deserializer<'de>, N: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<N>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let whole = number.as_u64().or_else(|| number.as_f64().and_then(of_float));
    let fitting = whole.and_then(|whole| N::try_from(whole).ok());
    fitting.map(Some).ok_or_else(|| {
        Error::invalid_value(Unexpected::Other(&number.to_string()), &"a whole number")
    })
}

fn of_float(number: f64) -> Option<u64> {
    // Checked before: neither a sign, nor a fraction, nor more than fits is cut off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    ((0.0..=MOST).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Body {
        #[serde(default, deserialize_with = "optional")]
        weeks: Option<u8>,
    }

    fn weeks(text: &str) -> Result<Option<u8>, String> {
        serde_json::from_str(text).map(|body: Body| body.weeks).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for text in
            [r#"{"weeks": 4}"#, r#"{"weeks": 4.0}"#, r#"{"weeks": 4e0}"#, r#"{"weeks": 0.4e1}"#]
        {
            assert_eq!(weeks(text), Ok(Some(4)), "{text}");
        }
        assert_eq!((weeks("{}"), weeks(r#"{"weeks": null}"#)), (Ok(None), Ok(None)));
        for number in ["4.5", "-1", "-1.0", "256", "1e300", "1e-1", "\"4\"", "true", "[4]"] {
            assert!(weeks(&format!("{{\"weeks\": {number}}}")).is_err(), "{number}");
        }
        assert!(weeks(r#"{"weeks": 4.5}"#).unwrap_err().contains("4.5, expected a whole number"));
    }
}
