//! The store at an earlier time: the position of an instant, and the list that a client saw.

use rollbook_domain::control::Switch;
use rollbook_domain::event::View;
use rollbook_domain::{Position, Timestamp};
use rollbook_projections::as_of;
use rollbook_projections::entry::ListParameters;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Store, ViewAnswer, ViewChoice};
use crate::store::StoreError;

/// The list that a client saw at an instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PastView {
    /// The client's id, as given.
    pub client: String,
    /// The instant.
    pub at: Timestamp,
    /// The last position recorded by then.
    pub position: Position,
    /// The time at which that position was recorded; `None` if nothing was recorded yet.
    pub recorded_at: Option<Timestamp>,
    /// The view that served the client.
    pub view: View,
    /// The switch at that position.
    pub switch: Switch,
    /// The body of the list.
    pub body: Box<RawValue>,
}

impl Store {
    /// Returns the last position that was recorded at or before an instant; 0 if there is none.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, StoreError> {
        Ok(self.log().position_at(instant)?)
    }

    /// Returns the time at which a position was recorded; `None` for 0 and beyond the head.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.log().at(position)?.map(|recorded| recorded.recorded_at))
    }

    /// Returns the list that a client saw at an instant: in the view that served the client, folded
    /// up to the position of the instant, and rendered for that time.
    ///
    /// # Errors
    /// If the log or the rows cannot be read.
    pub fn seen(&self, client: &str, asked: ListParameters) -> Result<PastView, StoreError> {
        let position = self.position_at(asked.now)?;
        let ViewAnswer { view, body, .. } =
            self.check_ins(ViewChoice::Live, client, asked, Some(position))?;
        let switch = as_of::control(self.runtime(), position)?.switch;
        let recorded_at = self.recorded_at(position)?;
        let body = RawValue::from_string(body).map_err(StoreError::Body)?;
        Ok(PastView {
            client: client.to_owned(),
            at: asked.now,
            position,
            recorded_at,
            view,
            switch,
            body,
        })
    }
}
