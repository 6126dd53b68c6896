//! Resolves the ids of clients, series, forms and coaches. An unknown id is an error, so a typing
//! mistake never creates a client.

use rollbook_domain::document::StoredClient;
use rollbook_domain::{Collection, Event, JsonText, Position, StreamId};
use rollbook_log::AppendError;
use rollbook_projections::directory::{self, Identity};
use rollbook_projections::documents::{self, Documents};
use rollbook_projections::rows::read_row;
use serde::Deserialize;
use serde_json::Value;

use super::reading::Reading;
use super::{Store, StoreError};

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// The position of the event that stored it.
    pub position: Position,
    /// Its body, without `_id`.
    pub body: JsonText,
}

impl Store {
    /// As [`Reading::identify`], with a snapshot of its own.
    ///
    /// # Errors
    /// As [`Reading::identify`].
    pub fn identify(&self, id: &str) -> Result<Identity, StoreError> {
        self.reading().identify(id)
    }
}

impl Reading<'_> {
    /// Returns the identity of a client by any of its ids.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn identify(&self, id: &str) -> Result<Identity, StoreError> {
        Ok(directory::identify(&self.directory()?, id)?)
    }

    /// Returns the id of a client's document by any of the client's ids.
    ///
    /// # Errors
    /// [`StoreError::UnknownClient`] if no client document has the id.
    pub fn client(&self, id: &str) -> Result<String, StoreError> {
        let stream = StreamId::Client(id.to_owned());
        if self.store().log().is_erased(&stream) {
            return Err(AppendError::ClientErased { stream: stream.to_string() }.into());
        }
        self.identify(id)?.document.ok_or_else(|| StoreError::UnknownClient(id.to_owned()))
    }

    /// Returns the stream of a series by its name, such as `series/<client>/<form>`, with any of
    /// the client's ids.
    ///
    /// # Errors
    /// [`StoreError::NoSeries`] if the name is not that of a series; [`StoreError::UnknownSeries`]
    /// if the series has no events.
    pub fn series_named(&self, name: &str) -> Result<StreamId, StoreError> {
        match name.parse() {
            Ok(StreamId::Series { client, form }) => self.series_of(&client, &form),
            _ => Err(StoreError::NoSeries(name.to_owned())),
        }
    }

    /// Returns the stream of the series of a client, by any id, and a form.
    ///
    /// # Errors
    /// [`StoreError::UnknownSeries`] if the series has no events.
    pub fn series_of(&self, client: &str, form: &str) -> Result<StreamId, StoreError> {
        let canonical = self.identify(client)?.canonical().to_owned();
        let stream = StreamId::series(&canonical, form);
        if self.store().log().stream_version(&stream)? > 0 {
            Ok(stream)
        } else {
            Err(StoreError::UnknownSeries(stream.to_string()))
        }
    }

    /// Returns the title of a form, as last imported; empty if its document has none.
    ///
    /// # Errors
    /// [`StoreError::UnknownForm`] if there is no such document.
    pub fn form_title(&self, form: &str) -> Result<String, StoreError> {
        let mut held = None;
        for recorded in self.store().log().stream(&StreamId::Form(form.to_owned()), 0)? {
            match recorded.event {
                Event::DocumentImported(document) | Event::DocumentChanged(document)
                    if document.collection == Collection::Forms =>
                {
                    held = document.body.into_inner();
                }
                Event::DocumentRemoved { collection: Collection::Forms, .. } => held = None,
                _ => {}
            }
        }
        held.as_ref().map(title).ok_or_else(|| StoreError::UnknownForm(form.to_owned()))
    }

    /// Whether there is a coach document with this id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn has_coach_document(&self, id: &str) -> Result<bool, StoreError> {
        Ok(directory::coach(&self.directory()?, id)?.is_some())
    }

    /// Returns a document that is stored in one stream only, such as that of a client, a coach, a
    /// form or a user; `None` if there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stored_document(
        &self,
        collection: Collection,
        id: &str,
    ) -> Result<Option<StoredDocument>, StoreError> {
        let (rows, _) = self.snapshot()?.rows::<Documents>()?;
        let Some(row) = documents::find(&rows, collection, id)? else { return Ok(None) };
        let recorded = self.store().log().at(row.position)?;
        Ok(match recorded.map(|recorded| recorded.event) {
            Some(Event::DocumentImported(document) | Event::DocumentChanged(document)) => {
                let body = document.body.into_inner();
                body.map(|body| StoredDocument { position: row.position, body })
            }
            _ => None,
        })
    }

    /// Returns the roles that the `users` document of an id names: the values of `role` and
    /// `roles`, in this order. Empty if there is no such document, or it names none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stored_roles(&self, id: &str) -> Result<Vec<Value>, StoreError> {
        let Some(stored) = self.stored_document(Collection::Users, id)? else {
            return Ok(Vec::new());
        };
        let Ok(Value::Object(mut user)) = stored.body.read() else { return Ok(Vec::new()) };
        let roles = ["role", "roles"].into_iter().filter_map(|name| user.remove(name));
        Ok(roles.filter(|value| !value.is_null()).collect())
    }

    /// Whether an id is that of a coach or an administrator and of no client: it has a coach
    /// document, or its `users` document has such a role.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn is_staff(&self, id: &str) -> Result<bool, StoreError> {
        if self.identify(id)?.document.is_some() {
            return Ok(false);
        }
        let is_staff_role =
            |role: &Value| ["admin", "coach", "operator"].iter().any(|staff| role == staff);
        let names_staff = |value: &Value| match value {
            Value::Array(roles) => roles.iter().any(is_staff_role),
            role => is_staff_role(role),
        };
        Ok(self.has_coach_document(id)? || self.stored_roles(id)?.iter().any(names_staff))
    }

    /// Returns the coach that a client's document names; empty if it names none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn coach_of(&self, client: &str) -> Result<String, StoreError> {
        let rows = self.directory()?;
        let canonical = directory::identify(&rows, client)?.canonical().to_owned();
        let stored: Option<StoredClient> = read_row(&rows, &directory::keys::client(&canonical))?;
        Ok(stored.map(|client| client.coach).unwrap_or_default())
    }
}

fn title(form: &JsonText) -> String {
    #[derive(Default, Deserialize)]
    struct Titled {
        #[serde(default)]
        title: Option<serde_json::Value>,
    }
    let titled: Titled = form.read().unwrap_or_default();
    titled.title.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
