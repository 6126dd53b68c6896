//! The compared fields of an entry and their text in a report. `clientId` and `pausedUntil` are not
//! compared, because the pre-created view does not have them. Ids of coaches are compared instead
//! of their names.

use rollbook_domain::Timestamp;
use rollbook_domain::document::Field as Presence;
use rollbook_projections::entry::Entry;

/// One compared field, or the entry as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    /// Whether a view shows the week.
    Entry,
    Id,
    DocumentId,
    Title,
    Description,
    DueDate,
    Status,
    AssignedBy,
    AssignedAt,
    CompletedAt,
    Score,
    IsRecurring,
    TotalWeeks,
    CheckInWindow,
    ResponseId,
    CoachResponded,
    ExtensionGranted,
    /// The summary of a list.
    Summary,
}

const COMPARED: [Field; 16] = [
    Field::Id,
    Field::DocumentId,
    Field::DueDate,
    Field::Status,
    Field::ResponseId,
    Field::CompletedAt,
    Field::Score,
    Field::CoachResponded,
    Field::ExtensionGranted,
    Field::AssignedAt,
    Field::AssignedBy,
    Field::Title,
    Field::Description,
    Field::IsRecurring,
    Field::TotalWeeks,
    Field::CheckInWindow,
];

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

fn title<'a>(entry: &Entry<'a>) -> &'a str {
    or(&entry.stored.title, "Check-in Assignment")
}

fn description<'a>(entry: &Entry<'a>) -> &'a str {
    or(&entry.stored.description, "Complete your assigned check-in")
}

impl Field {
    /// The JSON name of the field, or `entry`, `summary` or `identity`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Id => "id",
            Self::DocumentId => "documentId",
            Self::Title => "title",
            Self::Description => "description",
            Self::DueDate => "dueDate",
            Self::Status => "status",
            Self::AssignedBy => "assignedBy",
            Self::AssignedAt => "assignedAt",
            Self::CompletedAt => "completedAt",
            Self::Score => "score",
            Self::IsRecurring => "isRecurring",
            Self::TotalWeeks => "totalWeeks",
            Self::CheckInWindow => "checkInWindow",
            Self::ResponseId => "responseId",
            Self::CoachResponded => "coachResponded",
            Self::ExtensionGranted => "extensionGranted",
            Self::Summary => "summary",
        }
    }

    fn differs(self, a: &Entry<'_>, b: &Entry<'_>) -> bool {
        match self {
            Self::Id => a.id != b.id,
            Self::DocumentId => a.document != b.document,
            Self::Title => title(a) != title(b),
            Self::Description => description(a) != description(b),
            Self::DueDate => a.due != b.due,
            Self::Status => a.status != b.status,
            Self::AssignedBy => a.assigned_by != b.assigned_by,
            Self::AssignedAt => a.assigned_at != b.assigned_at,
            Self::CompletedAt => a.completed_at != b.completed_at,
            Self::Score => a.score != b.score,
            Self::IsRecurring => a.stored.recurring != b.stored.recurring,
            Self::TotalWeeks => a.stored.total_weeks != b.stored.total_weeks,
            Self::CheckInWindow => a.window != b.window,
            Self::ResponseId => a.response != b.response,
            Self::CoachResponded => a.coach_responded != b.coach_responded,
            Self::ExtensionGranted => a.extension_granted != b.extension_granted,
            Self::Entry | Self::Summary => false,
        }
    }

    /// The value in a report.
    pub(super) fn value(self, entry: &Entry<'_>) -> String {
        let instant = |at: Timestamp| at.to_string();
        match self {
            Self::Id => entry.id.to_string(),
            Self::DocumentId => entry.document.to_string(),
            Self::Title => title(entry).to_owned(),
            Self::Description => description(entry).to_owned(),
            Self::DueDate => instant(entry.due),
            Self::Status => status(entry),
            Self::AssignedBy => entry.assigned_by.to_string(),
            Self::AssignedAt => instant(entry.assigned_at),
            Self::CompletedAt => entry.completed_at.map_or_else(absent, instant),
            Self::Score => entry.score.map_or_else(absent, |score| score.value().to_string()),
            Self::IsRecurring => entry.stored.recurring.to_string(),
            Self::TotalWeeks => entry.stored.total_weeks.to_string(),
            Self::CheckInWindow => entry
                .window
                .as_ref()
                .map_or_else(|| "null".to_owned(), |window| window.as_str().to_owned()),
            Self::ResponseId => match entry.response {
                Presence::Missing => absent(),
                Presence::Null => "null".to_owned(),
                Presence::Is(id) => id.to_owned(),
            },
            Self::CoachResponded => entry.coach_responded.to_string(),
            Self::ExtensionGranted => entry.extension_granted.to_string(),
            Self::Entry | Self::Summary => {
                format!("{} due {}, {}", entry.id, entry.due, status(entry))
            }
        }
    }
}

fn absent() -> String {
    "absent".to_owned()
}

fn status(entry: &Entry<'_>) -> String {
    format!("{:?}", entry.status).to_lowercase()
}

/// The compared fields in which two entries differ.
pub(super) fn differing<'b>(
    a: &'b Entry<'_>,
    b: &'b Entry<'_>,
) -> impl Iterator<Item = Field> + 'b {
    COMPARED.into_iter().filter(|field| field.differs(a, b))
}
