//! Tests of puts: what they store and refuse, and that allocation knows it at once.

use rollbook_domain::limits::{DOCUMENT_BYTES, ID_BYTES, JSON_LEVELS};
use rollbook_domain::{Actor, Collection, Event, JsonText, StreamId};

use super::{allocation, request, sample};
use crate::code::{Code, Coded};
use crate::operations::erase::erase;
use crate::operations::{AllocationRequest, DocumentChange, DocumentKind, PutReport, PutRequest};
use crate::operations::{allocate, put};
use crate::reports::documents::document;
use crate::store::Store;

use DocumentChange::{Changed, Created, Unchanged};
use DocumentKind::{Client, Coach, Form};

fn whole(kind: DocumentKind, id: &str, body: &str) -> PutRequest {
    PutRequest { kind, id: id.to_owned(), document: JsonText::parse(body).unwrap(), merge: false }
}

fn merged(kind: DocumentKind, id: &str, body: &str) -> PutRequest {
    PutRequest { merge: true, ..whole(kind, id, body) }
}

fn done(store: &Store, wanted: &PutRequest) -> PutReport {
    put(&store.reading(), wanted, &request(None)).unwrap()
}

fn refused(store: &Store, wanted: &PutRequest) -> (Code, String) {
    let head = store.log().head();
    let error = put(&store.reading(), wanted, &request(None)).unwrap_err();
    assert_eq!(store.log().head(), head, "{wanted:?}");
    (error.code(), error.to_string())
}

