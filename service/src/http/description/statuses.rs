//! Adds to the description the answers that do not come from handlers (authentication, limits,
//! failures), and an example for each error. What a handler says about its own errors stays as it
//! is.

use axum::http::StatusCode;
use rollbook_application::code::Code;
use serde_json::{Map, Value, json};

use super::About;

/// An error: its status, code and text.
struct Refused {
    status: u16,
    description: &'static str,
    code: Option<Code>,
    message: &'static str,
    /// Which operations may be answered so without saying it themselves.
    around: Option<Around>,
}

/// An operation, as far as it matters here.
struct Operation<'o> {
    path: &'o str,
    is_open: bool,
    asks: bool,
}

type Around = fn(&Operation<'_>) -> bool;

const ANY: Option<Around> = Some(|_| true);
const CLOSED: Option<Around> = Some(|operation| !operation.is_open);
const ASKS: Option<Around> = Some(|operation| operation.asks);
const BUT_HEALTH: Option<Around> = Some(|operation| !operation.is_health());
const BUT_HEALTHZ: Option<Around> = Some(|operation| operation.path != "/healthz");

const REFUSALS: [Refused; 14] = [
    refused(400, "The request is invalid.", Some(Code::BadQuery), "The query does not fit", ASKS),
    refused(
        401,
        "No valid token and no valid API key.",
        Some(Code::Unauthenticated),
        "Authentication required",
        CLOSED,
    ),
    refused(
        403,
        "No permission, or no such thing.",
        Some(Code::Forbidden),
        "You may not do that, or there is no such thing",
        CLOSED,
    ),
    refused(404, "There is no such thing.", Some(Code::UnknownId), "Assignment not found", None),
    refused(
        408,
        "The body came too slowly.",
        Some(Code::SlowBody),
        "The body took too long to arrive",
        ANY,
    ),
    refused(
        409,
        "A concurrent request changed it.",
        Some(Code::Contended),
        "Others changed this at the same time. Try again",
        None,
    ),
    refused(
        413,
        "The body is too large.",
        Some(Code::TooLarge),
        "The body is larger than 1048576 bytes",
        ANY,
    ),
    refused(
        415,
        "The body has another content type than expected.",
        Some(Code::NoJson),
        "Send the body as content-type: application/json",
        None,
    ),
    refused(
        422,
        "The key was used for another request.",
        Some(Code::KeyReused),
        "This Idempotency-Key was used for another request",
        None,
    ),
    refused(
        429,
        "Too many requests from one address.",
        Some(Code::TooManyRequests),
        "Too many requests from this address",
        BUT_HEALTH,
    ),
    refused(431, "Too many headers, or too long. This answer has no body.", None, "", ANY),
    refused(
        500,
        "Something failed here.",
        Some(Code::Internal),
        "Something went wrong here. The service's log says what",
        ANY,
    ),
    refused(
        503,
        "The service is overloaded, or the store is unavailable.",
        Some(Code::Overloaded),
        "The service has as many requests as it can work on",
        BUT_HEALTHZ,
    ),
    refused(
        504,
        "The position was not reached in time.",
        Some(Code::Behind),
        "This node is at position 812 and did not reach 900 in time",
        None,
    ),
];

const fn refused(
    status: u16,
    description: &'static str,
    code: Option<Code>,
    message: &'static str,
    around: Option<Around>,
) -> Refused {
    Refused { status, description, code, message, around }
}

impl Operation<'_> {
    fn is_health(&self) -> bool {
        matches!(self.path, "/healthz" | "/readyz")
    }
}

impl Refused {
    fn name(&self, is_drop_in: bool) -> String {
        format!("{}{}", if is_drop_in { "DropIn" } else { "Problem" }, self.status)
    }

    fn example(&self, is_drop_in: bool) -> Value {
        if is_drop_in {
            return json!({"success": false, "message": self.message});
        }
        let title =
            StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        json!({"type": "about:blank", "title": title, "status": self.status, "code": self.code.map(Code::name), "detail": self.message})
    }

