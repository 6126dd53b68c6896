//! Lenient reading of a single JSON field of a document.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::time::Timestamp;

/// A field that distinguishes a missing value from null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field<T> {
    /// The document has no such field.
    #[default]
    Missing,
    /// The field is null.
    Null,
    /// The field has a value.
    Is(T),
}

impl<T> Field<T> {
    /// The value, if the field has one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

/// The raw JSON of one field; `None` if the field is missing.
#[derive(Clone, Copy, Default)]
pub(super) struct Raw<'a>(pub(super) Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

impl<'a> Raw<'a> {
    pub(super) fn read<T: Deserialize<'a>>(self) -> Option<T> {
        self.0.and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    pub(super) fn is_null(self) -> bool {
        self.0.is_some_and(|raw| raw.get() == "null")
    }

    /// Reads a whole number, however it is written: `52`, `52.0` and `5.2e1` are the
    /// same number, as they are for the old application.
    pub(super) fn whole(self) -> Option<u64> {
        /// Up to here a float holds every whole number exactly.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        self.read().or_else(|| {
            let number: f64 = self.read()?;
            let is_whole = number.fract() == 0.0 && (0.0..=EXACT).contains(&number);
            // Exact, because it is a whole number below the bound.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            is_whole.then_some(number as u64)
        })
    }

    /// Reads the number of a week, from 1.
    pub(super) fn week(self) -> Option<u32> {
        self.whole().and_then(|week| u32::try_from(week).ok()).filter(|week| *week > 0)
    }

    /// Whether the value is a JSON number, even one that no float can hold.
    pub(super) fn is_number(self) -> bool {
        self.0.is_some_and(|raw| raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()))
    }

    pub(super) fn text(self) -> String {
        self.read().unwrap_or_default()
    }

    pub(super) fn field<T>(self, value: Option<T>) -> Field<T> {
        match (self.0, value) {
            (None, _) => Field::Missing,
            (Some(_), Some(value)) => Field::Is(value),
            (Some(_), None) => Field::Null,
        }
    }

    /// Reads an instant in one of the export's three forms; `None` if it is missing or null.
    pub(super) fn instant(self) -> Result<Option<Timestamp>, ()> {
        match self.0 {
            None => Ok(None),
            Some(raw) if raw.get() == "null" => Ok(None),
            Some(raw) => serde_json::from_str::<AnyTimestamp>(raw.get())
                .ok()
                .and_then(AnyTimestamp::instant)
                .map(Some)
                .ok_or(()),
        }
    }

    pub(super) fn instant_or_none(self) -> Option<Timestamp> {
        self.instant().unwrap_or_default()
    }
}

/// The three forms in which exporters write an instant.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyTimestamp {
    Text(String),
    Parts(Parts),
    Typed {
        #[serde(rename = "__datatype__")]
        datatype: String,
        value: Parts,
    },
}

#[derive(Deserialize)]
struct Parts {
    _seconds: i64,
    _nanoseconds: u32,
}

impl Parts {
    fn instant(&self) -> Option<Timestamp> {
        let Self { _seconds, _nanoseconds } = *self;
        (_nanoseconds < 1_000_000_000).then(|| Timestamp::from_parts(_seconds, _nanoseconds))?
    }
}

impl AnyTimestamp {
    fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Parts(parts) => parts.instant(),
            Self::Typed { datatype, value } if datatype == "timestamp" => value.instant(),
            Self::Typed { .. } => None,
        }
    }
}
