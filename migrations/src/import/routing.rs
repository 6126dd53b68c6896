//! Which stream each document of an export belongs to. Owns that all identities of a client are one client, and that what
//! tells about a series stands in the series' own stream, so that a series is read from one stream.

use std::collections::{BTreeMap, HashMap};

use rollbook_domain::document::{
    StoredAssignment, StoredClient, StoredResponse, feedback_response,
};
use rollbook_domain::{Collection, Document, JsonText, StreamId};
use serde_json::value::RawValue;

use crate::export_reader::Export;

/// What decides where documents go.
#[derive(Default)]
pub(super) struct Routing {
    /// Every client document's id, and for other identities the client they belong to.
    canonical: HashMap<String, String>,
    /// Where the assignment with this document id stands.
    assignments: HashMap<String, StreamId>,
    /// Where the assignment with this legacy id stands; of several, the one whose document id is lowest.
    legacy_ids: HashMap<String, (String, StreamId)>,
    /// By response: every series that holds an assignment which names it.
    answered_in: HashMap<String, Vec<StreamId>>,
    /// Where the response with this document id stands.
    responses: HashMap<String, StreamId>,
}

impl Routing {
    pub(super) fn of(export: &Export) -> Self {
        let documents = |wanted: Collection| {
            let of_collection = export
                .collections
                .iter()
                .filter(move |(exported, _)| exported.collection == wanted);
            of_collection.flat_map(|(_, documents)| documents)
        };
        let mut routing = Self {
            canonical: canonical_clients(documents(Collection::Clients)),
            ..Self::default()
        };
        for document in documents(Collection::CheckInAssignments) {
            if let Some(body) = document.body.expose() {
                routing.add_assignment(&StoredAssignment::read(&document.id, body));
            }
        }
        for document in documents(Collection::FormResponses) {
            let Some(body) = document.body.expose() else { continue };
            let response = StoredResponse::read(&document.id, body);
            let stream = routing.series(&response.client, &response.form);
            routing.responses.insert(response.document, stream);
        }
        routing
    }

    fn add_assignment(&mut self, stored: &StoredAssignment) {
        let stream = self.series(&stored.client, &stored.form);
        self.assignments.insert(stored.document.clone(), stream.clone());
        if !stored.legacy_id.is_empty() {
            let held = self
                .legacy_ids
                .entry(stored.legacy_id.clone())
                .or_insert_with(|| (stored.document.clone(), stream.clone()));
            if stored.document < held.0 {
                *held = (stored.document.clone(), stream.clone());
            }
        }
        if let Some(response) = stored.response_id() {
            let streams = self.answered_in.entry(response.to_owned()).or_default();
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        }
    }

    fn client<'a>(&'a self, stored: &'a str) -> &'a str {
        self.canonical.get(stored).map_or(stored, String::as_str)
    }

    fn series(&self, stored_client: &str, form: &str) -> StreamId {
        StreamId::series(self.client(stored_client), form)
    }

    /// The streams that hold a document: one, but for feedback to a response that assignments of several series name.
    pub(super) fn streams(&self, document: &Document) -> Vec<StreamId> {
        // An export that was read has the content of all its documents.
        let Some(body) = document.body.expose() else { return Vec::new() };
        match document.collection {
            Collection::Clients | Collection::Users => vec![StreamId::Client(document.id.clone())],
            Collection::Coaches => vec![StreamId::Coach(document.id.clone())],
            Collection::Forms => vec![StreamId::Form(document.id.clone())],
            Collection::CheckInAssignments => {
                self.assignments.get(&document.id).cloned().into_iter().collect()
            }
            Collection::FormResponses => {
                self.responses.get(&document.id).cloned().into_iter().collect()
            }
            Collection::CoachFeedback => self.feedback_streams(body),
            Collection::CheckInExtensions => {
                let named = text_field(body, "assignmentId");
                let named = self
                    .assignments
                    .get(&named)
                    .or_else(|| self.legacy_ids.get(&named).map(|(_, stream)| stream));
                vec![named.cloned().unwrap_or_else(|| self.client_stream(body))]
            }
        }
    }

    fn feedback_streams(&self, body: &JsonText) -> Vec<StreamId> {
        let response = feedback_response(body);
        if let Some(streams) = self.answered_in.get(&response) {
            return streams.clone();
        }
        vec![self.responses.get(&response).cloned().unwrap_or_else(|| self.client_stream(body))]
    }

    fn client_stream(&self, body: &JsonText) -> StreamId {
        StreamId::Client(self.client(&text_field(body, "clientId")).to_owned())
    }
}

/// The client of every identity: a document's own id before any other document's `authUid`, and of several documents with
/// one `authUid` the lowest (rule 1 of `docs/spec/legacy-view.md`).
fn canonical_clients<'a>(clients: impl Iterator<Item = &'a Document>) -> HashMap<String, String> {
    let mut canonical: HashMap<String, String> = HashMap::new();
    let mut by_other_identity: BTreeMap<String, String> = BTreeMap::new();
    for document in clients {
        let Some(body) = document.body.expose() else { continue };
        let client = StoredClient::read(body);
        canonical.insert(document.id.clone(), document.id.clone());
        if !client.auth_uid.is_empty() {
            let held =
                by_other_identity.entry(client.auth_uid).or_insert_with(|| document.id.clone());
            if document.id < *held {
                held.clone_from(&document.id);
            }
        }
    }
    for (identity, client) in by_other_identity {
        canonical.entry(identity).or_insert(client);
    }
    canonical
}

/// A text field, empty when it is missing or something else.
fn text_field(body: &JsonText, name: &str) -> String {
    let fields: BTreeMap<String, &RawValue> = body.read().unwrap_or_default();
    fields.get(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}
