//! Instants: parsing, formatting and encoding. This module knows neither a clock nor time zones.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC with nanosecond precision.
///
/// The text form is RFC 3339 in UTC, with milliseconds, or with nanoseconds if they are needed. The
/// binary form is the pair (seconds since 1970, nanoseconds), so equal instants have equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// The error for text that is not an RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not an RFC 3339 time; write it like 2026-01-05T09:00:00Z")]
pub struct TimestampError {
    text: String,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z. The legacy view sorts a missing due date like this instant.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// Creates an instant from whole seconds since 1970 and nanoseconds (0 to 999,999,999); `None`
    /// outside the calendar.
    #[inline]
    pub fn from_parts(seconds: i64, nanoseconds: u32) -> Option<Self> {
        DateTime::from_timestamp(seconds, nanoseconds).map(Self)
    }

    /// Returns whole seconds since 1970, rounded down.
    #[inline]
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// Returns the nanoseconds within the second.
    #[inline]
    pub fn nanoseconds(self) -> u32 {
        self.0.timestamp_subsec_nanos()
    }

    /// Returns milliseconds since 1970, rounded down.
    #[inline]
    pub fn milliseconds(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Returns the instant `milliseconds` later (earlier if negative), clamped to the representable
    /// range.
    #[inline]
    pub fn plus_milliseconds(self, milliseconds: i64) -> Self {
        let moved = chrono::Duration::try_milliseconds(milliseconds)
            .and_then(|by| self.0.checked_add_signed(by));
        Self(moved.unwrap_or(if milliseconds < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        }))
    }

    /// Returns the chrono instant, for calendar arithmetic.
    #[inline]
    pub fn as_chrono(self) -> DateTime<Utc> {
        self.0
    }

    /// Formats the instant as RFC 3339 in UTC with exactly three decimals, as every view does.
    pub fn to_milliseconds_text(self) -> String {
        let digits = self.digits().and_then(|digits| String::from_utf8(digits.to_vec()).ok());
        digits.unwrap_or_else(|| self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// Serializes the instant in the form of [`Timestamp::to_milliseconds_text`].
    ///
    /// # Errors
    /// Returns the errors of the serializer.
    pub fn serialize_milliseconds<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.digits() {
            Some(digits) => {
                serializer.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
            }
            None => serializer.serialize_str(&self.to_milliseconds_text()),
        }
    }

    /// RFC 3339 with milliseconds, for years of four digits. View bodies have three instants an
    /// entry, and the general formatter takes ten times as long.
    fn digits(self) -> Option<[u8; 24]> {
        let (date, time) = (self.0.date_naive(), self.0.time());
        let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9999)?;
        let two = [date.month(), date.day(), time.hour(), time.minute(), time.second()];
        let milliseconds = self.0.timestamp_subsec_millis();
        let ascii = |number: u32| u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let (head, rest) = text.split_first_chunk_mut::<4>()?;
        *head = [ascii(year / 1000), ascii(year / 100), ascii(year / 10), ascii(year)];
        for (part, value) in rest.chunks_exact_mut(3).zip(two) {
            if let [_, tens, ones] = part {
                (*tens, *ones) = (ascii(value / 10), ascii(value));
            }
        }
        if let [.., hundreds, tens, ones, _z] = rest {
            (*hundreds, *tens, *ones) =
                (ascii(milliseconds / 100), ascii(milliseconds / 10), ascii(milliseconds));
        }
        Some(text)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.0.timestamp_subsec_nanos().is_multiple_of(1_000_000) {
            SecondsFormat::Millis
        } else {
            SecondsFormat::Nanos
        };
        f.write_str(&self.0.to_rfc3339_opts(form, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A year without exactly four digits is written with a sign, which RFC 3339 does not allow.
        let parsed = if text.starts_with(['+', '-']) {
            text.parse()
        } else {
            DateTime::parse_from_rfc3339(text)
        };
        parsed
            .map(|instant| Self(instant.with_timezone(&Utc)))
            .map_err(|_| TimestampError { text: text.to_owned() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.seconds(), self.nanoseconds()).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            let (seconds, nanoseconds) = <(i64, u32)>::deserialize(deserializer)?;
            Self::from_parts(seconds, nanoseconds)
                .ok_or_else(|| D::Error::custom("an instant outside the calendar"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_nanoseconds_and_normalises_the_offset() {
        let plain: Timestamp = "2026-01-05T10:00:00+01:00".parse().unwrap();
        assert_eq!(plain.to_string(), "2026-01-05T09:00:00.000Z");
        let fine: Timestamp = "2026-01-05T09:00:00.123456789Z".parse().unwrap();
        assert_eq!(fine.to_string(), "2026-01-05T09:00:00.123456789Z");
        assert_eq!(fine.to_milliseconds_text(), "2026-01-05T09:00:00.123Z");
        assert!("2026-01-05".parse::<Timestamp>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_instant_is_read_back_from_its_text(seconds in -8_000_000_000_000_i64..8_000_000_000_000, nanoseconds in 0_u32..1_000_000_000) {
            let instant = Timestamp::from_parts(seconds, nanoseconds).unwrap();
            proptest::prop_assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
        }

        #[test]
        fn milliseconds_text_is_what_chrono_writes(seconds in -100_000_000_000_i64..300_000_000_000, nanoseconds in 0_u32..1_000_000_000) {
            let instant = Timestamp::from_parts(seconds, nanoseconds).unwrap();
            proptest::prop_assert_eq!(instant.to_milliseconds_text(), instant.0.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
    }
}
