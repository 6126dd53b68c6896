//! Coach documents: the name that lists show.

use serde::Deserialize;

use super::field::Raw;
use crate::json::JsonText;

/// Returns the coach's name as lists show it: first and last name joined by a space and trimmed, or
/// `Unknown Coach`.
pub fn coach_name(body: &JsonText) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct RawProfile<'a> {
        #[serde(borrow)]
        first_name: Raw<'a>,
        #[serde(borrow)]
        last_name: Raw<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RawCoach<'a> {
        #[serde(borrow)]
        profile: Raw<'a>,
    }
    let raw: RawCoach<'_> = body.read().unwrap_or_default();
    let profile: RawProfile<'_> = raw.profile.read().unwrap_or_default();
    let name = format!("{} {}", profile.first_name.text(), profile.last_name.text());
    let name = name.trim();
    if name.is_empty() { "Unknown Coach".to_owned() } else { name.to_owned() }
}
