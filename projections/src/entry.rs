//! The answer of a check-in query: entries, summary, body. Owns the JSON shape that the front end knows; which entries
//! there are is each view's.

use std::borrow::Cow;

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::status::{Clock, Status};
use rollbook_domain::{JsonText, Number, Timestamp};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// One check-in of an answer. It borrows from the rows it was made of.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The id the front end calls it by.
    pub id: Cow<'a, str>,
    /// The stored document behind it.
    pub document: Cow<'a, str>,
    /// The stored client id; absent where the view leaves it out.
    pub client: Option<&'a str>,
    /// When it is due.
    pub due: Timestamp,
    /// Its status.
    pub status: Status,
    /// The week.
    pub week: u32,
    /// Who assigned it, by name where the id is a coach's.
    pub assigned_by: Cow<'a, str>,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// When it was completed; absent when it was not.
    pub completed_at: Option<Timestamp>,
    /// The score; absent when unset or zero.
    pub score: Option<Number>,
    /// The response's id.
    pub response: Field<&'a str>,
    /// Until when it rests; absent where it does not, or the view leaves it out.
    pub paused_until: Option<Timestamp>,
    /// Whether a coach answered.
    pub coach_responded: bool,
    /// The stored week it was made of: title, description, form, window, total and the flags.
    pub stored: &'a StoredAssignment,
}

/// What a list says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many check-ins.
    pub total: usize,
    /// Of these, pending.
    pub pending: usize,
    /// Of these, completed.
    pub completed: usize,
    /// Of these, overdue by the view's own rule.
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
            status: clock.status(stored.is_completed(), stored.status == "missed", due),
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
            stored,
        }
    }

    /// Whether it carries a response.
    pub fn has_response(&self) -> bool {
        self.response.value().is_some_and(|id| !id.is_empty())
    }
}

/// Rule 15: completed and missed always, others while due within the horizon.
pub fn keep_within_horizon(entries: &mut Vec<Entry<'_>>, clock: &Clock) {
    let (from, to) = clock.horizon();
    entries.retain(|entry| {
        matches!(entry.status, Status::Completed | Status::Missed)
            || (from <= entry.due && entry.due <= to)
    });
}

/// Rule 16: coaches by their names. `name` is asked once for each id.
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

/// Counts by status; `overdue` is the view's own rule.
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
        entry.serialize_field("checkInWindow", &stored.window as &Option<JsonText>)?;
        match self.response {
            Field::Missing => {}
            Field::Null => entry.serialize_field("responseId", &None::<&str>)?,
            Field::Is(id) => entry.serialize_field("responseId", id)?,
        }
        if let Some(until) = self.paused_until {
            entry.serialize_field("pausedUntil", &Milliseconds(until))?;
        }
        entry.serialize_field("coachResponded", &self.coach_responded)?;
        entry.serialize_field("extensionGranted", &stored.extension_granted)?;
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
        // Strings, numbers and JSON that was parsed before: nothing that can fail to be written.
        let mut text = Vec::with_capacity(256 + 640 * self.entries.len());
        let written = serde_json::to_writer(&mut text, self);
        written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
    }
}

/// The zone and instants a view is asked with, before its rows say which zone the old server had.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The instant.
    pub now: Timestamp,
    /// The grace before overdue, in milliseconds (pre-created view only).
    pub overdue_after_milliseconds: i64,
}

impl Asked {
    /// The clock of a view whose rows name this zone.
    pub fn clock(&self, zone: Zone) -> Clock {
        Clock { now: self.now, zone, overdue_after_milliseconds: self.overdue_after_milliseconds }
    }
}
