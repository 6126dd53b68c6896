//! The identity of a difference between the views: where it is, and which field differs.

use super::field::Field;

/// The views that show the week of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Legacy,
    Precreated,
    Both,
}

/// A difference, independent of the order of the forms in the rows: (form, run, week), field and
/// side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Difference {
    pub(super) place: (String, u32, u32),
    pub(super) field: Field,
    pub(super) side: Side,
}
