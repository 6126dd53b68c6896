//! The OpenAPI 3.1 description, generated from the handlers and their types. This module adds what
//! holds for every operation: `statuses` the answers that do not come from handlers, `examples` the
//! examples, `numbers` the ranges of integers. `pages` serves the document and its interactive
//! form, without authentication and without other hosts.

mod examples;
mod numbers;
pub mod pages;
mod statuses;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi;

/// The general part of the description. Paths and schemas come from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollbook",
        description = "Recurring check-ins: the old application's endpoints under `/api`, and the native API under `/v1`.\n\n\
                       Errors under `/api` are `{\"success\": false, \"message\": …}`; everywhere else they are RFC 9457 problems with a stable \
                       `code`. Every answer carries `x-request-id`; answers of the store carry `x-rollbook-position`, and views `x-rollbook-view`."
    ),
    servers((url = "/", description = "The service that served this document")),
    tags(
        (name = "check-ins", description = "Requests of clients: read check-ins, respond."),
        (name = "assignments", description = "Requests of coaches: allocate, correct."),
        (name = "series", description = "Requests on series: pause, resume, withdraw."),
        (name = "views", description = "The check-ins of clients, in any view, at any time and as of any position."),
        (name = "events", description = "Events: pages, live events, histories."),
        (name = "migrations", description = "Plan, apply, validate, compare."),
        (name = "operations", description = "The switch, the status, the audit."),
        (name = "ofrep", description = "The switch as a feature flag of OpenFeature."),
        (name = "health", description = "Liveness and readiness."),
        (name = "operation", description = "The metrics."),
    )
)]
pub struct Description;

/// The complete document, made from what the handlers say about themselves. A service without
/// configured authentication is open: nothing in its document asks for a token.
pub fn document(handlers: &openapi::OpenApi, is_open: bool) -> String {
    let mut document = complete(json!(handlers));
    if is_open {
        if let Some(document) = document.as_object_mut() {
            document.remove("security");
        }
        each_operation(&mut document, |_, operation| drop(operation.remove("security")));
    }
    written(&document)
}

fn written(document: &Value) -> String {
    // Text, numbers, lists and maps by text: nothing that can fail to be written.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

/// Adds what holds for all handlers to their own description.
fn complete(mut document: Value) -> Value {
    let bearer = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "A JWT of the configured issuer, or an API key (`rbk_…`). A service without configured authentication asks for none; \
                        it listens on loopback only."
    });
    if let Some(document) = document.as_object_mut() {
        document.insert("security".to_owned(), json!([{"bearer": []}]));
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), json!({"bearer": bearer}));
        components.insert("responses".to_owned(), statuses::components());
        components.insert("headers".to_owned(), statuses::headers());
    }
    each_operation(&mut document, |about, operation| {
        statuses::complete(about, operation);
        examples::complete(operation);
        no_null_parameters(operation);
    });
    numbers::complete(&mut document);
    document
}

/// A parameter is sent or not; it is never null. The derive says otherwise about optional ones.
fn no_null_parameters(operation: &mut Map<String, Value>) {
    let parameters =
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    for named in parameters.filter_map(|parameter| parameter.pointer_mut("/schema/type")) {
        let one = named.as_array().map(|types| {
            types.iter().filter(|it| **it != json!("null")).cloned().collect::<Vec<_>>()
        });
        if let Some([one]) = one.as_deref() {
            *named = one.clone();
        }
    }
}

/// An operation's place in the document.
#[derive(Clone, Copy, Debug)]
struct About<'d> {
    path: &'d str,
    method: &'d str,
}

impl About<'_> {
    fn is_drop_in(self) -> bool {
        self.path.starts_with("/api/")
    }

    fn reads(self) -> bool {
        matches!(self.method, "get" | "head")
    }
}

fn each_operation(document: &mut Value, mut visit: impl FnMut(About<'_>, &mut Map<String, Value>)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                visit(About { path, method }, operation);
            }
        }
    }
}
