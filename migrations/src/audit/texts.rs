//! The texts of each kind of finding.

/// The texts of one kind.
pub(super) struct Texts {
    /// The stable code.
    pub(super) code: &'static str,
    /// What it is.
    pub(super) explanation: &'static str,
    /// What the migration does about it.
    pub(super) migration: &'static str,
}

const UNCHANGED: &str = "Nothing: the document stays as it is.";

pub(super) const SPLIT_IDENTITY: Texts = Texts {
    code: "split-identity",
    explanation: "The client is stored under two identities: these assignments have its authUid instead of its document id.",
    migration: "One series for both: the pre-created view merges them, the legacy view continues to show two (parity class identity-split).",
};

pub(super) const CLIENT_UNKNOWN: Texts = Texts {
    code: "client-unknown",
    explanation: "These assignments have a client id that no client document has.",
    migration: "Their series is migrated like any other. No view shows it, because the client is not onboarded.",
};

pub(super) const DUPLICATE_WEEK: Texts = Texts {
    code: "duplicate-week",
    explanation: "Several assignments are stored for one week of a series.",
    migration: "All are kept. The pre-created view shows one of them, chosen by the legacy view's rule 9 (parity class duplicate-allocation).",
};

pub(super) const SERIES_WITHOUT_WEEK_1: Texts = Texts {
    code: "series-without-week-1",
    explanation: "The series has no assignment for week 1, so there is no due date to count from.",
    migration: "No week is created for it. Stored weeks stay as they are.",
};

pub(super) const WEEK_N_ID: Texts = Texts {
    code: "week-n-id",
    explanation: "The id field of a later week is derived from another assignment: `<base>_week_<n>`.",
    migration: "Nothing: the document id is used, and the old id still resolves.",
};

pub(super) const BASE_ID_REUSED: Texts = Texts {
    code: "base-id-reused",
    explanation: "The id field of a later week is that of its base, so the id names several documents.",
    migration: "Nothing: the document id is used, and the old id still resolves to the base.",
};

pub(super) const ASSIGNMENT_WITHOUT_WEEK: Texts = Texts {
    code: "assignment-without-week",
    explanation: "The assignment has no recurringWeek, which means week 1.",
    migration: "It counts as week 1.",
};

pub(super) const RESPONSE_WITHOUT_WEEK: Texts = Texts {
    code: "response-without-week",
    explanation: "The response has no recurringWeek, so only the assignment that it names gives its week.",
    migration: "It stays as it is, unless exactly one other stored week names it: then it is linked to that week (adopted).",
};

pub(super) const RESPONSE_NAMES_WEEK_1: Texts = Texts {
    code: "response-names-week-1",
    explanation: "The response is for a later week but names the week-1 document.",
    migration: "It is linked to its own week, which is completed with its time and score.",
};

pub(super) const RESPONSE_NAMES_LEGACY_ID: Texts = Texts {
    code: "response-names-legacy-id",
    explanation: "The response names its assignment by the id field instead of the document id.",
    migration: "Nothing if the assignment is of the response's own week; otherwise the response is linked to its own week.",
};

pub(super) const RESPONSE_NAMES_NOTHING: Texts = Texts {
    code: "response-names-nothing",
    explanation: "The response names no existing assignment.",
    migration: "It is linked to its own week if that is week 2 or later; otherwise it stays as it is.",
};

pub(super) const ASSIGNMENT_RESPONSE_NAMES_ANOTHER: Texts = Texts {
    code: "assignment-response-names-another",
    explanation: "The assignment's response names another assignment (the assignment is listed first, then its response).",
    migration: "A response of week 2 or later is linked to its own week. A response without a week is linked to the only week that names it (adopted).",
};

pub(super) const ASSIGNMENT_RESPONSE_MISSING: Texts = Texts {
    code: "assignment-response-missing",
    explanation: "The assignment's responseId names no existing response.",
    migration: "Nothing: the week stays completed, and the check assignment-links reports it.",
};

pub(super) const RESPONSE_NOT_NAMED_BACK: Texts = Texts {
    code: "response-not-named-back",
    explanation: "No assignment names this response.",
    migration: "It is linked to its own week if that is week 2 or later and has no response; otherwise it stays as it is.",
};

