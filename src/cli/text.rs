//! How reports read as text. The reports themselves are the application's.

/// A report as a person reads it on a terminal.
pub(crate) trait Text {
    /// The text, with styles and line ends.
    fn text(&self) -> String;
}
