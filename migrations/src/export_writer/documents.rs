//! The current documents of a stream, as the old system would have stored them: changed
//! assignments, weeks created or answered since the import, and new responses and feedback. A
//! document that no later event concerns is byte for byte as imported.

use std::collections::BTreeMap;

use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::event::EventRecord;
use rollbook_domain::series::{Item, LegacySeries};
use rollbook_domain::{Collection, Document, Event, JsonText, Personal, StreamId, Timestamp};
use serde::Serialize;

use super::NO_PLACE;

/// The documents of one stream after all of its events, in no particular order.
///
/// Some data has no document in the old system and is left out: an unanswered week created here,
/// unless it is the first week of a new run, and the text of a missed week or of an extension.
pub fn stream_documents<'a>(
    stream: &StreamId,
    events: impl IntoIterator<Item = &'a EventRecord>,
) -> Vec<Document> {
    let mut documents: BTreeMap<(Collection, String), Document> = BTreeMap::new();
    let mut legacy = LegacySeries::default();
    let mut given = Vec::new();
    let mut place = None;
    for recorded in events {
        match &recorded.event {
            // Erased content cannot be exported.
            Event::DocumentImported(document) | Event::DocumentChanged(document)
                if document.body.is_erased() =>
            {
                documents.remove(&(document.collection, document.id.clone()));
            }
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                documents.insert((document.collection, document.id.clone()), document.clone());
            }
            Event::DocumentRemoved { collection, id } => {
                documents.remove(&(*collection, id.clone()));
            }
            Event::ResponseSubmitted { .. } | Event::FeedbackGiven { .. } => given.push(recorded),
            Event::Erased(event) => place = place_of_client(event).or(place),
            Event::ClientErased { client, .. } => {
                if let Some(ordinal) = place {
                    documents.insert(
                        (Collection::Clients, client.clone()),
                        erased_client(client, ordinal, recorded.recorded_at),
                    );
                }
            }
            _ => {}
        }
        legacy.apply(stream, &recorded.event);
    }
    let StreamId::Series { client, form } = stream else {
        return documents.into_values().collect();
    };
    let series = AfterImport { client, form, legacy: &legacy };
    let mut result = Vec::with_capacity(documents.len());
    for item in legacy.stored.items.iter() {
        match documents.remove(&(Collection::CheckInAssignments, item.stored.document.clone())) {
            Some(original) => result.push(patched(original, &item.stored)),
            None => result.push(made_assignment(item)),
        }
    }
    // The remaining assignments were withdrawn since the import.
    result.extend(
        documents
            .into_values()
            .filter(|document| document.collection != Collection::CheckInAssignments)
            .map(|document| series.corrected(document)),
    );
    result.extend(given.into_iter().filter_map(|recorded| series.given(recorded)));
    result
}

/// The index of a client's document in its file.
fn place_of_client(event: &Event) -> Option<u32> {
    match event {
        Event::DocumentImported(document) | Event::DocumentChanged(document)
            if document.collection == Collection::Clients =>
        {
            Some(document.ordinal)
        }
        _ => None,
    }
}

/// The document of an erased client.
fn erased_client(client: &str, ordinal: u32, at: Timestamp) -> Document {
    let fields = BTreeMap::from([("erased", json(&true)), ("erasedAt", json(&at))]);
    Document::new(Collection::Clients, client.to_owned(), ordinal, Personal::new(json(&fields)))
}

/// An object's members; `None` for anything but an object.
pub(super) fn members(object: &JsonText) -> Option<BTreeMap<String, JsonText>> {
    object.read().ok()
}

/// Anything as canonical JSON.
pub(super) fn json(value: &impl Serialize) -> JsonText {
    // Serializing strings, numbers, instants and JSON that was parsed before cannot fail. Reading
    // it back is not limited: a document that an older version stored can have any nesting.
    let text = serde_json::to_string(value).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|_| JsonText::from_canonical("null"))
}

