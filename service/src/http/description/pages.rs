//! `/openapi.json` and `/docs`: the description for programs and for people. Both are open. The
//! interactive form loads nothing from other hosts: its files are part of the program, and its
//! policy lets a browser connect to this service only.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use rollbook_application::code::Code;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::super::error::ApiError;
use super::super::service::Service;
use crate::telemetry::targets;

/// Whatever a page might name, a browser fetches it from here or not at all. The interface itself
/// sets styles on its elements.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                                 font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Both variants of the document.
#[derive(Clone, Debug)]
pub struct Documents {
    /// Asks for a token.
    protected: Bytes,
    /// Asks for none.
    open: Bytes,
}

impl Documents {
    /// The variants of the document made from what the handlers say about themselves.
    pub fn new(handlers: &OpenApi) -> Self {
        let variant = |is_open| Bytes::from(super::document(handlers, is_open));
        Self { protected: variant(false), open: variant(true) }
    }

    /// `/openapi.json`: the variant that is true now. The first API key closes an open service.
    pub async fn current(self, service: Service) -> impl IntoResponse {
        let document = if service.access().is_open() { self.open } else { self.protected };
        ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], document)
    }
}

/// `/docs`: where the pages are.
pub async fn to_index() -> Redirect {
    Redirect::permanent("/docs/")
}

/// `/docs/`: the interactive form.
pub async fn index() -> Result<Response, ApiError> {
    page("index.html")
}

/// `/docs/{file}`: a file of the interactive form.
pub async fn named(Path(file): Path<String>) -> Result<Response, ApiError> {
    page(&file)
}

fn page(name: &str) -> Result<Response, ApiError> {
    let missing =
        || ApiError::new(StatusCode::NOT_FOUND, Code::NoPath, "There is nothing at this path");
    let SwaggerFile { bytes, content_type, .. } = file(name)?.ok_or_else(missing)?;
    let mut response = bytes.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::try_from(content_type).map_err(|error| ApiError::internal(&error))?,
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// A file of the interactive form; `None` when it has none of this name.
pub(super) fn file(name: &str) -> Result<Option<SwaggerFile<'static>>, ApiError> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        // Its badge would ask a validator on another host.
        Arc::new(
            Config::new(["../openapi.json"])
                .validator_url("none")
                .try_it_out_enabled(true)
                .display_operation_id(true),
        )
    });
    utoipa_swagger_ui::serve(name, CONFIG.clone()).map_err(|error| {
        tracing::error!(target: targets::HTTP, %error, name, "a file of the documentation cannot be written");
        ApiError::mistake()
    })
}
