//! What ids mean that a caller gives: any identity of a client, a series by its name, forms and coaches. Owns that a request never invents somebody by a
//! slip of the keyboard.

use rollbook_domain::document::StoredClient;
use rollbook_domain::{Collection, Event, JsonText, StreamId};
use rollbook_log::AppendError;
use rollbook_projections::directory::{self, Directory, Identity};
use rollbook_projections::rows::read_row;
use serde::Deserialize;

use super::Store;
use crate::store::StoreError;

impl Store {
    /// Who is meant by a client id, as all projections have it now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn identify(&self, id: &str) -> Result<Identity, StoreError> {
        let snapshot = self.snapshot()?;
        let (rows, _) = snapshot.rows::<Directory>()?;
        Ok(directory::identify(&rows, id)?)
    }

    /// The client document's id behind any identity.
    ///
    /// # Errors
    /// [`StoreError::UnknownClient`] when no client document has it.
    pub fn client(&self, id: &str) -> Result<String, StoreError> {
        let stream = StreamId::Client(id.to_owned());
        if self.log().is_erased(&stream) {
            return Err(AppendError::ClientErased { stream: stream.to_string() }.into());
        }
        self.identify(id)?.document.ok_or_else(|| StoreError::UnknownClient(id.to_owned()))
    }

    /// The series stream that a name such as `series/<client>/<form>` means, whichever of the client's ids it has.
    ///
    /// # Errors
    /// [`StoreError::NoSeries`] when it names none, [`StoreError::UnknownSeries`] when it has no events.
    pub fn series_named(&self, name: &str) -> Result<StreamId, StoreError> {
        match name.parse() {
            Ok(StreamId::Series { client, form }) => self.series_of(&client, &form),
            _ => Err(StoreError::NoSeries(name.to_owned())),
        }
    }

    /// The series stream of a client, by any id, and a form.
    ///
    /// # Errors
    /// [`StoreError::UnknownSeries`] when it has no events.
    pub fn series_of(&self, client: &str, form: &str) -> Result<StreamId, StoreError> {
        let canonical = self.identify(client)?.canonical().to_owned();
        let stream = StreamId::series(&canonical, form);
        if self.log().stream_version(&stream)? > 0 {
            Ok(stream)
        } else {
            Err(StoreError::UnknownSeries(stream.to_string()))
        }
    }

    /// A form's title, as last imported; empty when its document has none.
    ///
    /// # Errors
    /// [`StoreError::UnknownForm`] when there is no such document.
    pub fn form_title(&self, form: &str) -> Result<String, StoreError> {
        let mut held = None;
        for recorded in self.log().stream(&StreamId::Form(form.to_owned()), 0)? {
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

    /// Checks that a coach is known.
    ///
    /// # Errors
    /// [`StoreError::UnknownCoach`] when no coach document has the id.
    pub fn known_coach(&self, id: &str) -> Result<(), StoreError> {
        let snapshot = self.snapshot()?;
        let (rows, _) = snapshot.rows::<Directory>()?;
        match directory::coach(&rows, id)? {
            Some(_name) => Ok(()),
            None => Err(StoreError::UnknownCoach(id.to_owned())),
        }
    }

    /// The coach that a client's document names; empty where it names none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn coach_of(&self, client: &str) -> Result<String, StoreError> {
        let snapshot = self.snapshot()?;
        let (rows, _) = snapshot.rows::<Directory>()?;
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