pub(super) const COMPLETED_WEEK_AHEAD: Texts = Texts {
    code: "completed-week-ahead",
    explanation: "The week is completed but earlier weeks are not stored; the legacy view never shows those.",
    migration: "The missing weeks are created, and the pre-created view shows them (parity class gap-week).",
};

pub(super) const DUE_NULL: Texts = Texts {
    code: "due-null",
    explanation: "dueDate is null, which is read as the current time.",
    migration: "Nothing. If the base of a series has no due date, no week is created.",
};

pub(super) const DUE_MISSING: Texts = Texts {
    code: "due-missing",
    explanation: "There is no dueDate, so the legacy view finds the document only together with others of its series.",
    migration: "Nothing. If the base of a series has no due date, no week is created.",
};

pub(super) const TOTAL_WEEKS_TOO_LARGE: Texts = Texts {
    code: "total-weeks-too-large",
    explanation: "The field totalWeeks of these assignments is more than 520, the most weeks of a run.",
    migration: "The run counts as 520 weeks in both views. The document stays as it is.",
};

pub(super) const RECURRING_WEEK_TOO_LARGE: Texts = Texts {
    code: "recurring-week-too-large",
    explanation: "The field recurringWeek of these assignments or responses is more than 520, the most weeks of a run.",
    migration: "Nothing: the week keeps its number, and no week is created for it.",
};

pub(super) const BASE_DUE_NOT_MONDAY: Texts = Texts {
    code: "base-due-not-monday",
    explanation: "The first week is not due on a Monday in the old server's time zone.",
    migration: "Created weeks are due on Mondays, as clients saw them; with the due rule weekday they keep the base's day (parity class kept-weekday).",
};

pub(super) const INACTIVE_PAUSE_PAST: Texts = Texts {
    code: "inactive-pause-past",
    explanation: "The status is inactive although the pause is over; it is read as active.",
    migration: UNCHANGED,
};

pub(super) const INACTIVE_PAUSE_FUTURE: Texts = Texts {
    code: "inactive-pause-future",
    explanation: "The status is inactive and the pause is not over.",
    migration: UNCHANGED,
};

pub(super) const STORED_OVERDUE: Texts = Texts {
    code: "stored-overdue",
    explanation: "A background write stored the status overdue; views derive it from the due date instead.",
    migration: UNCHANGED,
};

pub(super) const STORED_MISSED: Texts = Texts {
    code: "stored-missed",
    explanation: "A background write stored the status missed, which every view shows.",
    migration: UNCHANGED,
};

pub(super) const SCORE_ZERO: Texts = Texts {
    code: "score-zero",
    explanation: "The week is completed with score 0, which the lists show as no score.",
    migration: UNCHANGED,
};

pub(super) const FORM_TITLE_EMPTY: Texts = Texts {
    code: "form-title-empty",
    explanation: "formTitle is empty; the lists show a general title.",
    migration: "Created weeks have the title of the base, even if it is empty.",
};

pub(super) const ASSIGNED_BY_GONE: Texts = Texts {
    code: "assigned-by-gone",
    explanation: "assignedBy is an id that no coach document has, so the lists show the id.",
    migration: "Created weeks have the value of the base.",
};

pub(super) const FIELD_OF_OTHER_TYPE: Texts = Texts {
    code: "field-of-other-type",
    explanation: "The field has a value of another type, so it is read as if it were missing; correct it in the old application and import again.",
    migration: UNCHANGED,
};

pub(super) const FIELD_BEYOND_REASON: Texts = Texts {
    code: "field-beyond-reason",
    explanation: "The field has a value that cannot be meant: a week outside 1 to 520, a number that is not whole, or a year outside 1970 to 2199.",
    migration: UNCHANGED,
};

pub(super) const CORRECTION_OVERTAKEN: Texts = Texts {
    code: "correction-overtaken",
    explanation: "A correction placed the response, and an import changed these documents since in what the correction replaces.",
    migration: "Nothing: the correction stays in force until it is undone.",
};
