//! The kinds of finding. Source of the list: `docs/spec/legacy-export.md`, "Dirt that is real".

use serde::{Serialize, Serializer};

use super::texts::{self, Texts};

/// A kind of irregular data that real stores contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Assignments carry another identity of the client than its document id.
    SplitIdentity,
    /// Assignments carry a client id that no client document has.
    ClientUnknown,
    /// Several assignments for one week.
    DuplicateWeek,
    /// A series has no week 1.
    SeriesWithoutWeek1,
    /// A later week's `id` is `<base>_week_<n>`.
    WeekNId,
    /// A later week's `id` is the base's own.
    BaseIdReused,
    /// An assignment has no `recurringWeek`.
    AssignmentWithoutWeek,
    /// A response has no `recurringWeek`.
    ResponseWithoutWeek,
    /// A response for a later week names the week-1 document.
    ResponseNamesWeek1,
    /// A response names an assignment by its legacy id.
    ResponseNamesLegacyId,
    /// A response names no assignment that exists.
    ResponseNamesNothing,
    /// An assignment's response names another assignment.
    AssignmentResponseNamesAnother,
    /// An assignment's `responseId` names no response that exists.
    AssignmentResponseMissing,
    /// No assignment names this response.
    ResponseNotNamedBack,
    /// A completed week with weeks before it that are not stored.
    CompletedWeekAhead,
    /// `dueDate` is null.
    DueNull,
    /// There is no `dueDate`.
    DueMissing,
    /// `totalWeeks` is more than a run can have.
    TotalWeeksTooLarge,
    /// `recurringWeek` is more than a run can have.
    RecurringWeekTooLarge,
    /// A base is due on another day than a Monday.
    BaseDueNotMonday,
    /// `inactive`, with a pause that is over.
    InactivePausePast,
    /// `inactive`, with a pause that is not over.
    InactivePauseFuture,
    /// Stored as `overdue`.
    StoredOverdue,
    /// Stored as `missed`.
    StoredMissed,
    /// Completed with score 0.
    ScoreZero,
    /// `formTitle` is empty.
    FormTitleEmpty,
    /// `assignedBy` is the id of a coach that is gone.
    AssignedByGone,
    /// A field has a value of another type and is read as if it were missing.
    FieldOfOtherType,
    /// A field has a value that cannot be meant.
    FieldBeyondReason,
    /// An import changed what a correction replaces.
    CorrectionOvertaken,
}

impl FindingKind {
    /// All kinds, in the order of a report.
    pub const ALL: [Self; 30] = [
        Self::SplitIdentity,
        Self::ClientUnknown,
        Self::DuplicateWeek,
        Self::SeriesWithoutWeek1,
        Self::WeekNId,
        Self::BaseIdReused,
        Self::AssignmentWithoutWeek,
        Self::ResponseWithoutWeek,
        Self::ResponseNamesWeek1,
        Self::ResponseNamesLegacyId,
        Self::ResponseNamesNothing,
        Self::AssignmentResponseNamesAnother,
        Self::AssignmentResponseMissing,
        Self::ResponseNotNamedBack,
        Self::CompletedWeekAhead,
        Self::DueNull,
        Self::DueMissing,
        Self::TotalWeeksTooLarge,
        Self::RecurringWeekTooLarge,
        Self::BaseDueNotMonday,
        Self::InactivePausePast,
        Self::InactivePauseFuture,
        Self::StoredOverdue,
        Self::StoredMissed,
        Self::ScoreZero,
        Self::FormTitleEmpty,
        Self::AssignedByGone,
        Self::FieldOfOtherType,
        Self::FieldBeyondReason,
        Self::CorrectionOvertaken,
    ];

    /// The stable code for reports and scripts.
    pub fn code(self) -> &'static str {
        self.texts().code
    }

    /// What it is, in one line.
    pub fn explanation(self) -> &'static str {
        self.texts().explanation
    }

    /// What the migration does about it, in one line.
    pub fn migration(self) -> &'static str {
        self.texts().migration
    }

    fn texts(self) -> &'static Texts {
        match self {
            Self::SplitIdentity => &texts::SPLIT_IDENTITY,
            Self::ClientUnknown => &texts::CLIENT_UNKNOWN,
            Self::DuplicateWeek => &texts::DUPLICATE_WEEK,
            Self::SeriesWithoutWeek1 => &texts::SERIES_WITHOUT_WEEK_1,
            Self::WeekNId => &texts::WEEK_N_ID,
            Self::BaseIdReused => &texts::BASE_ID_REUSED,
            Self::AssignmentWithoutWeek => &texts::ASSIGNMENT_WITHOUT_WEEK,
            Self::ResponseWithoutWeek => &texts::RESPONSE_WITHOUT_WEEK,
            Self::ResponseNamesWeek1 => &texts::RESPONSE_NAMES_WEEK_1,
            Self::ResponseNamesLegacyId => &texts::RESPONSE_NAMES_LEGACY_ID,
            Self::ResponseNamesNothing => &texts::RESPONSE_NAMES_NOTHING,
            Self::AssignmentResponseNamesAnother => &texts::ASSIGNMENT_RESPONSE_NAMES_ANOTHER,
            Self::AssignmentResponseMissing => &texts::ASSIGNMENT_RESPONSE_MISSING,
            Self::ResponseNotNamedBack => &texts::RESPONSE_NOT_NAMED_BACK,
            Self::CompletedWeekAhead => &texts::COMPLETED_WEEK_AHEAD,
            Self::DueNull => &texts::DUE_NULL,
            Self::DueMissing => &texts::DUE_MISSING,
            Self::TotalWeeksTooLarge => &texts::TOTAL_WEEKS_TOO_LARGE,
            Self::RecurringWeekTooLarge => &texts::RECURRING_WEEK_TOO_LARGE,
            Self::BaseDueNotMonday => &texts::BASE_DUE_NOT_MONDAY,
            Self::InactivePausePast => &texts::INACTIVE_PAUSE_PAST,
            Self::InactivePauseFuture => &texts::INACTIVE_PAUSE_FUTURE,
            Self::StoredOverdue => &texts::STORED_OVERDUE,
            Self::StoredMissed => &texts::STORED_MISSED,
            Self::ScoreZero => &texts::SCORE_ZERO,
            Self::FormTitleEmpty => &texts::FORM_TITLE_EMPTY,
            Self::AssignedByGone => &texts::ASSIGNED_BY_GONE,
            Self::FieldOfOtherType => &texts::FIELD_OF_OTHER_TYPE,
            Self::FieldBeyondReason => &texts::FIELD_BEYOND_REASON,
            Self::CorrectionOvertaken => &texts::CORRECTION_OVERTAKEN,
        }
    }
}

impl Serialize for FindingKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
