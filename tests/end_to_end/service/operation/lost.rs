//! The directory of a store is deleted while the service runs.

use testkit::{Store, eventually};

use super::running::{Running, answer_path, list_path};

#[test]
fn a_deleted_store_is_503_for_reads_and_writes_nothing_is_acknowledged_and_the_service_stays_up() {
    for written_before in [false, true] {
        let store = Store::imported("clean");
        let mut service = Running::new(&store, &[], &[]);
        assert_eq!(service.get(&list_path(), "").status, 200);
        if written_before {
            assert_eq!(service.post(&answer_path(), "", r#"{"responses": []}"#).status, 200);
        }
        // The service may be making a file there at that very moment.
        eventually("the directory is gone", || {
            (std::fs::remove_dir_all(store.path()).is_ok() || !store.path().exists()).then_some(())
        });
        let refused = service.post(&answer_path(), "", r#"{"responses": []}"#);
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(
            !refused.body.contains(store.path().to_str().unwrap()),
            "the path is nobody's business: {refused:?}"
        );
        let read = eventually("reads are refused", || {
            Some(service.get(&list_path(), "")).filter(|raw| raw.status == 503)
        });
        assert_eq!(
            (read.header("retry-after"), read.json()["success"].as_bool()),
            (Some("5"), Some(false))
        );
        let native = service.get("/v1/status", "");
        assert_eq!(
            (native.status, native.json()["code"].as_str()),
            (503, Some("store_lost")),
            "{native:?}"
        );
        assert_eq!(
            (service.get("/readyz", "").status, service.get("/healthz", "").status),
            (503, 200)
        );
        assert!(service.get("/metrics", "").body.contains("rollbook_store_available 0"));
        assert!(service.is_up() && !store.path().exists(), "something was made in its place");
        let messages = service.messages();
        assert!(
            messages.contains("the store is gone") && !messages.contains("panicked"),
            "{messages}"
        );
    }
}

#[test]
fn a_store_that_is_back_is_served_again() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    let away = store.path().with_file_name("away");
    std::fs::rename(store.path(), &away).unwrap();
    eventually("reads are refused", || (service.get(&list_path(), "").status == 503).then_some(()));
    std::fs::rename(&away, store.path()).unwrap();
    eventually("reads are answered", || {
        (service.get(&list_path(), "").status == 200).then_some(())
    });
    assert_eq!(service.post(&answer_path(), "", r#"{"responses": []}"#).status, 200);
}
