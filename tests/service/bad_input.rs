//! What is no request: a clear status and text, nothing written, and the service goes on.

use serde_json::{Value, json};

use crate::answering::CLIENT;
use crate::server::{Server, answer};
use crate::store::Store;

const NOW: &str = "2026-01-15T09:30:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_body_is_told_apart_and_writes_nothing() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let head = server.check_ins(CLIENT).await.position;
    let send = async |media: Option<&str>, body: Vec<u8>| {
        let mut request =
            server.client.post(format!("{}/api/check-in-assignments", server.url)).body(body);
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        answer(request.send().await.unwrap()).await.unwrap()
    };
    let json_type = Some("application/json");
    let cases = [
        (send(json_type, b"{".to_vec()).await, 400),
        (send(json_type, b"".to_vec()).await, 400),
        (send(json_type, b"\xff\xfe".to_vec()).await, 400),
        (send(json_type, b"[1,2]".to_vec()).await, 400),
        (send(json_type, br#"["habits","ada","robin",null,null,null,null,null,null,null,null,null,null,false]"#.to_vec()).await, 400),
        (send(json_type, b"null".to_vec()).await, 400),
        (send(json_type, br#"{"formId": 1}"#.to_vec()).await, 400),
        (send(json_type, br#"{"formId": "a", "formId": "b"}"#.to_vec()).await, 400),
        (send(json_type, [b"[".repeat(100_000), b"]".repeat(100_000)].concat()).await, 400),
        (send(Some("text/plain"), b"{}".to_vec()).await, 415),
        (send(None, b"{}".to_vec()).await, 415),
        (send(json_type, vec![b' '; 3 << 20]).await, 413),
    ];
    for (answer, status) in cases {
        assert_eq!((answer.status, &answer.body["success"]), (status, &json!(false)), "{answer:?}");
        let told = answer.message();
        assert!(!told.is_empty() && !told.contains("src/") && !told.contains("::"), "{told}");
    }
    assert_eq!(server.check_ins(CLIENT).await.position, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_or_method_that_there_is_not_is_refused_in_the_form_of_the_path() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let none = server.get("/api/nothing").await;
    assert_eq!(
        (none.status, none.body),
        (404, json!({"success": false, "message": "There is nothing at this path"}))
    );
    let native = server.get("/nothing").await;
    assert_eq!(
        (native.status, &native.body["code"], &native.body["status"]),
        (404, &json!("no_path"), &json!(404))
    );
    let method = server.post("/api/client-portal/check-ins", json!({})).await;
    assert_eq!((method.status, method.message()), (405, "This path does not take this method"));
    let no_client = server.get("/api/client-portal/check-ins").await;
    assert_eq!(
        (no_client.status, no_client.body),
        (400, json!({"success": false, "message": "Client ID is required"}))
    );
    assert_eq!(server.get("/api/client-portal/check-ins?clientId=").await.status, 400);
    assert_eq!(server.get("/api/client-portal/check-ins-precreated").await.status, 400);
    assert_eq!(server.get("/api/client-portal/check-ins?clientId=a&clientId=b").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_has_an_empty_list_for_those_who_may_ask() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    for id in ["nobody", "a%00b", "%2e%2e%2f", "%F0%9F%A6%80"] {
        let seen = server.check_ins(id).await;
        assert_eq!((seen.status, &seen.body["data"]["summary"]["total"]), (200, &json!(0)), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_goes_away_stops_writes_and_not_the_service() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let id = server.check_ins(CLIENT).await.body["data"]["checkins"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    std::fs::remove_dir_all(store.path()).unwrap();
    let refused =
        server.post(&format!("/api/client-portal/check-in/{id}"), json!({"responses": []})).await;
    assert!(matches!(refused.status, 500 | 503), "{refused:?}");
    let text = Value::to_string(&refused.body);
    assert!(!text.contains(store.path().to_str().unwrap()), "{text}");
    let alive = server.get("/api/nothing").await;
    assert!(matches!(alive.status, 404 | 503), "{alive:?}");
    assert_eq!(alive.body["success"], false);
}
