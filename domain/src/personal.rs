//! The one wrapper around personal data. Owns that such data never reaches a log line by accident, and marks in the type
//! what is to be sealed under the client's key before it is stored.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data: names, e-mail, answers, free text, imported documents.
///
/// `Debug` does not show the content; reading it is spelled out with [`Personal::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps personal data.
    pub fn new(content: T) -> Self {
        Self(content)
    }

    /// The data itself, for a caller that may see it.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the data out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}
