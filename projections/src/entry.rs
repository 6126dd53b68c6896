//! The answer to a check-in query: entries, summary, and the JSON body that the front end expects.
//! Each view decides which entries there are.

use std::borrow::Cow;

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::status::{Clock, Status};
use rollbook_domain::{JsonText, Number, Timestamp};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// One check-in of an answer. It borrows from the rows it was computed from.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The id that the front end uses.
    pub id: Cow<'a, str>,
    /// The stored document behind it.
    pub document: Cow<'a, str>,
    /// The stored client id; `None` if the view omits it.
    pub client: Option<&'a str>,
    /// When it is due.
    pub due: Timestamp,
    /// Its status.
    pub status: Status,
    /// The week.
    pub week: u32,
    /// Who assigned it: the name if the id is a coach's, otherwise the id.
    pub assigned_by: Cow<'a, str>,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// When it was completed, if it was.
    pub completed_at: Option<Timestamp>,
    /// The score; `None` if unset or zero.
    pub score: Option<Number>,
    /// The response's id.
    pub response: Field<&'a str>,
    /// The end of its pause; `None` if there is no pause, or the view omits it.
    pub paused_until: Option<Timestamp>,
    /// Whether a coach gave feedback.
    pub coach_responded: bool,
    /// Whether an extension was granted.
    pub extension_granted: bool,
    /// The check-in window, any JSON.
    pub window: Option<Cow<'a, JsonText>>,
    /// The stored week: title, description, form, total and the flags.
    pub stored: &'a StoredAssignment,
}

/// The figures of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The number of check-ins.
    pub total: usize,
    /// The number of pending ones.
    pub pending: usize,
    /// The number of completed ones.
    pub completed: usize,
    /// The number of overdue ones, by the view's own rule.
    pub overdue: usize,
}

/// A view's answer for one client at one instant.
#[derive(Clone, Debug, Default)]
pub struct Answer<'a> {
    /// The check-ins, in the view's order.
    pub entries: Vec<Entry<'a>>,
    /// The summary.
    pub summary: Summary,
}

impl<'a> Entry<'a> {
    /// Rule 5 of `docs/spec/legacy-view.md`, without `clientId` and `pausedUntil`.
    pub fn of(
        stored: &'a StoredAssignment,
        id: &'a str,
        clock: &Clock,
        coach_responded: bool,
    ) -> Self {
        let due = stored.due.value().copied().unwrap_or(clock.now);
        Self {
            id: Cow::Borrowed(id),
            document: Cow::Borrowed(&stored.document),
            client: None,
            due,
            status: clock.status_of(stored, due),
            week: stored.week(),
            assigned_by: Cow::Borrowed(if stored.assigned_by.is_empty() {
                "Coach"
            } else {
                &stored.assigned_by
            }),
            assigned_at: stored.assigned_at.unwrap_or(clock.now),
            completed_at: stored.completed_at,
            score: stored.score.filter(|score| !score.is_zero()),
            response: match &stored.response {
                Field::Missing => Field::Missing,
                Field::Null => Field::Null,
                Field::Is(id) => Field::Is(id),
            },
            paused_until: None,
            coach_responded,
            extension_granted: stored.extension_granted,
            window: stored.window.as_ref().map(Cow::Borrowed),
            stored,
        }
    }

    /// Whether it carries a response.
    pub fn has_response(&self) -> bool {
        self.response.value().is_some_and(|id| !id.is_empty())
    }
}

/// Rule 15: keeps completed and missed entries, and others that are due within the horizon.
pub fn keep_within_horizon(entries: &mut Vec<Entry<'_>>, clock: &Clock) {
    let (from, to) = clock.horizon();
    entries.retain(|entry| {
        matches!(entry.status, Status::Completed | Status::Missed)
            || (from <= entry.due && entry.due <= to)
    });
}

