//! The headers of responses: the position and the name of the view.

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use rollbook_domain::Position;
use rollbook_domain::event::View;
use serde::Serialize;

use crate::view_cache::RenderedView;

/// The view of the response.
pub const VIEW: HeaderName = HeaderName::from_static("x-rollbook-view");
/// The position of the response, or of the written event.
pub const POSITION: HeaderName = HeaderName::from_static("x-rollbook-position");

/// A JSON response with a position.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The position.
    pub position: Position,
    /// The body.
    pub body: T,
}

impl<T: Serialize> IntoResponse for At<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.body).into_response();
        response.headers_mut().insert(POSITION, HeaderValue::from(self.position));
        response
    }
}

/// A rendered list.
#[derive(Clone, Debug)]
pub struct ViewResponse {
    /// The view of the response.
    pub view: View,
    /// The position of its rows.
    pub position: Position,
    /// The body, as JSON text.
    pub body: Bytes,
}

impl From<RenderedView> for ViewResponse {
    fn from(RenderedView { view, position, body }: RenderedView) -> Self {
        Self { view, position, body }
    }
}

impl IntoResponse for ViewResponse {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(VIEW, HeaderValue::from_static(self.view.name()));
        headers.insert(POSITION, HeaderValue::from(self.position));
        response
    }
}
