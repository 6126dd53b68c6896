//! Chooses the stream of each document of an export. All identities of a client become one client,
//! and every document about a series goes into the stream of that series.

use std::collections::{BTreeMap, HashMap};

use rollbook_domain::document::{
    StoredAssignment, StoredClient, StoredResponse, feedback_response,
};
use rollbook_domain::{Collection, Document, JsonText, StreamId};
use serde_json::value::RawValue;

use crate::export_reader::Export;

/// The lookup tables of one export.
#[derive(Default)]
pub(super) struct Routing {
    /// The client of every identity, including the ids of the client documents.
    canonical: HashMap<String, String>,
    /// The stream of each assignment, by document id.
    assignments: HashMap<String, StreamId>,
    /// The stream of each assignment, by legacy id. Of several, the lowest document id wins.
    legacy_ids: HashMap<String, (String, StreamId)>,
    /// The streams with an assignment that names a response, by response.
    answered_in: HashMap<String, Vec<StreamId>>,
    /// The stream of each response, by document id.
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

    /// The streams of a document. Only feedback can have several: if assignments of several series
    /// name its response.
    pub(super) fn streams(&self, document: &Document) -> Vec<StreamId> {
        // Documents of an export always have content.
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

/// The client of every identity. A document id takes precedence over an `authUid`; of several
/// documents with the same `authUid` the lowest id wins (rule 1 of `docs/spec/legacy-view.md`).
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

/// A text field; empty if it is missing or not a text.
fn text_field(body: &JsonText, name: &str) -> String {
    let fields: BTreeMap<String, &RawValue> = body.read().unwrap_or_default();
    fields.get(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}
