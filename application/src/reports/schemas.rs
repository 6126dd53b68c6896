//! OpenAPI schemas of types that reports contain and that are defined in crates without OpenAPI.

use utoipa::ToSchema;

/// A view.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ViewName {
    /// Weeks generated when someone looks.
    Legacy,
    /// Every week stored as its own assignment.
    Precreated,
}

/// Something that the migration leaves as it is.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"series": "series/ada/weekly", "obstacle": "week-holds-another", "response": "r7", "week": 3}))]
pub struct LeftAsItIs {
    /// The series' stream.
    pub series: String,
    /// Why: `no-week-one`, `no-base-due`, `week-holds-another` or `week-outside`.
    pub obstacle: String,
    /// The response that is not linked.
    #[schema(required = false)]
    pub response: Option<String>,
    /// Its week.
    #[schema(required = false)]
    pub week: Option<u32>,
}

/// One check on record.
#[derive(Debug, ToSchema)]
pub struct RecordedCheck {
    /// Its name.
    pub name: String,
    /// Whether it held.
    pub green: bool,
    /// What was seen, in one line.
    pub detail: String,
}
