//! Scores as the old application stored them: JSON numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A JSON number. It is compared by its bits, and a whole number is written without a fraction, as
/// JavaScript does.
#[derive(Clone, Copy, Debug)]
pub struct Number(f64);

impl Number {
    /// Creates a number from a float.
    pub fn new(value: f64) -> Self {
        Self(value)
    }

    /// Returns the number as a float.
    pub fn value(self) -> f64 {
        self.0
    }

    /// Whether it is zero. The old application showed zero as no score.
    pub fn is_zero(self) -> bool {
        self.0 == 0.0
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self(f64::from(value))
    }
}

/// 2^53: every whole number below it is exactly representable as a float.
const WHOLE_LIMIT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() && self.0.fract() == 0.0 && self.0.abs() < WHOLE_LIMIT {
            // Exact, because it is a whole number below 2^53.
            #[allow(clippy::cast_possible_truncation)]
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction() {
        assert_eq!(serde_json::to_string(&Number::new(51.0)).unwrap(), "51");
        assert_eq!(serde_json::to_string(&Number::new(51.5)).unwrap(), "51.5");
        assert_eq!(serde_json::from_str::<Number>("51").unwrap(), Number::from(51));
    }
}
