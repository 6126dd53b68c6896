//! The trait of a projection: a name, a version, and a fold from events to rows.
//!
//! [`Projection`] is the typed form that readers name in code. [`DynProjection`] is the same
//! projection as an object, so that the runtime can keep several kinds in one list.

use std::fmt;

use rollbook_domain::{EventRecord, Position};
use rollbook_log::LeafHash;
use serde::{Serialize, Serializer};

use crate::error::ProjectionError;
use crate::rows::RowChanges;

/// A projection: rows by key, folded from events.
pub trait Projection: Send + Sync + 'static {
    /// The name under which its rows are stored. It is unique and never changes.
    const NAME: &'static str;

    /// The version of its rows. Raise it with every change to what the rows hold: a store with
    /// rows of another version builds new rows beside the old ones and then removes the old ones.
    const VERSION: u32;

    /// Whether the projection also folds the hashes of the stored events. Reading them costs
    /// nothing, but every event has to be hashed.
    const WANTS_LEAVES: bool = false;

    /// Folds one commit. The fold is deterministic and has no clock; each row depends only on its
    /// own events, in the order of the log.
    ///
    /// # Errors
    /// If a row cannot be read.
    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError>;

    /// Folds the leaf hashes of one commit's events. `first` is the position of the first event.
    /// The runtime calls this only if [`Projection::WANTS_LEAVES`] is set.
    ///
    /// # Errors
    /// If a row cannot be read, or does not have the expected content.
    fn fold_leaves(
        &self,
        _rows: &mut RowChanges<'_>,
        _first: Position,
        _leaves: &[LeafHash],
    ) -> Result<(), ProjectionError> {
        Ok(())
    }
}

/// A [`Projection`] as an object. Every projection implements it; nothing else does.
pub trait DynProjection: Send + Sync {
    /// [`Projection::NAME`].
    fn name(&self) -> ProjectionName;

    /// [`Projection::VERSION`].
    fn version(&self) -> u32;

    /// [`Projection::WANTS_LEAVES`].
    fn wants_leaves(&self) -> bool;

    /// [`Projection::fold`].
    ///
    /// # Errors
    /// As there.
    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError>;

    /// [`Projection::fold_leaves`].
    ///
    /// # Errors
    /// As there.
    fn fold_leaves(
        &self,
        rows: &mut RowChanges<'_>,
        first: Position,
        leaves: &[LeafHash],
    ) -> Result<(), ProjectionError>;
}

impl<P: Projection> DynProjection for P {
    fn name(&self) -> ProjectionName {
        ProjectionName::of::<P>()
    }

    fn version(&self) -> u32 {
        P::VERSION
    }

    fn wants_leaves(&self) -> bool {
        P::WANTS_LEAVES
    }

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        Projection::fold(self, rows, commit)
    }

    fn fold_leaves(
        &self,
        rows: &mut RowChanges<'_>,
        first: Position,
        leaves: &[LeafHash],
    ) -> Result<(), ProjectionError> {
        Projection::fold_leaves(self, rows, first, leaves)
    }
}

/// The name of a projection that exists: taken from its type, or parsed from a user's text
/// (`catalog`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectionName(&'static str);

impl ProjectionName {
    /// The name of a projection.
    pub const fn of<P: Projection>() -> Self {
        Self(P::NAME)
    }

    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ProjectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Serialize for ProjectionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}
