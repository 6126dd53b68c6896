//! Adds an example to every operation. The examples are in `examples.json`, by operation id; they
//! are answers of a service with the store in `tests/fixtures/described`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static EXAMPLES: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// Puts an operation's examples where they belong: `parameters` by name, `request`, and `response`,
/// each by media type.
pub(super) fn complete(operation: &mut Map<String, Value>) {
    let examples =
        operation.get("operationId").and_then(Value::as_str).and_then(|id| EXAMPLES.get(id));
    let Some(examples) = examples else { return };
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let example = parameter
            .get("name")
            .and_then(Value::as_str)
            .and_then(|name| examples.get("parameters")?.get(name));
        if let (Some(example), Some(parameter)) = (example, parameter.as_object_mut()) {
            parameter.insert("example".to_owned(), example.clone());
        }
    }
    put(operation.get_mut("requestBody"), examples.get("request"));
    put(
        operation.get_mut("responses").and_then(|responses| responses.get_mut("200")),
        examples.get("response"),
    );
}

fn put(body: Option<&mut Value>, examples: Option<&Value>) {
    let content = body.and_then(|body| body.get_mut("content")).and_then(Value::as_object_mut);
    for (media_type, content) in content.into_iter().flatten() {
        let example = examples.and_then(|examples| examples.get(media_type));
        if let (Some(example), Some(content)) = (example, content.as_object_mut()) {
            content.insert("example".to_owned(), example.clone());
        }
    }
}
