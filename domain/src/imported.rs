//! An imported document: as the old system had it, and what it says. Owns that a document is read once, however many folds ask;
//! how it is read is `document`'s.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::collection::Collection;
use crate::document::{
    StoredAssignment, StoredClient, StoredResponse, coach_name, feedback_response,
};
use crate::json::JsonText;
use crate::personal::Personal;

/// A document of the old application, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Which collection it stands in.
    pub collection: Collection,
    /// Its `_id`.
    pub id: String,
    /// Its place in the export's file, from 0.
    pub ordinal: u32,
    /// Every field but `_id`, as the old system had it. Fixed once the document has been [read](Document::content).
    pub body: Personal<JsonText>,
    #[serde(skip)]
    content: Remembered,
}

/// What a document says, by its collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// One week of a series.
    Assignment(StoredAssignment),
    /// A client's answer.
    Response(StoredResponse),
    /// Who a client is.
    Client(StoredClient),
    /// A coach's name.
    Coach(String),
    /// The response that a coach answered.
    Feedback(String),
    /// Nothing that any fold asks for, or nothing any more: the body was erased.
    Nothing,
}

impl Document {
    /// A document as the old system had it.
    pub fn new(collection: Collection, id: String, ordinal: u32, body: Personal<JsonText>) -> Self {
        Self { collection, id, ordinal, body, content: Remembered::default() }
    }

    /// The same document with another body.
    #[must_use]
    pub fn with_body(self, body: Personal<JsonText>) -> Self {
        Self::new(self.collection, self.id, self.ordinal, body)
    }

    /// What it says; read when first asked for, and remembered.
    pub fn content(&self) -> &Content {
        self.content.0.get_or_init(|| Box::new(self.read()))
    }

    fn read(&self) -> Content {
        let Some(body) = self.body.expose() else { return Content::Nothing };
        match self.collection {
            Collection::CheckInAssignments => {
                Content::Assignment(StoredAssignment::read(&self.id, body))
            }
            Collection::FormResponses => Content::Response(StoredResponse::read(&self.id, body)),
            Collection::Clients => Content::Client(StoredClient::read(body)),
            Collection::Coaches => Content::Coach(coach_name(body)),
            Collection::CoachFeedback => Content::Feedback(feedback_response(body)),
            Collection::Users | Collection::Forms | Collection::CheckInExtensions => {
                Content::Nothing
            }
        }
    }
}

/// What was read before. No part of the document: two that differ only in whether they were read are equal.
#[derive(Clone, Default)]
struct Remembered(OnceLock<Box<Content>>);

impl PartialEq for Remembered {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Remembered {}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "read" } else { "not read" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(collection: Collection, body: &str) -> Document {
        Document::new(
            collection,
            "d-1".to_owned(),
            0,
            Personal::new(JsonText::parse(body).unwrap()),
        )
    }

    #[test]
    fn what_was_read_is_no_part_of_the_document() {
        let (read, unread) =
            (document(Collection::Coaches, "{}"), document(Collection::Coaches, "{}"));
        assert_eq!(read.content(), &Content::Coach("Unknown Coach".to_owned()));
        assert_eq!(read, unread);
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&unread).unwrap());
    }

    #[test]
    fn another_body_is_read_anew_and_an_erased_one_says_nothing() {
        let client = document(Collection::Clients, r#"{"authUid":"u-1"}"#);
        let uid = |document: &Document| match document.content() {
            Content::Client(client) => client.auth_uid.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(uid(&client), "u-1");
        let changed =
            client.with_body(Personal::new(JsonText::parse(r#"{"authUid":"u-2"}"#).unwrap()));
        assert_eq!(uid(&changed), "u-2");
        assert_eq!(changed.with_body(Personal::erased()).content(), &Content::Nothing);
    }
}
