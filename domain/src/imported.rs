//! Imported documents: their body as the old application stored it, and the parsed content.
//!
//! A document is parsed at most once, even if several folds read it. The `document` module defines
//! how it is parsed.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::collection::Collection;
use crate::document::{
    StoredAssignment, StoredClient, StoredResponse, coach_name, feedback_response,
};
use crate::json::JsonText;
use crate::personal::Personal;

/// A complete document of the old application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The collection it belongs to.
    pub collection: Collection,
    /// Its `_id`.
    pub id: String,
    /// Its index in the export's file, from 0.
    pub ordinal: u32,
    /// All fields except `_id`, as the old application stored them. Do not change it after the
    /// first call of [`Document::content`]: the content is cached. Use [`Document::with_body`]
    /// instead.
    pub body: Personal<JsonText>,
    #[serde(skip)]
    content: ContentCache,
}

/// The parsed content of a document, by collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// One week of a series.
    Assignment(StoredAssignment),
    /// A client's response.
    Response(StoredResponse),
    /// A client.
    Client(StoredClient),
    /// A coach's name.
    Coach(String),
    /// The id of the response that a coach's feedback belongs to.
    Feedback(String),
    /// No content: no fold reads documents of this collection, or the body was erased.
    Nothing,
}

impl Document {
    /// Creates a document.
    pub fn new(collection: Collection, id: String, ordinal: u32, body: Personal<JsonText>) -> Self {
        Self { collection, id, ordinal, body, content: ContentCache::default() }
    }

    /// Returns the same document with another body.
    #[must_use]
    pub fn with_body(self, body: Personal<JsonText>) -> Self {
        Self::new(self.collection, self.id, self.ordinal, body)
    }

    /// Returns the content. The first call parses the body and caches the result.
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

/// The cached content. Equality of documents ignores it.
#[derive(Clone, Default)]
struct ContentCache(OnceLock<Box<Content>>);

impl PartialEq for ContentCache {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for ContentCache {}

impl fmt::Debug for ContentCache {
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
    fn the_cached_content_does_not_affect_equality() {
        let (read, unread) =
            (document(Collection::Coaches, "{}"), document(Collection::Coaches, "{}"));
        assert_eq!(read.content(), &Content::Coach("Unknown Coach".to_owned()));
        assert_eq!(read, unread);
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&unread).unwrap());
    }

    #[test]
    fn another_body_is_parsed_again_and_an_erased_body_has_no_content() {
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