    /// The complete answer.
    fn response(&self, is_drop_in: bool) -> Value {
        let mut response =
            json!({"description": self.description, "headers": header_names(self.status)});
        if self.code.is_some() {
            let (media_type, schema) = form(is_drop_in);
            if let Some(fields) = response.as_object_mut() {
                fields.insert("content".to_owned(), json!({media_type: {"schema": {"$ref": schema}, "example": self.example(is_drop_in)}}));
            }
        }
        response
    }
}

/// The media type and the schema of refusals.
fn form(is_drop_in: bool) -> (&'static str, &'static str) {
    match is_drop_in {
        true => ("application/json", "#/components/schemas/DropInRefusal"),
        false => ("application/problem+json", "#/components/schemas/Problem"),
    }
}

fn header_names(status: u16) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    match status {
        401 => {
            json!({"www-authenticate": reference("WwwAuthenticate"), "x-request-id": reference("RequestId")})
        }
        429 | 503 => {
            json!({"retry-after": reference("RetryAfter"), "x-request-id": reference("RequestId")})
        }
        // Answered before it is a request.
        431 => json!({}),
        _ => json!({"x-request-id": reference("RequestId")}),
    }
}

/// The headers that answers share.
pub(super) fn headers() -> Value {
    json!({
        "RequestId": {"description": "The request's id, as in the service's log.", "schema": {"type": "string"}},
        "RetryAfter": {"description": "After how many seconds a retry makes sense.", "schema": {"type": "integer", "minimum": 1}},
        "WwwAuthenticate": {"description": "`Bearer`.", "schema": {"type": "string"}}
    })
}

/// Every refusal from around the handlers, in both forms.
pub(super) fn components() -> Value {
    let mut responses = Map::new();
    for refused in REFUSALS.iter().filter(|refused| refused.around.is_some()) {
        for is_drop_in in [true, false] {
            responses.insert(refused.name(is_drop_in), refused.response(is_drop_in));
        }
    }
    Value::Object(responses)
}

/// Adds the answers to an operation that its handler does not list, and an example to each error.
pub(super) fn complete(about: About<'_>, operation: &mut Map<String, Value>) {
    let is_open = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|ways| ways.iter().any(|way| *way == json!({})));
    let asks = operation.contains_key("parameters") || operation.contains_key("requestBody");
    let known = Operation { path: about.path, is_open, asks };
    let is_drop_in = about.is_drop_in();
    let Some(responses) = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut()
    else {
        return;
    };
    for refused in &REFUSALS {
        let status = refused.status.to_string();
        match responses.get_mut(&status) {
            // What only writes are answered with is no news of a read.
            Some(_) if about.reads() && is_drop_in && matches!(refused.status, 409 | 415 | 422) => {
                drop(responses.remove(&status))
            }
            Some(response) => show(refused, is_drop_in, response),
            None if refused.around.is_some_and(|around| around(&known)) => {
                let reference = format!("#/components/responses/{}", refused.name(is_drop_in));
                responses.insert(status, json!({"$ref": reference}));
            }
            None => {}
        }
    }
}

/// Gives a handler's own refusal its example and headers, unless it has a form of its own.
fn show(refused: &Refused, is_drop_in: bool, response: &mut Value) {
    let (media_type, schema) = form(is_drop_in);
    let Some(response) = response.as_object_mut() else { return };
    let content = response
        .get_mut("content")
        .and_then(|content| content.get_mut(media_type))
        .and_then(Value::as_object_mut);
    let Some(content) = content.filter(|content| {
        content.get("schema").and_then(|it| it.get("$ref")) == Some(&json!(schema))
    }) else {
        return;
    };
    content.entry("example").or_insert_with(|| refused.example(is_drop_in));
    response.entry("headers").or_insert_with(|| header_names(refused.status));
}
