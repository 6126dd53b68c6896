//! The text form of the application's reports.

/// A report that can be printed for people.
pub(crate) trait Text {
    /// The text with styles and newlines.
    fn text(&self) -> String;
}
