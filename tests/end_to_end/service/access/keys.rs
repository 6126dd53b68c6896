//! Keys that are made, revoked and damaged while the service runs.

use serde_json::Value;
use testkit::{run, until};

use super::samples::Issuer;
use super::town::{ADA, Town, ok, rollbook, token};
use super::wire::Ask;

fn status() -> Ask {
    Ask::new("GET", "/v1/status", None)
}

#[test]
fn a_key_made_under_way_opens_and_one_revoked_is_refused_with_the_next_request() {
    let town = Town::start();
    for round in 0..5 {
        let name = format!("round-{round}");
        let key = town.key(&name, "status");
        assert_eq!(town.ask(Some(&key), &status()).status, 200);
        ok(town.rollbook().args(["key", "revoke", &name]));
        let refused = town.ask(Some(&key), &status());
        assert_eq!(refused.status, 401);
        assert!(refused.body().contains("Authentication required"), "{}", refused.text);
    }
}

#[test]
fn a_damaged_file_of_keys_opens_nothing_is_named_in_the_log_and_leaves_tokens_alone() {
    let town = Town::start();
    let key = town.key("one", "admin");
    let path = town.directory.path().join("store/api-keys.json");
    let sound = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &sound[..sound.len() - 9]).unwrap();
    let refused = town.ask(Some(&key), &status());
    assert_eq!(refused.status, 503);
    assert!(!refused.text.contains("api-keys"), "{}", refused.text);
    assert_eq!(town.admin(&status()).status, 200);
    let listed = run(town.rollbook().args(["key", "list"]));
    assert_eq!(listed.code, 1);
    assert!(listed.stderr.contains("api-keys.json is damaged"), "{listed:?}");
    std::fs::write(&path, &sound).unwrap();
    assert_eq!(town.ask(Some(&key), &status()).status, 200);
    until("the log names the file", || town.complaints().contains("api-keys.json"));
}

#[test]
fn a_token_of_the_wrong_kind_is_401_and_says_no_more() {
    let town = Town::start();
    let good = token(ADA.auth_uid, Some("client"));
    let path = format!("/api/client-portal/check-ins?clientId={}", ADA.client);
    let ask = Ask::new("GET", path, None);
    assert_eq!(town.ask(Some(&good), &ask).status, 200);
    let stranger = Issuer { kid: "town".to_owned(), ..Issuer::elliptic("town") };
    let forged = stranger.token(&serde_json::json!({"iss": "https://issuer.example.com/", "aud": "rollbook", "sub": "boss", "exp": 4_000_000_000_u32, "role": "admin"}));
    let mut answers: Vec<String> = Vec::new();
    for bearer in
        [None, Some("garbage"), Some(&good[..good.len() - 4]), Some(&forged), Some("rbk_0000")]
    {
        let answer = town.ask(bearer, &ask);
        assert_eq!(answer.status, 401, "{bearer:?}");
        answers.push(answer.essence());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn keys_are_listed_without_what_opens_and_need_a_store() {
    let town = Town::start();
    let key = town.key("deploy", "operator");
    let listed: Vec<Value> =
        serde_json::from_str(&ok(town.rollbook().args(["key", "list", "--json"]))).unwrap();
    assert_eq!(
        (listed[0]["name"].as_str(), listed[0]["state"].as_str()),
        (Some("deploy"), Some("live"))
    );
    assert!(!serde_json::to_string(&listed).unwrap().contains(&key[4..]));
    let create = |name: &str, scope: &str| {
        run(town.rollbook().args(["key", "create", "--name", name, "--scope", scope]))
    };
    let again = create("deploy", "admin");
    assert_eq!(again.code, 3, "{again:?}");
    let unknown = run(town.rollbook().args(["key", "revoke", "nothing"]));
    assert_eq!(unknown.code, 1, "{unknown:?}");
    for scope in ["root", "coach:", "Admin"] {
        let wrong = create("x", scope);
        assert_eq!(wrong.code, 2, "{wrong:?}");
    }
    let nowhere = town.directory.path().join("nowhere");
    let create = ["key", "create", "--name", "x", "--scope", "admin"];
    let none = run(rollbook(&nowhere).args(create));
    assert_eq!(none.code, 1, "{none:?}");
    assert!(!nowhere.exists());
}
