//! A decoded row of any type, in memory.

use std::any::Any;

use serde::Serialize;

use crate::error::ProjectionError;

/// A decoded row of any type.
pub(crate) trait AnyRow: Any + Send {
    /// Appends the encoded row.
    fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), ProjectionError>;
    /// The row, to be cast to its type.
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<T: Serialize + Any + Send> AnyRow for T {
    fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), ProjectionError> {
        rollbook_log::binary::write(self, bytes)
            .map_err(|source| ProjectionError::Encode(Box::new(source)))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// A decoded row that is being changed or cached.
pub(crate) struct HeldRow {
    /// `None` if there is no such row.
    pub(crate) row: Option<Box<dyn AnyRow>>,
    /// The length of its encoded form when it was last written, in bytes.
    pub(crate) encoded_bytes: usize,
}

impl HeldRow {
    /// A row that was not written yet.
    pub(crate) fn new(row: Option<Box<dyn AnyRow>>) -> Self {
        Self { row, encoded_bytes: 0 }
    }
}
