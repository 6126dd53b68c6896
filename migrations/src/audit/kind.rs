//! The kinds of finding: a stable code, what it is, and what the migration does about it. Source of the list:
//! `docs/spec/legacy-export.md`, "Dirt that is real".

use serde::{Serialize, Serializer};

/// A kind of dirt that is real.
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
}

impl FindingKind {
    /// All kinds, in the order of a report.
    pub const ALL: [Self; 25] = [
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
        Self::BaseDueNotMonday,
        Self::InactivePausePast,
        Self::InactivePauseFuture,
        Self::StoredOverdue,
        Self::StoredMissed,
        Self::ScoreZero,
        Self::FormTitleEmpty,
        Self::AssignedByGone,
    ];

    /// The code by which reports and scripts know it; it never changes.
    pub fn code(self) -> &'static str {
        self.texts().0
    }

    /// What it is, in one line.
    pub fn explanation(self) -> &'static str {
        self.texts().1
    }

    /// What the migration does about it, in one line.
    pub fn migration(self) -> &'static str {
        self.texts().2
    }

    fn texts(self) -> (&'static str, &'static str, &'static str) {
        const KEPT: &str = "Nothing: the document stays as it is.";
        match self {
            Self::SplitIdentity => (
                "split-identity",
                "The client is stored under two identities: these assignments carry its authUid, not its document id.",
                "One series for both: the pre-created view merges them, the legacy view goes on showing two (parity class identity-split).",
            ),
            Self::ClientUnknown => (
                "client-unknown",
                "These assignments carry a client id that no client document has.",
                "Their series is migrated like any other; no view shows it, because the client is not onboarded.",
            ),
            Self::DuplicateWeek => (
                "duplicate-week",
                "Several assignments stand for one week of one series.",
                "All are kept; the pre-created view shows one of them by the legacy view's rule 9 (parity class duplicate-allocation).",
            ),
            Self::SeriesWithoutWeek1 => (
                "series-without-week-1",
                "The series has no assignment for week 1, so nothing says when its weeks are due.",
                "No week is made for it; what is stored stays.",
            ),
            Self::WeekNId => (
                "week-n-id",
                "A later week's id field is made from another assignment's: `<base>_week_<n>`.",
                "Nothing: the document id counts, and the old id keeps resolving.",
            ),
            Self::BaseIdReused => (
                "base-id-reused",
                "A later week's id field is that of its base, so the id names several documents.",
                "Nothing: the document id counts; the old id keeps resolving to the base.",
            ),
            Self::AssignmentWithoutWeek => (
                "assignment-without-week",
                "The assignment has no recurringWeek; week 1 is meant.",
                "It counts as week 1.",
            ),
            Self::ResponseWithoutWeek => (
                "response-without-week",
                "The response has no recurringWeek, so only the assignment it names tells its week.",
                "It stays where it is, unless exactly one other stored week names it: then it is adopted by that week.",
            ),
            Self::ResponseNamesWeek1 => (
                "response-names-week-1",
                "The response is for a later week but names the week-1 document.",
                "It is linked to its own week, which is completed with its time and score.",
            ),
            Self::ResponseNamesLegacyId => (
                "response-names-legacy-id",
                "The response names its assignment by the id field, not by the document id.",
                "Nothing where the assignment is of the response's own week; otherwise it is linked to its own week.",
            ),
            Self::ResponseNamesNothing => (
                "response-names-nothing",
                "The response names no assignment that exists.",
                "It is linked to its own week when that is 2 or later; otherwise it stays as it is.",
            ),
            Self::AssignmentResponseNamesAnother => (
                "assignment-response-names-another",
                "The assignment's response names another assignment (the assignment stands first, then its response).",
                "A response of week 2 or later is linked to its own week; a weekless one is adopted by the one week that names it.",
            ),
            Self::AssignmentResponseMissing => (
                "assignment-response-missing",
                "The assignment's responseId names no response that exists.",
                "Nothing: the week stays completed; the check assignment-links names it.",
            ),
            Self::ResponseNotNamedBack => (
                "response-not-named-back",
                "No assignment names this response.",
                "It is linked to its own week when that is 2 or later and free; otherwise it stays as it is.",
            ),
            Self::CompletedWeekAhead => (
                "completed-week-ahead",
                "The week is completed while weeks before it are not stored; the legacy view hides those for ever.",
                "The missing weeks are made and the pre-created view shows them (parity class gap-week).",
            ),
            Self::DueNull => (
                "due-null",
                "dueDate is null; it reads as the present moment.",
                "Nothing; without a due date on its base a series gets no weeks.",
            ),
            Self::DueMissing => (
                "due-missing",
                "There is no dueDate, so the legacy view finds the document only beside others of its series.",
                "Nothing; without a due date on its base a series gets no weeks.",
            ),
            Self::BaseDueNotMonday => (
                "base-due-not-monday",
                "The first week is due on another day than a Monday, in the old server's time zone.",
                "Made weeks are due on Mondays, as clients saw them; --due weekday keeps the base's day (parity class kept-weekday).",
            ),
            Self::InactivePausePast => (
                "inactive-pause-past",
                "The status is inactive although the pause is over; it reads as active.",
                KEPT,
            ),
            Self::InactivePauseFuture => {
                ("inactive-pause-future", "The status is inactive and the pause is not over.", KEPT)
            }
            Self::StoredOverdue => (
                "stored-overdue",
                "A background write stored the status overdue; views tell it from the due date instead.",
                KEPT,
            ),
            Self::StoredMissed => (
                "stored-missed",
                "A background write stored the status missed, which every view shows.",
                KEPT,
            ),
            Self::ScoreZero => (
                "score-zero",
                "The week is completed with score 0, which the lists show as no score.",
                KEPT,
            ),
            Self::FormTitleEmpty => (
                "form-title-empty",
                "formTitle is empty; the lists show a general title.",
                "Made weeks have the base's title, also when it is empty.",
            ),
            Self::AssignedByGone => (
                "assigned-by-gone",
                "assignedBy is an id that no coach document has, so the lists show the id.",
                "Made weeks have the base's.",
            ),
        }
    }
}

impl Serialize for FindingKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
