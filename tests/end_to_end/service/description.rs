//! The description of the API, for programs and for people, is open to every caller, also where all
//! other paths need a key.

use serde_json::Value;
use testkit::{Server, Store};

#[test]
fn both_forms_are_open_where_a_key_is_needed_for_all_else() {
    let store = Store::imported("clean");
    store.ok(&["key", "create", "--name", "somebody", "--scope", "status"]);
    let server = Server::at(&store, "2026-02-04T12:00:00Z");
    assert_eq!(server.get("/v1/status").status, 401);

    let document = server.get("/openapi.json");
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert_eq!(document.text, include_str!("../../../docs/openapi.json"));

    let docs = server.get("/docs");
    assert_eq!((docs.status, docs.header("location")), (308, "/docs/"));
    let page = server.get("/docs/");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'; script-src 'self';")
    );
    let page = page.text;
    let scripts: Vec<&str> =
        page.split('"').filter(|word| word.ends_with(".js") || word.ends_with(".css")).collect();
    assert!(scripts.len() >= 4, "{page}");
    for script in scripts {
        let path = format!("/docs/{}", script.trim_start_matches("./"));
        let script = server.get(&path);
        assert_eq!(script.status, 200, "{path}");
    }
    let nothing = server.get("/docs/no-such-file.js");
    assert_eq!((nothing.status, nothing.header("content-type")), (404, "application/problem+json"));
}

/// A tool that reads the description tries what happens without a token, and would be told that one
/// is needed.
#[test]
fn a_service_that_lets_everybody_in_asks_for_no_token_until_there_is_a_key() {
    let store = Store::imported("clean");
    let server = Server::at(&store, "2026-02-04T12:00:00Z");
    let golden: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let mut open = server.get("/openapi.json").body;
    assert_eq!(open.get("security"), None);
    assert!(
        open["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .all(|it| it.get("security").is_none())
    );
    // Nothing else differs.
    open["security"] = golden["security"].clone();
    for health in ["/healthz", "/readyz"] {
        open["paths"][health]["get"]["security"] =
            golden["paths"][health]["get"]["security"].clone();
    }
    assert_eq!(open, golden);
    store.ok(&["key", "create", "--name", "somebody", "--scope", "status"]);
    assert_eq!(server.get("/openapi.json").body, golden);
}
