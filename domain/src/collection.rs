//! This module names the collections of the old application's export.

use serde::{Deserialize, Serialize};

/// A collection of the old application, as its export names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// `clients`
    Clients,
    /// `coaches`
    Coaches,
    /// `users`
    Users,
    /// `forms`
    Forms,
    /// `check_in_assignments`
    CheckInAssignments,
    /// `formResponses`
    #[serde(rename = "formResponses")]
    FormResponses,
    /// `coachFeedback`
    #[serde(rename = "coachFeedback")]
    CoachFeedback,
    /// `check_in_extensions`
    CheckInExtensions,
}

impl Collection {
    /// All collections in import order: people and forms first, then the documents that refer to
    /// them.
    pub const ALL: [Self; 8] = [
        Self::Clients,
        Self::Coaches,
        Self::Users,
        Self::Forms,
        Self::CheckInAssignments,
        Self::FormResponses,
        Self::CoachFeedback,
        Self::CheckInExtensions,
    ];

    /// The collections that every export has, also without documents.
    pub const REQUIRED: [Self; 3] = [Self::Clients, Self::CheckInAssignments, Self::FormResponses];

    /// The collection's name in an export; its file is `<name>.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Coaches => "coaches",
            Self::Users => "users",
            Self::Forms => "forms",
            Self::CheckInAssignments => "check_in_assignments",
            Self::FormResponses => "formResponses",
            Self::CoachFeedback => "coachFeedback",
            Self::CheckInExtensions => "check_in_extensions",
        }
    }

    /// The event names that a history shows for an imported, changed and removed document.
    pub(crate) fn event_names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Clients => ("ClientImported", "ClientChanged", "ClientRemoved"),
            Self::Coaches => ("CoachImported", "CoachChanged", "CoachRemoved"),
            Self::Users => ("UserImported", "UserChanged", "UserRemoved"),
            Self::Forms => ("FormImported", "FormChanged", "FormRemoved"),
            Self::CheckInAssignments => {
                ("AssignmentImported", "AssignmentChanged", "AssignmentRemoved")
            }
            Self::FormResponses => ("ResponseImported", "ResponseChanged", "ResponseRemoved"),
            Self::CoachFeedback => ("FeedbackImported", "FeedbackChanged", "FeedbackRemoved"),
            Self::CheckInExtensions => {
                ("ExtensionImported", "ExtensionChanged", "ExtensionRemoved")
            }
        }
    }

    /// Returns the collection with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }
}
