//! The kinds of migration that this build knows.

use crate::definition::Definition;
use crate::precreate::Precreate;

/// Every kind.
const KINDS: [&dyn Definition; 1] = [&Precreate];

/// The kind with this name.
pub(crate) fn find(kind: &str) -> Option<&'static dyn Definition> {
    KINDS.into_iter().find(|definition| definition.kind() == kind)
}

/// The names of all kinds, for error messages.
pub(crate) fn names() -> String {
    KINDS.map(|definition| definition.kind()).join(", ")
}
