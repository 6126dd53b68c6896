//! Days of the week and times of day, as options of a migration name them.

use std::fmt;
use std::str::FromStr;

use rollbook_domain::series::decide::time_of_day;
use serde::{Deserialize, Serialize};

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// The first day of a week.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

impl Weekday {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Monday, "monday"),
        (Self::Tuesday, "tuesday"),
        (Self::Wednesday, "wednesday"),
        (Self::Thursday, "thursday"),
        (Self::Friday, "friday"),
        (Self::Saturday, "saturday"),
        (Self::Sunday, "sunday"),
    ];

    /// The number of days from Monday, 0 to 6.
    pub fn days_from_monday(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(day, _)| day == self).map(|(_, name)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

/// A text that is not a day of the week.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a day of the week; write monday, tuesday and so on")]
pub struct WeekdayError {
    text: String,
}

impl FromStr for Weekday {
    type Err = WeekdayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(day, _)| *day).ok_or_else(|| WeekdayError { text: text.to_owned() })
    }
}

/// A local time of day to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// The hour, 0 to 23.
    pub hour: u32,
    /// The minute, 0 to 59.
    pub minute: u32,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// A text that is not a time of day.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a time of day; write it as 09:00")]
pub struct TimeOfDayError {
    text: String,
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        time_of_day(text)
            .map(|(hour, minute)| Self { hour, minute })
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| TimeOfDayError { text: text.to_owned() })
    }
}
