//! Tests that clients, coaches and forms can be put, and that allocation knows them at once.

use rollbook_domain::limits::{ID_BYTES, TITLE_BYTES};
use rollbook_domain::{Actor, JsonText};

use super::{allocation, request, sample};
use crate::operations::{AllocationRequest, Person, PutRequest, allocate, put};
use crate::store::{Outcome, Store, StoreError};

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn document(kind: Person, id: &str, body: &str) -> PutRequest {
    let document = Some(json(body));
    PutRequest { kind, id: id.to_owned(), document, fields: Vec::new(), defaults: Vec::new() }
}

fn done(store: &Store, wanted: &PutRequest) -> (Outcome, String) {
    let done = put(&store.reading(), wanted, &request(None)).unwrap();
    (done.outcome, done.document.as_str().to_owned())
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
        document(Person::Client, "cleo", r#"{"coachId":"other"}"#),
        document(Person::Coach, "lee", r#"{"profile":{"firstName":"Lee"}}"#),
        document(Person::Form, "sleep", r#"{"title":"Sleep"}"#),
    ];
    for wanted_put in &puts {
        allocate(&store.reading(), &wanted, &request(None)).unwrap_err();
        done(store, wanted_put);
    }
    allocate(&store.reading(), &wanted, &request(None)).unwrap();
    assert_eq!(store.reading().form_title("sleep").unwrap(), "Sleep");
}

#[test]
fn the_same_document_again_writes_nothing_and_fields_keep_the_others() {
    let sample = sample();
    let store = &sample.store;
    let first = document(Person::Coach, "lee", r#"{"rate":1.10,"profile":{"firstName":"Lee"}}"#);
    assert_eq!(done(store, &first).0.events().len(), 1);
    let head = store.log().head();
    assert!(matches!(done(store, &first).0, Outcome::Nothing));
    assert_eq!(store.log().head(), head);
    let fields = vec![("profile.lastName", json(r#""Moss""#))];
    let defaults = vec![("rate", json("7"))];
    let change = PutRequest { document: None, fields, defaults, ..first };
    let (_, body) = done(store, &change);
    assert_eq!(json(&body), json(r#"{"rate":1.10,"profile":{"firstName":"Lee","lastName":"Moss"}}"#));
    let recorded = store.log().at(store.log().head()).unwrap().unwrap();
    assert_eq!(recorded.actor, Actor::Admin("test".to_owned()));
}

#[test]
fn what_cannot_be_stored_is_refused_and_writes_nothing() {
    let sample = sample();
    let store = &sample.store;
    let head = store.log().head();
    let long = json(&format!("{:?}", "x".repeat(TITLE_BYTES + 1)));
    let named = PutRequest {
        fields: vec![("title", long)],
        ..document(Person::Form, "f", "{}")
    };
    let refused = [
        document(Person::Client, "", "{}"),
        document(Person::Client, "a\nb", "{}"),
        document(Person::Client, &"x".repeat(ID_BYTES + 1), "{}"),
        document(Person::Client, "cleo", "[]"),
        named,
    ];
    for wanted in &refused {
        let error = put(&store.reading(), wanted, &request(None)).unwrap_err();
        let is_refusal = matches!(error, StoreError::UnfitDocument(_) | StoreError::Refused(_));
        assert!(is_refusal, "{wanted:?}: {error}");
    }
    assert_eq!(store.log().head(), head);
}