#[test]
fn allocation_knows_at_once_what_was_put() {
    let sample = sample();
    let store = &sample.store;
    let wanted = AllocationRequest {
        client: "cleo".to_owned(),
        form: "sleep".to_owned(),
        ..allocation("lee")
    };
    let puts = [
        whole(Client, "cleo", r#"{"coachId":"other"}"#),
        whole(Coach, "lee", r#"{"profile":{"firstName":"Lee"}}"#),
        whole(Form, "sleep", r#"{"title":"Sleep"}"#),
    ];
    for wanted_put in &puts {
        allocate(&store.reading(), &wanted, &request(None)).unwrap_err();
        assert_eq!(done(store, wanted_put).change, Created);
    }
    allocate(&store.reading(), &wanted, &request(None)).unwrap();
    assert_eq!(store.reading().form_title("sleep").unwrap(), "Sleep");
}

#[test]
fn the_same_document_again_writes_nothing() {
    let sample = sample();
    let store = &sample.store;
    let first = whole(Coach, "lee", r#"{"rate":1.10,"profile":{"firstName":"Lee"}}"#);
    let created = done(store, &first);
    let head = store.log().head();
    assert_eq!((created.change, created.position), (Created, head));
    for again in [&first, &merged(Coach, "lee", r#"{"profile":{"firstName":"Lee"}}"#)] {
        let again = done(store, again);
        assert_eq!((again.change, again.position), (Unchanged, head));
        assert_eq!(again.document, created.document);
    }
    assert_eq!(store.log().head(), head);
    let recorded = store.log().at(head).unwrap().unwrap();
    assert_eq!(recorded.actor, Actor::Admin("test".to_owned()));
}

#[test]
fn a_merge_keeps_other_fields_and_their_digits_and_null_removes_one() {
    let sample = sample();
    let store = &sample.store;
    done(
        store,
        &whole(Coach, "lee", r#"{"a":1,"rate":1.10,"profile":{"firstName":"Lee","x":[1]}}"#),
    );
    let change = merged(Coach, "lee", r#"{"a":null,"profile":{"lastName":"Moss","x":{"y":null}}}"#);
    let changed = done(store, &change);
    assert_eq!(changed.change, Changed);
    let expected = r#"{"profile":{"firstName":"Lee","lastName":"Moss","x":{}},"rate":1.10}"#;
    assert_eq!(changed.document.as_str(), expected);
    let replaced = done(store, &whole(Coach, "lee", r#"{"b":2}"#));
    assert_eq!(replaced.document.as_str(), r#"{"b":2}"#);
    let shown = document(&store.reading(), Coach, "lee").unwrap();
    assert_eq!((shown.document, shown.position), (replaced.document, replaced.position));
}

#[test]
fn the_lists_of_a_new_client_are_open_and_those_of_others_stay_as_they_are() {
    let sample = sample();
    let store = &sample.store;
    let body = |wanted: &PutRequest| done(store, wanted).document.as_str().to_owned();
    let new = merged(Client, "cleo", r#"{"coachId":"kim"}"#);
    assert_eq!(body(&new), r#"{"canStartCheckIns":true,"coachId":"kim"}"#);
    let closed = merged(Client, "dora", r#"{"canStartCheckIns":false}"#);
    assert_eq!(body(&closed), r#"{"canStartCheckIns":false}"#);
    assert_eq!(body(&whole(Client, "emil", "{}")), "{}");
    let imported = body(&merged(Client, "ada", r#"{"email":"ada@example.com"}"#));
    assert!(!imported.contains("canStartCheckIns"), "{imported}");
}

#[test]
fn what_cannot_be_stored_is_refused_by_name() {
    let sample = sample();
    let store = &sample.store;
    let deep = format!("{}1{}", "[".repeat(JSON_LEVELS - 1), "]".repeat(JSON_LEVELS - 1));
    let at_limit = whole(Form, "deep", &format!("{{\"a\":{deep}}}"));
    assert_eq!(done(store, &at_limit).change, Created);
    // The parser of an edge refuses more levels; what a merge adds up to is refused here.
    let too_deep = PutRequest {
        document: JsonText::from_canonical(format!("{{\"a\":[{deep}]}}")),
        ..whole(Form, "deeper", "{}")
    };
    let long = whole(Form, "long", &format!("{{\"title\":\"{}\"}}", "x".repeat(DOCUMENT_BYTES)));
    let long_id = format!("{{\"authUid\":\"{}\"}}", "x".repeat(ID_BYTES + 1));
    let cases = [
        (whole(Client, "", "{}"), Code::UnfitDocument, "_id"),
        (whole(Client, "a\nb", "{}"), Code::UnfitDocument, "control character"),
        (whole(Client, "a\0b", "{}"), Code::UnfitDocument, "control character"),
        (whole(Client, &"x".repeat(ID_BYTES + 1), "{}"), Code::UnfitDocument, "1024"),
        (whole(Client, "cleo", &long_id), Code::UnfitDocument, "authUid"),
        (whole(Client, "cleo", "[]"), Code::UnfitDocument, "not a JSON object"),
        (whole(Client, "cleo", r#"{"_id":"dora"}"#), Code::UnfitDocument, "\"dora\""),
        (whole(Client, "cleo", r#"{"authUid":5}"#), Code::UnfitDocument, "authUid"),
        (merged(Client, "cleo", r#"{"canStartCheckIns":"yes"}"#), Code::UnfitDocument, "canStart"),
        (
            whole(Client, "cleo", r#"{"at":{"_seconds":1,"_nanoseconds":-1}}"#),
            Code::UnfitDocument,
            "/at",
        ),
        (too_deep, Code::TooDeep, "64"),
        (long, Code::TextTooLong, "1048576"),
    ];
    for (wanted, code, named) in &cases {
        let (found, text) = refused(store, wanted);
        assert_eq!(found, *code, "{text}");
        assert!(text.contains(named), "{text}");
    }
    let own_id = whole(Client, "cleo", r#"{"_id":"cleo"}"#);
    assert_eq!(done(store, &own_id).document.as_str(), "{}");
}

#[test]
fn a_merge_into_a_large_document_has_the_same_limit() {
    let sample = sample();
    let half = "x".repeat(DOCUMENT_BYTES / 2);
    done(&sample.store, &merged(Form, "long", &format!("{{\"a\":\"{half}\"}}")));
    let second = merged(Form, "long", &format!("{{\"b\":\"{half}\"}}"));
    assert_eq!(refused(&sample.store, &second).0, Code::TextTooLong);
    // The changes have a limit of their own: these would leave a small document.
    let gone = merged(Form, "long", &format!("{{\"{half}{half}\":null}}"));
    assert_eq!(refused(&sample.store, &gone).0, Code::TextTooLong);
}

#[test]
fn two_clients_cannot_have_one_identity() {
    let sample = sample();
    let store = &sample.store;
    done(store, &whole(Client, "cleo", r#"{"authUid":"u-cleo"}"#));
    for (id, body, identity, holder) in [
        ("dora", r#"{"authUid":"u-cleo"}"#, "\"u-cleo\"", "\"cleo\""),
        ("dora", r#"{"authUid":"ada"}"#, "\"ada\"", "\"ada\""),
        ("u-cleo", "{}", "\"u-cleo\"", "\"cleo\""),
    ] {
        let (code, text) = refused(store, &whole(Client, id, body));
        assert_eq!(code, Code::IdentityTaken, "{text}");
        assert!(text.contains(identity) && text.contains(holder), "{text}");
    }
    // Coaches and forms have names of their own, and the client keeps what the client has.
    done(store, &whole(Coach, "cleo", r#"{"authUid":"u-cleo"}"#));
    done(store, &merged(Client, "cleo", r#"{"email":"cleo@example.com"}"#));
    // A free one can be taken.
    done(store, &merged(Client, "cleo", r#"{"authUid":"u-other"}"#));
    done(store, &whole(Client, "dora", r#"{"authUid":"u-cleo"}"#));
}

#[test]
fn a_double_that_an_import_brought_does_not_prevent_other_changes() {
    let sample = sample();
    for id in ["eve", "fay"] {
        sample.document(
            StreamId::Client(id.to_owned()),
            Collection::Clients,
            &format!(r#"{{"_id":"{id}","authUid":"u-both"}}"#),
        );
    }
    for id in ["eve", "fay"] {
        let change = merged(Client, id, r#"{"email":"x@example.com"}"#);
        assert_eq!(done(&sample.store, &change).change, Changed, "{id}");
    }
}

#[test]
fn puts_at_once_give_an_identity_to_one_client() {
    let sample = sample();
    let store = &sample.store;
    for round in 0..20 {
        let given: usize = std::thread::scope(|scope| {
            let put_one = |number| {
                let body = format!(r#"{{"authUid":"u-{round}"}}"#);
                let wanted = whole(Client, &format!("c-{round}-{number}"), &body);
                put(&store.reading(), &wanted, &request(None)).is_ok()
            };
            let threads: Vec<_> =
                (0..4).map(|number| scope.spawn(move || put_one(number))).collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(given, 1, "round {round}");
    }
}

#[test]
fn a_key_is_bound_to_its_put() {
    let sample = sample();
    let store = &sample.store;
    let keyed = |wanted: &PutRequest| put(&store.reading(), wanted, &request(Some("k")));
    let first = keyed(&whole(Form, "sleep", r#"{"title":"Sleep"}"#)).unwrap();
    done(store, &whole(Form, "sleep", r#"{"title":"Rest"}"#));
    let head = store.log().head();
    let again = keyed(&whole(Form, "sleep", r#"{"title":"Sleep"}"#)).unwrap();
    assert_eq!((again.change, again.position), (Created, first.position));
    assert!(again.repeated && !first.repeated);
    assert_eq!(again.document, first.document);
    let other = keyed(&whole(Form, "sleep", r#"{"title":"Other"}"#)).unwrap_err();
    assert_eq!(other.code(), Code::KeyReused);
    assert_eq!(store.log().head(), head);
}

#[test]
fn an_erased_client_cannot_be_put_by_any_id() {
    let sample = sample();
    let store = &sample.store;
    done(store, &whole(Client, "cleo", r#"{"authUid":"u-cleo"}"#));
    let keyed = request(Some("k"));
    let change = merged(Client, "cleo", r#"{"email":"cleo@example.com"}"#);
    put(&store.reading(), &change, &keyed).unwrap();
    erase(store, "cleo", "asked for it", &request(None), &|_, _| {}).unwrap();
    for id in ["cleo", "u-cleo"] {
        assert_eq!(refused(store, &whole(Client, id, "{}")).0, Code::ClientErased, "{id}");
    }
    let repeated = put(&store.reading(), &change, &keyed).unwrap_err();
    assert_eq!(repeated.code(), Code::ClientErased);
    assert_eq!(document(&store.reading(), Client, "cleo").unwrap_err().code(), Code::ClientErased);
}

#[test]
fn a_put_is_one_event_of_the_import() {
    let sample = sample();
    let store = &sample.store;
    let created = done(store, &whole(Client, "cleo", "{}"));
    let changed = done(store, &whole(Client, "cleo", r#"{"a":1}"#));
    let event = |position| store.log().at(position).unwrap().unwrap().event;
    assert!(matches!(event(created.position), Event::DocumentImported(_)));
    assert!(matches!(event(changed.position), Event::DocumentChanged(_)));
    assert_eq!(store.log().head(), changed.position);
}
