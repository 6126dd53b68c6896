//! Conversion between domain types and their stored forms: the trait, and the types whose stored
//! form mirrors the domain type one to one. `convert` implements the trait for events and structs.

use rollbook_domain::event::{AssignedStatus, Collection, LinkKind, MissedReason, Origin, View};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::DecodeError;

/// A domain type with a stored form. The form borrows from the domain value or from the stored
/// bytes.
pub(super) trait StoredForm<'a>: Sized {
    /// The stored form.
    type Form: 'a;
    /// The stored form of this value.
    fn to_form(&'a self) -> Self::Form;
    /// The domain value of a stored form.
    fn from_form(form: Self::Form) -> Result<Self, DecodeError>;
}

/// Implements [`StoredForm`] for types whose stored form is the type itself.
macro_rules! plain {
    ($($name:ty),+) => { $(
        impl StoredForm<'_> for $name {
            type Form = Self;
            fn to_form(&self) -> Self {
                *self
            }
            fn from_form(form: Self) -> Result<Self, DecodeError> {
                Ok(form)
            }
        }
    )+ };
}

plain!(u8, u32, u64, bool, Uuid);

/// Defines a stored enum that mirrors a domain enum without fields.
///
/// The order of the variants in the list is the stored index: never reorder it.
macro_rules! mirror {
    ($name:ident = $domain:ident { $($variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, Serialize, Deserialize)]
        pub(super) enum $name { $($variant),+ }

        impl StoredForm<'_> for $domain {
            type Form = $name;
            fn to_form(&self) -> $name {
                match self { $($domain::$variant => $name::$variant),+ }
            }
            fn from_form(form: $name) -> Result<Self, DecodeError> {
                Ok(match form { $($name::$variant => Self::$variant),+ })
            }
        }
    };
}

mirror!(
    StoredCollection = Collection {
        Clients,
        Coaches,
        Users,
        Forms,
        CheckInAssignments,
        FormResponses,
        CoachFeedback,
        CheckInExtensions
    }
);
mirror!(StoredOrigin = Origin { Allocation, Submission, Migration });
mirror!(StoredReason = MissedReason { Sick, Traveling, PersonalEmergency, Other });
mirror!(StoredStatus = AssignedStatus { Pending, Active, Inactive, Overdue, Missed, Completed });
mirror!(StoredLink = LinkKind { Linked, Adopted });
mirror!(StoredView = View { Legacy, Precreated });
