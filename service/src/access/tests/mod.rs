//! Whom `Access` believes: tokens of every wrong kind, and API keys of every wrong kind.

mod standing;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rollbook_domain::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::samples::Issuer;
use super::*;

const NOW_SECONDS: i64 = 1_770_000_000;

fn now() -> Timestamp {
    Timestamp::from_parts(NOW_SECONDS, 0).unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now().plus_milliseconds(seconds * 1000)
}

/// A directory that looks like a store's, and what is needed to ask who may use it.
struct Scene {
    directory: TempDir,
    access: Access,
}

impl Scene {
    fn with(settings: impl FnOnce(&Path) -> AccessSettings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("FORMAT"), "rollbook-store 1\n").unwrap();
        let access = Access::new(&settings(directory.path()), directory.path()).unwrap();
        Self { directory, access }
    }

    fn open() -> Self {
        Self::with(|_| AccessSettings::default())
    }

    /// Accepts these keys, from a file.
    fn of(keys: &Value) -> Self {
        Self::with(|directory| {
            let file = directory.join("jwks.json");
            std::fs::write(&file, json!({"keys": keys}).to_string()).unwrap();
            AccessSettings { jwks_file: Some(file), ..settings() }
        })
    }

    fn keys(&self) -> KeyFile {
        KeyFile::open(self.directory.path()).unwrap()
    }

    fn keys_path(&self) -> std::path::PathBuf {
        self.directory.path().join(keys::KEYS_FILE)
    }

    /// The caller of a bearer token, or why it is rejected.
    fn ask(&self, bearer: &str) -> Result<Caller, String> {
        self.ask_at(bearer, now())
    }

    fn ask_at(&self, bearer: &str, now: Timestamp) -> Result<Caller, String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {bearer}").parse().unwrap());
        self.ask_with(&headers, now).map_err(|denied| match denied {
            AccessDenied::Unauthenticated(why) => why.to_owned(),
            other => format!("{other:?}"),
        })
    }

    fn ask_with(&self, headers: &HeaderMap, now: Timestamp) -> Result<Caller, AccessDenied> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(self.access.authenticate(headers, now))
    }
}

fn settings() -> AccessSettings {
    AccessSettings {
        issuer: Some("https://issuer.example.com/".to_owned()),
        audience: Some("rollbook".to_owned()),
        ..AccessSettings::default()
    }
}

