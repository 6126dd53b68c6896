//! What surrounds every request. Owns the order of the layers; the outermost stands last.

use axum::{Router, middleware};

use super::error;

/// Wraps all routes.
pub fn wrap(router: Router) -> Router {
    router.layer(middleware::from_fn(error::render))
}
