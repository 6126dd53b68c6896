//! What ids mean that a caller gives: any identity of a client, a series by its name. Owns that a request never invents somebody by a
//! slip of the keyboard.

use rollbook_domain::StreamId;
use rollbook_domain::event::View;
use rollbook_projections::directory::{self, Identity};

use super::Store;
use crate::error::StoreError;

impl Store {
    /// Who is meant by a client id, as all projections have it now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn identify(&self, id: &str) -> Result<Identity, StoreError> {
        let snapshot = self.snapshot()?;
        let (rows, _) = snapshot.of(View::Legacy.name())?;
        Ok(directory::identify(&rows, id)?)
    }

    /// The client document's id behind any identity.
    ///
    /// # Errors
    /// [`StoreError::UnknownClient`] when no client document has it.
    pub fn client(&self, id: &str) -> Result<String, StoreError> {
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
        if self.log().stream_version(&stream)? > 0 { Ok(stream) } else { Err(StoreError::UnknownSeries(stream.to_string())) }
    }
}
