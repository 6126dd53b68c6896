//! The store at an earlier time: which position an instant means, and what a client saw then.

use rollbook_domain::control::Switch;
use rollbook_domain::event::View;
use rollbook_domain::{Position, Timestamp};
use rollbook_projections::as_of;
use rollbook_projections::entry::Asked;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Store, ViewAnswer, ViewChoice};
use crate::store::StoreError;

/// What a client saw at an instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PastView {
    /// The id that was asked for.
    pub client: String,
    /// The instant.
    pub at: Timestamp,
    /// The last position recorded by then.
    pub position: Position,
    /// When that was recorded; `None` when nothing was yet.
    pub recorded_at: Option<Timestamp>,
    /// The view that served the client.
    pub view: View,
    /// The switch at that position.
    pub switch: Switch,
    /// The body that the endpoint answered, or would have.
    pub body: Box<RawValue>,
}

impl Store {
    /// The last position that was recorded at an instant or before it; 0 when nothing was.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, StoreError> {
        Ok(self.log().position_at(instant)?)
    }

    /// When a position was recorded; `None` for 0 and beyond the head.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.log().at(position)?.map(|recorded| recorded.recorded_at))
    }

    /// What a client saw at an instant: the view that the switch served then, on the rows of then,
    /// asked for at that instant.
    ///
    /// # Errors
    /// When the log or the rows cannot be read.
    pub fn seen(&self, client: &str, asked: Asked) -> Result<PastView, StoreError> {
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