/// Rule 16: replaces coaches' ids by their names. Calls `name` once for each id.
pub fn name_coaches<'a, E>(
    entries: &mut [Entry<'a>],
    mut name: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<(), E> {
    let mut known: Vec<(Cow<'a, str>, Option<String>)> = Vec::new();
    for entry in entries {
        if entry.assigned_by == "Coach" {
            continue;
        }
        let found = match known.iter().position(|(id, _)| *id == entry.assigned_by) {
            Some(at) => at,
            None => {
                known.push((entry.assigned_by.clone(), name(&entry.assigned_by)?));
                known.len() - 1
            }
        };
        if let Some((_, Some(name))) = known.get(found) {
            entry.assigned_by = Cow::Owned(name.clone());
        }
    }
    Ok(())
}

/// Counts entries by status. `is_overdue` is the view's own rule.
pub fn summarise(entries: &[Entry<'_>], is_overdue: impl Fn(&Entry<'_>) -> bool) -> Summary {
    let count = |status| entries.iter().filter(|entry| entry.status == status).count();
    Summary {
        total: entries.len(),
        pending: count(Status::Pending),
        completed: count(Status::Completed),
        overdue: entries.iter().filter(|entry| is_overdue(entry)).count(),
    }
}

fn or_default<'a>(text: &'a str, default: &'static str) -> &'a str {
    if text.is_empty() { default } else { text }
}

struct Milliseconds(Timestamp);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_milliseconds(serializer)
    }
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = self.stored;
        let mut entry = serializer.serialize_struct("Entry", 20)?;
        entry.serialize_field("id", &self.id)?;
        entry.serialize_field("documentId", &self.document)?;
        if let Some(client) = self.client {
            entry.serialize_field("clientId", client)?;
        }
        entry.serialize_field("title", or_default(&stored.title, "Check-in Assignment"))?;
        entry.serialize_field(
            "description",
            or_default(&stored.description, "Complete your assigned check-in"),
        )?;
        entry.serialize_field("dueDate", &Milliseconds(self.due))?;
        entry.serialize_field("status", &self.status)?;
        entry.serialize_field("formId", &stored.form)?;
        entry.serialize_field("assignedBy", &self.assigned_by)?;
        entry.serialize_field("assignedAt", &Milliseconds(self.assigned_at))?;
        if let Some(at) = self.completed_at {
            entry.serialize_field("completedAt", &Milliseconds(at))?;
        }
        if let Some(score) = self.score {
            entry.serialize_field("score", &score)?;
        }
        entry.serialize_field("isRecurring", &stored.recurring)?;
        entry.serialize_field("recurringWeek", &self.week)?;
        entry.serialize_field("totalWeeks", &stored.total_weeks)?;
        entry.serialize_field("checkInWindow", &self.window)?;
        match self.response {
            Field::Missing => {}
            Field::Null => entry.serialize_field("responseId", &None::<&str>)?,
            Field::Is(id) => entry.serialize_field("responseId", id)?,
        }
        if let Some(until) = self.paused_until {
            entry.serialize_field("pausedUntil", &Milliseconds(until))?;
        }
        entry.serialize_field("coachResponded", &self.coach_responded)?;
        entry.serialize_field("extensionGranted", &self.extension_granted)?;
        entry.end()
    }
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a, 'b> {
            checkins: &'b [Entry<'a>],
            summary: Summary,
        }
        let mut body = serializer.serialize_struct("Answer", 2)?;
        body.serialize_field("success", &true)?;
        body.serialize_field("data", &Data { checkins: &self.entries, summary: self.summary })?;
        body.end()
    }
}

impl Answer<'_> {
    /// The body as JSON text.
    pub fn to_json(&self) -> String {
        // Strings, numbers and JSON that was parsed before can always be written.
        let mut text = Vec::with_capacity(256 + 640 * self.entries.len());
        let written = serde_json::to_writer(&mut text, self);
        written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
    }
}

/// The parameters of a query, before the directory adds the old server's zone.
#[derive(Clone, Copy, Debug)]
pub struct ListParameters {
    /// The instant for which the answer is computed.
    pub now: Timestamp,
    /// The grace before overdue, in milliseconds (pre-created view only).
    pub overdue_after_milliseconds: i64,
}

impl ListParameters {
    /// The clock of a query in this zone.
    pub fn clock(&self, zone: Zone) -> Clock {
        Clock { now: self.now, zone, overdue_after_milliseconds: self.overdue_after_milliseconds }
    }
}
