//! `rollbook client|coach|form put`: what is put can be allocated at once, and stays through imports,
//! exports and dumps until its client is erased.

use testkit::Store;

const AT: &str = "2026-02-25T12:00:00Z";

/// Puts a coach, a form and a client, and allocates the form.
fn put_and_assign(store: &Store) {
    store.ok(&["coach", "put", "lee", "--first-name", "Lee", "--at", AT]);
    store.ok(&["form", "put", "sleep", "--title", "Sleep diary", "--at", AT]);
    store.ok(&["client", "put", "cleo", "--email", "cleo@example.com", "--coach", "lee", "--at", AT]);
    store.ok(&[
        "assign", "--client", "cleo", "--form", "sleep", "--coach", "lee", "--first-due",
        "2026-03-02", "--at", AT,
    ]);
}

#[test]
fn what_was_put_is_allocated_at_once_and_survives_an_import_without_it() {
    for store in [Store::none(), Store::imported("clean")] {
        put_and_assign(&store);
        for view in ["legacy", "precreated"] {
            let weeks = store.check_ins(view, "cleo", "2026-03-02T10:00:00Z");
            assert!(!weeks.is_empty(), "{view}");
            assert!(weeks[0].to_string().contains("Sleep diary"), "{}", weeks[0]);
        }
        let before = store.files();
        let again = store.json(&["coach", "put", "lee", "--first-name", "Lee"]);
        assert!(again["position"].is_null(), "{again}");
        assert_eq!(store.files(), before);
    }
    let store = Store::imported("clean");
    put_and_assign(&store);
    let fixture = testkit::fixture("clean").join("export");
    let imported =
        store.json(&["import", fixture.to_str().unwrap(), "--legacy-timezone", "Europe/London"]);
    for collection in ["clients", "coaches", "forms"] {
        assert_eq!(imported["collections"][collection]["removed"], 0, "{imported}");
    }
    let exported = store.beside("exported");
    store.ok(&["export", exported.to_str().unwrap()]);
    let clients = std::fs::read_to_string(exported.join("clients.json")).unwrap();
    assert!(clients.contains("cleo@example.com"));
}

#[test]
fn an_erased_client_cannot_be_put_again() {
    let store = Store::imported("clean");
    put_and_assign(&store);
    store.ok(&["erase", "--client", "cleo", "--reason", "asked", "--yes"]);
    let error = store.fails(3, &["client", "put", "cleo", "--email", "cleo@example.com"]);
    assert!(error.contains("erased"), "{error}");
}
