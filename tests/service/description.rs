//! What is open to everybody: the description of the API, for programs and for people, also where everything else asks who one is.

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::Value;

use crate::server::Server;
use crate::store::Store;

async fn get(client: &Client, server: &Server, path: &str) -> Response {
    client.get(format!("{}{path}", server.url)).send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn both_forms_are_open_where_a_key_is_needed_for_all_else() {
    let store = Store::imported("clean");
    store.ok(&["key", "create", "--name", "somebody", "--scope", "status"]);
    let server = Server::at(&store, "2026-02-04T12:00:00Z");
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    assert_eq!(get(&client, &server, "/v1/status").await.status(), 401);

    let document = get(&client, &server, "/openapi.json").await;
    assert_eq!(
        (document.status().as_u16(), header(&document, "content-type")),
        (200, "application/json")
    );
    assert_eq!(document.text().await.unwrap(), include_str!("../../docs/openapi.json"));

    let docs = get(&client, &server, "/docs").await;
    assert_eq!((docs.status().as_u16(), header(&docs, "location")), (308, "/docs/"));
    let page = get(&client, &server, "/docs/").await;
    assert_eq!((page.status().as_u16(), header(&page, "content-type")), (200, "text/html"));
    assert!(
        header(&page, "content-security-policy")
            .starts_with("default-src 'none'; script-src 'self';")
    );
    let page = page.text().await.unwrap();
    let scripts: Vec<&str> =
        page.split('"').filter(|word| word.ends_with(".js") || word.ends_with(".css")).collect();
    assert!(scripts.len() >= 4, "{page}");
    for script in scripts {
        let script =
            get(&client, &server, &format!("/docs/{}", script.trim_start_matches("./"))).await;
        assert_eq!(script.status(), 200, "{}", script.url());
    }
    let nothing = get(&client, &server, "/docs/no-such-file.js").await;
    assert_eq!(
        (nothing.status().as_u16(), header(&nothing, "content-type")),
        (404, "application/problem+json")
    );
}

/// A tool that reads the description tries what happens without a token, and would be told that one is needed.
#[tokio::test]
async fn a_service_that_lets_everybody_in_asks_for_no_token_until_there_is_a_key() {
    let store = Store::imported("clean");
    let server = Server::at(&store, "2026-02-04T12:00:00Z");
    let golden: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    let mut open = server.get("/openapi.json").await.body;
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
    assert_eq!(server.get("/openapi.json").await.body, golden);
}