fn new_document(collection: Collection, id: String, fields: &BTreeMap<&str, JsonText>) -> Document {
    Document::new(collection, id, NO_PLACE, Personal::new(json(fields)))
}

/// The imported document with every changed field replaced.
fn patched(original: Document, now: &StoredAssignment) -> Document {
    let Some(body) = original.body.expose() else { return original };
    let was = StoredAssignment::read(&original.id, body);
    let changes = changes(&was, now);
    let Some(mut fields) = members(body).filter(|_| !changes.is_empty()) else { return original };
    fields.extend(changes.into_iter().map(|(field, value)| (field.to_owned(), value)));
    original.with_body(Personal::new(json(&fields)))
}

/// The fields that later events can change and that differ.
fn changes(was: &StoredAssignment, now: &StoredAssignment) -> Vec<(&'static str, JsonText)> {
    let differing = [
        (was.status != now.status).then(|| ("status", json(&now.status))),
        (was.completed_at != now.completed_at).then(|| ("completedAt", json(&now.completed_at))),
        (was.response != now.response).then(|| ("responseId", json(&now.response.value()))),
        (was.score != now.score).then(|| ("score", json(&now.score))),
        (was.due != now.due).then(|| ("dueDate", json(&now.due.value()))),
        (was.paused_until != now.paused_until).then(|| ("pausedUntil", json(&now.paused_until))),
        (was.extension_granted != now.extension_granted)
            .then(|| ("extensionGranted", json(&now.extension_granted))),
        (was.total_weeks != now.total_weeks).then(|| ("totalWeeks", json(&now.total_weeks))),
        (was.window != now.window).then(|| ("checkInWindow", json(&now.window))),
    ];
    differing.into_iter().flatten().collect()
}

/// The document of a week that was not imported. The old system gave every document an `id` and a
/// status.
fn made_assignment(item: &Item) -> Document {
    let stored = &item.stored;
    let status = if stored.status.is_empty() { "active" } else { &stored.status };
    let mut fields = BTreeMap::from([
        ("id", json(&stored.public_id())),
        ("clientId", json(&stored.client)),
        ("coachId", json(&stored.coach)),
        ("formId", json(&stored.form)),
        ("formTitle", json(&stored.title)),
        ("description", json(&stored.description)),
        ("status", json(&status)),
        ("completedAt", json(&stored.completed_at)),
        ("score", json(&stored.score)),
        ("isRecurring", json(&stored.recurring)),
        ("recurringWeek", json(&stored.week())),
        ("totalWeeks", json(&stored.total_weeks)),
        ("checkInWindow", json(&stored.window)),
    ]);
    if stored.due != Field::Missing {
        fields.insert("dueDate", json(&stored.due.value()));
    }
    if stored.response != Field::Missing {
        fields.insert("responseId", json(&stored.response.value()));
    }
    if !stored.assigned_by.is_empty() {
        fields.insert("assignedBy", json(&stored.assigned_by));
    }
    if let Some(at) = stored.assigned_at {
        fields.insert("assignedAt", json(&at));
    }
    if let Some(until) = stored.paused_until {
        fields.insert("pausedUntil", json(&until));
    }
    if stored.coach_responded {
        fields.insert("coachResponded", json(&true));
    }
    if stored.extension_granted {
        fields.insert("extensionGranted", json(&true));
    }
    new_document(Collection::CheckInAssignments, stored.document.clone(), &fields)
}

/// A response that was submitted here.
struct Given<'a> {
    response: &'a str,
    assignment: String,
    run: u32,
    week: u32,
    submitted_at: Timestamp,
    score: Option<u32>,
    answers: &'a JsonText,
}

/// A series after the import.
struct AfterImport<'a> {
    client: &'a str,
    form: &'a str,
    legacy: &'a LegacySeries,
}