fn claims() -> Value {
    json!({"iss": "https://issuer.example.com/", "aud": "rollbook", "sub": "ada", "exp": NOW_SECONDS + 600, "role": "client"})
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[track_caller]
fn refused(asked: Result<Caller, String>, because: &str) {
    let why = asked.map(|caller| caller.name().to_owned()).unwrap_err();
    assert!(why.contains(because), "{why:?} does not say {because:?}");
}

#[test]
fn tokens_of_both_algorithms_are_believed_and_say_who_it_is() {
    let (elliptic, rsa) = (Issuer::elliptic("e"), Issuer::rsa("r"));
    let scene = Scene::of(&json!([elliptic.jwk(), rsa.jwk()]));
    for issuer in [&elliptic, &rsa] {
        let caller = scene.ask(&issuer.token(&claims())).unwrap();
        assert_eq!(caller.name(), "ada");
    }
    let several = elliptic.token(&claims_with("aud", json!(["other", "rollbook"])));
    assert_eq!(scene.ask(&several).unwrap().name(), "ada");
}

#[test]
fn times_are_held_to_the_callers_clock_with_the_leeway() {
    let issuer = Issuer::elliptic("e");
    let scene = Scene::of(&json!([issuer.jwk()]));
    let leeway = i64::try_from(LEEWAY_MILLISECONDS / 1000).unwrap();
    let token = issuer.token(&claims());
    assert!(scene.ask_at(&token, later(600 + leeway - 1)).is_ok());
    refused(scene.ask_at(&token, later(600 + leeway)), "expired");
    let token = issuer.token(&claims_with("nbf", json!(NOW_SECONDS + 60)));
    refused(scene.ask(&token), "not valid yet");
    assert!(scene.ask_at(&token, later(60 - leeway)).is_ok());
    for odd in [json!("soon"), Value::Null, json!([1])] {
        assert!(scene.ask(&issuer.token(&claims_with("exp", odd.clone()))).is_err(), "{odd}");
    }
}

#[test]
fn another_issuer_audience_or_nobody_is_refused() {
    let issuer = Issuer::elliptic("e");
    let scene = Scene::of(&json!([issuer.jwk()]));
    let ask = |name, value: Value| scene.ask(&issuer.token(&claims_with(name, value)));
    refused(ask("iss", json!("https://issuer.example.com")), "another issuer");
    refused(ask("iss", json!(["https://issuer.example.com/", "x"])), "cannot be read");
    refused(ask("aud", json!("rollbook2")), "another audience");
    refused(ask("aud", json!([])), "another audience");
    refused(ask("sub", json!("")), "nobody");
    for name in ["iss", "aud", "sub", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert!(scene.ask(&issuer.token(&claims)).is_err(), "{name}");
    }
}

#[test]
fn a_token_of_a_key_that_the_issuer_does_not_have_is_refused() {
    let (issuer, stranger) = (Issuer::elliptic("e"), Issuer::elliptic("f"));
    let scene = Scene::of(&json!([issuer.jwk()]));
    refused(scene.ask(&stranger.token(&claims())), "does not have");
    let forged = Issuer { kid: "e".to_owned(), ..stranger };
    refused(scene.ask(&forged.token(&claims())), "signature");
    let nameless = encode(&Header::new(Algorithm::ES256), &claims(), &issuer.key).unwrap();
    refused(scene.ask(&nameless), "names no key");
}

#[test]
fn only_the_keys_own_algorithm_counts() {
    let (issuer, rsa) = (Issuer::elliptic("e"), Issuer::rsa("r"));
    let scene = Scene::of(&json!([issuer.jwk(), rsa.jwk()]));
    // The public key as the secret of a symmetric signature: the classic confusion.
    for public in [rsa.jwk()["n"].as_str().unwrap().to_owned(), rsa.jwk().to_string(), set_of(&rsa)]
    {
        let symmetric = Issuer {
            kid: "r".to_owned(),
            algorithm: Algorithm::HS256,
            key: EncodingKey::from_secret(public.as_bytes()),
        };
        refused(scene.ask(&symmetric.token(&claims())), "neither RS256 nor ES256");
    }
    let stronger = Issuer { algorithm: Algorithm::RS512, ..rsa.clone() };
    refused(scene.ask(&stronger.token(&claims())), "neither RS256 nor ES256");
    let crossed = Issuer { kid: "e".to_owned(), ..rsa };
    refused(scene.ask(&crossed.token(&claims())), "algorithm is not its key's");

    let token = issuer.token(&claims());
    let (_, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","kid":"e"}"#,
        r#"{"alg":"none","typ":"JWT","kid":"e"}"#,
        r#"{"kid":"e"}"#,
    ] {
        for signature in ["", signature] {
            refused(
                scene.ask(&format!("{}.{payload}.{signature}", base64url(header))),
                "no JWT of a known algorithm",
            );
        }
    }
    let critical = base64url(r#"{"alg":"ES256","kid":"e","crit":["exp"]}"#);
    refused(scene.ask(&format!("{critical}.{payload}.{signature}")), "critical");
}

#[test]
fn truncated_tampered_and_garbled_tokens_are_refused() {
    let issuer = Issuer::elliptic("e");
    let scene = Scene::of(&json!([issuer.jwk()]));
    let token = issuer.token(&claims());
    for end in (0..token.len()).step_by(7).chain([token.len() - 1]) {
        assert!(scene.ask(&token[..end]).is_err(), "the first {end} bytes");
    }
    // Every character of payload and signature counts, but for the last bits that no byte needs.
    let payload = token.find('.').unwrap() + 1;
    for place in (payload..token.len() - 1).filter(|place| token.as_bytes()[*place] != b'.') {
        let mut tampered = token.clone().into_bytes();
        tampered[place] = if tampered[place] == b'A' { b'B' } else { b'A' };
        assert!(scene.ask(&String::from_utf8(tampered).unwrap()).is_err(), "changed at {place}");
    }
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let promoted = base64url(&claims_with("role", json!("admin")).to_string());
    refused(scene.ask(&format!("{header}.{promoted}.{signature}")), "signature");
    for garbage in [
        "x",
        "..",
        "a.b.c",
        "....",
        "rbk_",
        "null",
        "{}",
        &"A".repeat(20_000),
        &format!("{token}.{token}"),
        &format!("{token}="),
    ] {
        assert!(scene.ask(garbage).is_err(), "{garbage}");
    }
}

#[test]
fn weak_and_foreign_keys_of_a_set_are_passed_over_and_the_others_count() {
    let good = Issuer::elliptic("good");
    let weak =
        Issuer { kid: "weak".to_owned(), algorithm: Algorithm::RS256, key: Issuer::rsa_key(1024) };
    let mut encrypting = Issuer::elliptic("enc").jwk();
    encrypting["use"] = json!("enc");
    let symmetric = json!({"kty": "oct", "kid": "oct", "k": "AAAA", "alg": "HS256"});
    let odd = json!({"kty": "EC", "crv": "secp256k1", "kid": "odd", "x": "AAAA", "y": "AAAA"});
    let scene = Scene::of(&json!([weak.jwk(), encrypting, symmetric, odd, 7, good.jwk()]));
    assert!(scene.ask(&good.token(&claims())).is_ok());
    refused(scene.ask(&weak.token(&claims())), "does not have");
}

#[test]
fn a_rotated_key_file_counts_from_the_next_request_on() {
    let (old, new) = (Issuer::elliptic("old"), Issuer::elliptic("new"));
    let scene = Scene::of(&json!([old.jwk()]));
    assert!(scene.ask(&old.token(&claims())).is_ok());
    let path = scene.directory.path().join("jwks.json");
    std::fs::write(&path, set_of(&new)).unwrap();
    refused(scene.ask(&old.token(&claims())), "does not have");
    assert!(scene.ask(&new.token(&claims())).is_ok());
    std::fs::write(&path, "not json").unwrap();
    refused(scene.ask(&new.token(&claims())), "Unavailable(IssuerKeys");
    std::fs::remove_file(&path).unwrap();
    refused(scene.ask(&new.token(&claims())), "no such file");
}

/// A JWKS server on loopback that gives the configured answers and counts requests.
struct JwksServer {
    url: String,
    answer: Arc<Mutex<(String, String)>>,
    asked: Arc<Mutex<u32>>,
}

impl JwksServer {
    fn start(status: &str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (answer, asked) =
            (Arc::new(Mutex::new((status.to_owned(), body))), Arc::new(Mutex::new(0)));
        let (told, count) = (Arc::clone(&answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let request = BufReader::new(stream.try_clone().unwrap());
                let _head: Vec<String> = request
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                *count.lock().unwrap() += 1;
                let (status, body) = told.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncache-control: max-age=3600\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                // A client that went away has no use for the answer.
                let _unheard = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { url, answer, asked }
    }

    fn scene(&self) -> Scene {
        Scene::with(|_| AccessSettings { jwks_url: Some(self.url.clone()), ..settings() })
    }

    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
}

#[test]
fn keys_from_a_url_are_fetched_once_and_unknown_ones_not_asked_for_again_and_again() {
    let issuer = Issuer::rsa("r");
    let server = JwksServer::start("200 OK", set_of(&issuer));
    let scene = server.scene();
    assert_eq!(server.asked(), 0);
    for _ in 0..20 {
        assert!(scene.ask(&issuer.token(&claims())).is_ok());
        refused(scene.ask(&Issuer::elliptic("other").token(&claims())), "does not have");
    }
    assert_eq!(server.asked(), 1);
}

#[test]
fn keys_that_cannot_be_had_let_nobody_in_and_call_nobody_wrong() {
    let issuer = Issuer::elliptic("e");
    for (status, body) in [
        ("500 Oops", set_of(&issuer)),
        ("302 Found", set_of(&issuer)),
        ("200 OK", "<html>".to_owned()),
        ("200 OK", "{}".to_owned()),
    ] {
        let server = JwksServer::start(status, body);
        let scene = server.scene();
        for _ in 0..3 {
            refused(scene.ask(&issuer.token(&claims())), "Unavailable(IssuerKeys");
        }
        assert_eq!(server.asked(), 1, "{status}");
        // Rejecting what is not a token needs no keys.
        refused(scene.ask("garbage"), "no JWT");
        *server.answer.lock().unwrap() = ("200 OK".to_owned(), set_of(&issuer));
    }
    let nowhere = Scene::with(|_| AccessSettings {
        jwks_url: Some("http://127.0.0.1:9/".to_owned()),
        ..settings()
    });
    refused(nowhere.ask(&issuer.token(&claims())), "Unavailable(IssuerKeys");
}

#[test]
fn without_authentication_everybody_on_this_machine_is_let_in_and_nobody_else() {
    let scene = Scene::open();
    assert!(scene.access.is_open());
    assert!(scene.ask("whatever").is_ok());
    for (address, fine) in [
        ("127.0.0.1:0", true),
        ("[::1]:80", true),
        ("[::ffff:127.0.0.1]:80", true),
        ("0.0.0.0:80", false),
        ("[::]:80", false),
        ("192.0.2.1:80", false),
    ] {
        assert_eq!(scene.access.may_listen(address.parse().unwrap()).is_ok(), fine, "{address}");
    }
    for (host, fine) in [
        ("localhost", true),
        ("LOCALHOST:8080", true),
        ("127.0.0.1:80", true),
        ("[::1]:80", true),
        ("[::1]", true),
    ]
    .into_iter()
    .chain(
        [
            "",
            "example.com",
            "localhost.example.com:80",
            "192.0.2.1",
            "[2001:db8::1]:80",
            "[::1",
            "127.0.0.1:80@example.com",
        ]
        .map(|host| (host, false)),
    ) {
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        assert_eq!(scene.ask_with(&headers, now()).is_ok(), fine, "{host}");
    }
    for (origin, fine) in [
        ("http://localhost:3000", true),
        ("http://127.0.0.1", true),
        ("http://[::1]:80", true),
        ("https://example.com", false),
        ("http://localhost.example.com", false),
        ("null", false),
        ("", false),
    ] {
        let headers = HeaderMap::from_iter([
            (HOST, "127.0.0.1".parse().unwrap()),
            (ORIGIN, origin.parse().unwrap()),
        ]);
        assert_eq!(scene.ask_with(&headers, now()).is_ok(), fine, "{origin}");
    }
    let with = |name: &'static str, value: &'static str| {
        let headers = HeaderMap::from_iter([
            (HOST, HeaderValue::from_static("127.0.0.1")),
            (HeaderName::from_static(name), HeaderValue::from_static(value)),
        ]);
        scene.ask_with(&headers, now()).is_ok()
    };
    for name in super::FORWARDING_HEADERS {
        assert!(!with(name, "127.0.0.1"), "{name}");
    }
    for (value, fine) in
        [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)]
    {
        assert_eq!(with("sec-fetch-site", value), fine, "{value}");
    }
}

#[test]
fn the_first_key_closes_the_door_for_good() {
    let scene = Scene::open();
    let (_, text) = scene.keys().create("first", vec![Scope::Admin], now(), None).unwrap();
    assert!(scene.ask(&text).is_ok());
    refused(scene.ask("whatever"), "only API keys");
    assert!(scene.access.may_listen("192.0.2.1:80".parse().unwrap()).is_ok());
    std::fs::remove_file(scene.keys_path()).unwrap();
    assert!(!scene.access.is_open());
    refused(scene.ask(&text), "unknown, revoked or expired");
}

#[test]
fn keys_open_until_they_are_revoked_or_expire_and_nothing_like_them_does() {
    let scene = Scene::open();
    let (key, text) =
        scene.keys().create("deploy", vec![Scope::Operator], now(), Some(later(60))).unwrap();
    assert_eq!((text.len(), &text[..4]), (4 + 64, "rbk_"));
    assert_eq!(scene.ask(&text).unwrap().name(), "key deploy");
    assert!(scene.ask_at(&text, later(59)).is_ok());
    refused(scene.ask_at(&text, later(60)), "expired");
    for wrong in [
        &text[..67],
        &format!("{text}0"),
        &text.to_uppercase().replacen("RBK", "rbk", 1),
        "rbk_",
        &format!("rbk_{}", "0".repeat(64)),
    ] {
        refused(scene.ask(wrong), "unknown, revoked or expired");
    }
    let revoked = scene.keys().revoke(&key.id, later(1)).unwrap();
    assert_eq!(revoked.revoked_at, Some(later(1)));
    refused(scene.ask(&text), "revoked");
    assert_eq!(scene.keys().revoke(&key.id, later(9)).unwrap().revoked_at, Some(later(1)));
}

#[test]
fn a_key_is_stored_as_its_hash_in_a_file_that_is_its_owners_alone() {
    let scene = Scene::open();
    let (_, text) = scene
        .keys()
        .create("one", vec![Scope::Coach("c".to_owned()), Scope::Metrics], now(), None)
        .unwrap();
    let stored = std::fs::read_to_string(scene.keys_path()).unwrap();
    assert!(!stored.contains(&text[4..]), "{stored}");
    assert_eq!(std::fs::metadata(scene.keys_path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(
        scene.keys().create("one", vec![Scope::Admin], now(), None),
        Err(AccessError::NameTaken(_))
    ));
    scene.keys().revoke("one", now()).unwrap();
    assert!(matches!(scene.keys().revoke("one", now()), Err(AccessError::UnknownKey(_))));
    assert!(scene.keys().create("one", vec![Scope::Admin], now(), None).is_ok());
    assert_eq!(list_keys(scene.directory.path()).unwrap().len(), 2);
}

#[test]
fn a_file_of_keys_has_the_golden_bytes_and_its_keys_open() {
    let golden = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    let scene = Scene::open();
    std::fs::write(scene.keys_path(), golden("api-keys-v1.json")).unwrap();
    std::fs::set_permissions(scene.keys_path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = |letter: &str| format!("rbk_{}", letter.repeat(64));
    assert_eq!(scene.ask(&text("a")).unwrap().name(), "key kiosk");
    assert_eq!(scene.ask(&text("b")).unwrap().name(), "key prometheus");
    refused(scene.ask(&text("c")), "revoked");
    scene.keys().revoke("kiosk", now()).unwrap();
    assert_eq!(
        std::fs::read_to_string(scene.keys_path()).unwrap(),
        golden("api-keys-v1-revoked.json")
    );
    refused(scene.ask(&text("a")), "revoked");
}

#[test]
fn a_damaged_file_of_keys_is_named_and_opens_nothing() {
    let scene = Scene::open();
    let (_, text) = scene.keys().create("one", vec![Scope::Admin], now(), None).unwrap();
    let sound = std::fs::read_to_string(scene.keys_path()).unwrap();
    let twice = sound.replacen("\"keys\": [", &format!("\"keys\": [{},", first_key(&sound)), 1);
    let damages = [
        sound[..sound.len() / 2].to_owned(),
        String::new(),
        "[]".to_owned(),
        sound.replace("\"admin\"", "\"root\""),
        sound.replace("\"expires_at\"", "\"expires\""),
        sound.replace("\"one\"", "\"onf\""),
        sound.replace("\"sha256\": \"", "\"sha256\": \"0"),
        sound.replace("\"rollbook_api_keys\": 1", "\"rollbook_api_keys\": 0"),
        sound.replace("\"rollbook_api_keys\": 1", "\"rollbook_api_keys\": 2"),
        twice,
    ];
    for damaged in damages {
        std::fs::write(scene.keys_path(), &damaged).unwrap();
        refused(scene.ask(&text), "Unavailable(");
        let error = Access::new(&AccessSettings::default(), scene.directory.path())
            .unwrap_err()
            .to_string();
        assert!(error.contains("api-keys.json"), "{error}");
        assert!(KeyFile::open(scene.directory.path()).is_err(), "{damaged}");
    }
    std::fs::write(scene.keys_path(), &sound).unwrap();
    std::fs::set_permissions(scene.keys_path(), std::fs::Permissions::from_mode(0o620)).unwrap();
    refused(scene.ask(&text), "others may write it");
    std::fs::set_permissions(scene.keys_path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(scene.ask(&text).is_ok());
}

#[test]
fn there_is_exactly_one_bearer() {
    let issuer = Issuer::elliptic("e");
    let scene = Scene::of(&json!([issuer.jwk()]));
    let token = issuer.token(&claims());
    let of = |values: &[String]| {
        HeaderMap::from_iter(values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())))
    };
    for fine in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")]
    {
        assert!(scene.ask_with(&of(&[fine]), now()).is_ok());
    }
    let twice = vec![format!("Bearer {token}"); 2];
    let mut headers = HeaderMap::new();
    twice.iter().for_each(|value| {
        assert!(value.parse().map(|value| headers.append(AUTHORIZATION, value)).is_ok())
    });
    assert!(scene.ask_with(&headers, now()).is_err());
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        &token,
        &format!("Bearer{token}"),
        &format!("Bearer {token} {token}"),
    ] {
        assert!(scene.ask_with(&of(&[wrong.to_owned()]), now()).is_err(), "{wrong}");
    }
    assert!(scene.ask_with(&HeaderMap::new(), now()).is_err());
}

/// The set with this one key.
fn set_of(issuer: &Issuer) -> String {
    json!({"keys": [issuer.jwk()]}).to_string()
}

fn first_key(text: &str) -> String {
    let keys: Value = serde_json::from_str(text).unwrap();
    keys["keys"][0].to_string()
}

/// Base64 for URLs, without padding.
fn base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let number = (0..3).fold(0_u32, |number, place| {
            number << 8 | u32::from(chunk.get(place).copied().unwrap_or(0))
        });
        (0..=chunk.len()).for_each(|digit| {
            out.push(char::from(DIGITS[(number >> (18 - 6 * digit)) as usize & 63]))
        });
    }
    out
}
