//! Tests of the description: the golden document, what every operation must have, and that the
//! pages name no other host.

use std::path::Path;

use serde_json::{Map, Value};

use super::pages::{POLICY, file};
use super::{About, each_operation};
use crate::http::router;

fn document() -> String {
    super::document(&router::description(), false)
}

fn each(mut visit: impl FnMut(About<'_>, &Map<String, Value>)) {
    let mut document = serde_json::from_str(&document()).unwrap();
    each_operation(&mut document, |about, operation| visit(about, operation));
}

/// `ROLLBOOK_BLESS=1` writes the golden document; otherwise, on drift, the document of today goes to a `.actual` file beside it.
#[test]
fn the_document_is_the_golden_one() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    if std::env::var_os("ROLLBOOK_BLESS").is_some() {
        std::fs::write(&golden, document()).unwrap();
    }
    let kept = std::fs::read_to_string(&golden).unwrap_or_default();
    if kept != document() {
        let actual = golden.with_extension("json.actual");
        std::fs::write(&actual, document()).unwrap();
        panic!(
            "the description of the API is not docs/openapi.json. See {}; ROLLBOOK_BLESS=1 takes it over",
            actual.display()
        );
    }
}

#[test]
fn it_is_openapi_3_1_with_a_scheme_that_every_operation_but_health_asks_for() {
    let document: Value = serde_json::from_str(&document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_eq!(document["security"], serde_json::json!([{"bearer": []}]));
    let mut open = Vec::new();
    each(|about, operation| {
        open.extend(operation.contains_key("security").then(|| about.path.to_owned()))
    });
    assert_eq!(open, ["/healthz", "/readyz"]);
}

#[test]
fn every_operation_has_a_name_a_summary_one_known_tag_and_examples() {
    let whole: Value = serde_json::from_str(&document()).unwrap();
    let tags: Vec<&str> =
        whole["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut names = Vec::new();
    let mut lacks = Vec::new();
    each(|about, operation| {
        let mut lack = |what: &str| lacks.push(format!("{} {}: {what}", about.method, about.path));
        let text = |field: &str| {
            operation.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let name = text("operationId");
        if name.is_empty() || names.contains(&name) {
            lack("an operationId of its own");
        }
        names.push(name);
        if text("summary").is_empty() {
            lack("a summary");
        }
        match operation["tags"].as_array().map(Vec::as_slice) {
            Some([tag]) if tags.contains(&tag.as_str().unwrap()) => {}
            _ => lack("one tag that is described"),
        }
        for content in contents(operation.get("requestBody"))
            .chain(contents(operation["responses"].get("200")))
        {
            if !content.contains_key("example") {
                lack("an example of a body");
            }
        }
    });
    assert_eq!(lacks, [""; 0]);
    assert!(names.len() >= 30, "{names:?}");
}

fn contents(body: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let content = body.and_then(|body| body.get("content")).and_then(Value::as_object);
    content.into_iter().flat_map(Map::values).filter_map(Value::as_object)
}

#[test]
fn every_operation_says_what_comes_from_around_its_handler() {
    each(|about, operation| {
        let responses = operation["responses"].as_object().unwrap();
        let says = |status: &str| responses.contains_key(status);
        let is_health = about.path == "/healthz" || about.path == "/readyz";
        for status in ["408", "413", "431", "500"] {
            assert!(says(status), "{} {}: {status}", about.method, about.path);
        }
        assert_eq!(
            says("401") && says("403") && says("429"),
            !is_health,
            "{} {}",
            about.method,
            about.path
        );
        assert_eq!(says("503"), about.path != "/healthz", "{} {}", about.method, about.path);
        // The store takes no body of a read, and no key.
        assert!(!(says("415") || says("422")) || !about.reads(), "{} {}", about.method, about.path);
    });
}

#[test]
fn a_refusal_has_the_form_of_its_path() {
    let whole: Value = serde_json::from_str(&document()).unwrap();
    each(|about, operation| {
        for (status, response) in operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(status, _)| !status.starts_with(['2', '3']))
        {
            let response = match response.get("$ref").and_then(Value::as_str) {
                Some(reference) => whole
                    .pointer(reference.trim_start_matches('#'))
                    .unwrap_or_else(|| panic!("{reference} leads nowhere")),
                None => response,
            };
            let Some(content) = response.get("content").and_then(Value::as_object) else {
                assert_eq!(status, "431", "{} {}", about.method, about.path);
                continue;
            };
            let own = about.path.starts_with("/ofrep/") && matches!(status.as_str(), "400" | "404");
            let expected = if about.is_drop_in() || own {
                "application/json"
            } else {
                "application/problem+json"
            };
            assert_eq!(
                content.keys().collect::<Vec<_>>(),
                [expected],
                "{} {} {status}",
                about.method,
                about.path
            );
        }
    });
}

#[test]
fn the_pages_are_whole_and_name_no_other_host() {
    let text = |name: &str| {
        String::from_utf8(file(name).unwrap().expect(name).bytes.into_owned()).unwrap()
    };
    let page = text("index.html");
    let named: Vec<&str> = page
        .split(['"', '\''])
        .filter(|word| word.ends_with(".js") || word.ends_with(".css") || word.ends_with(".png"))
        .collect();
    assert!(named.len() >= 4, "{page}");
    for name in named {
        assert!(!file(name.trim_start_matches("./")).unwrap().expect(name).bytes.is_empty());
    }
    for name in ["index.html", "index.css", "swagger-initializer.js"] {
        // Comments begin with two slashes too; a reference to another host has a scheme or stands
        // in quotes.
        let references =
            ["://", "\"//", "'//"].into_iter().filter(|reference| text(name).contains(reference));
        assert_eq!(references.count(), 0, "{name}: {}", text(name));
    }
    assert!(
        text("swagger-initializer.js").contains("\"url\": \"../openapi.json\""),
        "{}",
        text("swagger-initializer.js")
    );
    assert!(
        text("swagger-initializer.js").contains("\"validatorUrl\": \"none\""),
        "{}",
        text("swagger-initializer.js")
    );
    // What a style sheet loads; the bundle itself is held to it by the policy.
    let style = text("swagger-ui.css");
    assert!(
        style
            .match_indices("url(")
            .all(|(at, _)| style[at + 4..].trim_start_matches(['"', '\'']).starts_with("data:"))
    );
    assert!(
        !POLICY.contains("http")
            && !POLICY.contains('*')
            && POLICY.starts_with("default-src 'none'")
    );
}