impl AfterImport<'_> {
    fn given(&self, recorded: &EventRecord) -> Option<Document> {
        match &recorded.event {
            Event::ResponseSubmitted {
                assignment,
                run,
                week,
                response,
                submitted_at,
                score,
                answers,
                ..
            } => Some(self.response(&Given {
                response,
                assignment: assignment.to_string(),
                run: *run,
                week: *week,
                submitted_at: *submitted_at,
                score: *score,
                answers: answers.expose()?,
            })),
            Event::FeedbackGiven { response, coach, text } => {
                Some(self.feedback(recorded, response, coach, text.expose()?))
            }
            _ => None,
        }
    }

    fn answered(&self, response: &str) -> Option<&Item> {
        self.legacy.stored.items.iter().find(|item| item.stored.response_id() == Some(response))
    }

    /// A document; a response that a correction placed names the week that holds it.
    fn corrected(&self, original: Document) -> Document {
        if original.collection != Collection::FormResponses {
            return original;
        }
        let placed = self.legacy.stored.corrections.of_response(&original.id);
        let held = placed.and_then(|_| self.answered(&original.id));
        let fields = original.body.expose().and_then(members);
        let (Some(placed), Some(item), Some(mut fields)) = (placed, held, fields) else {
            return original;
        };
        fields.insert("assignmentId".to_owned(), json(&item.stored.document));
        fields.insert("recurringWeek".to_owned(), json(&placed.to.week));
        original.with_body(Personal::new(json(&fields)))
    }

    fn response(&self, given: &Given<'_>) -> Document {
        // A week that was answered again or withdrawn since then no longer names the response.
        let item = self
            .answered(given.response)
            .or_else(|| self.legacy.stored.items.week(given.run, given.week));
        let stored = item.map(|item| &item.stored);
        let placed = self.legacy.stored.corrections.of_response(given.response);
        let week = placed.map_or(given.week, |placed| placed.to.week);
        let answers: Vec<JsonText> = given.answers.read().unwrap_or_default();
        let answered = answers.iter().filter(|answer| is_answered(answer)).count();
        let fields = BTreeMap::from([
            (
                "assignmentId",
                json(&stored.map_or(given.assignment.as_str(), |stored| &stored.document)),
            ),
            ("clientId", json(&stored.map_or(self.client, |stored| &stored.client))),
            ("coachId", json(&stored.map_or("", |stored| &stored.coach))),
            ("formId", json(&self.form)),
            ("formTitle", json(&stored.map_or("", |stored| &stored.title))),
            ("recurringWeek", json(&week)),
            ("responses", given.answers.clone()),
            ("score", json(&given.score)),
            ("answeredQuestions", json(&answered)),
            ("totalQuestions", json(&answers.len())),
            ("submittedAt", json(&given.submitted_at)),
            ("status", json(&"completed")),
        ]);
        new_document(Collection::FormResponses, given.response.to_owned(), &fields)
    }

    fn feedback(
        &self,
        recorded: &EventRecord,
        response: &str,
        coach: &str,
        text: &str,
    ) -> Document {
        let client = self.answered(response).map_or(self.client, |item| &item.stored.client);
        let fields = BTreeMap::from([
            ("responseId", json(&response)),
            ("coachId", json(&coach)),
            ("clientId", json(&client)),
            ("feedbackType", json(&"text")),
            ("content", json(&text)),
            ("createdAt", json(&recorded.occurred_at)),
        ]);
        new_document(Collection::CoachFeedback, recorded.id.to_string(), &fields)
    }
}

fn is_answered(answer: &JsonText) -> bool {
    let given = members(answer).and_then(|mut fields| fields.remove("answer"));
    given.is_some_and(|answer| !matches!(answer.as_str(), "null" | "\"\"" | "[]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_document_of_any_nesting_is_written_as_it_is() {
        let body = format!(r#"{{"checkInWindow":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        let body = JsonText::from_canonical(body);
        assert_eq!(json(&members(&body).unwrap()), body);
    }
}
