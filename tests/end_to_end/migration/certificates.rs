//! Migration certificates: those of staging and production name the same batch, are checked without
//! a store, and no byte of them can be changed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{ProcessOutput, Store, rollbook, run};

/// Checks certificates without any store.
fn check(files: &[&Path], more: &[&str]) -> ProcessOutput {
    run(rollbook().arg("check-certificate").args(files).args(more))
}

/// A store with the batch applied and validated, and its certificate.
fn certified(home: &Path, name: &str, batch: &Path) -> (Store, PathBuf) {
    let store = Store::imported_at(home.join(name), "tracker");
    if !batch.exists() {
        store.plan(batch);
    }
    store.apply(batch);
    assert_eq!(store.validate()["all_green"], json!(true));
    let file = home.join(format!("{name}.certificate.json"));
    store.ok(&["migrate", "certificate", "--out", file.to_str().unwrap()]);
    (store, file)
}

#[test]
fn staging_and_production_name_the_same_batch_and_are_believed_without_a_store() {
    let home = tempfile::tempdir().unwrap();
    let batch = home.path().join("batch.ndjson");
    let (staging, staging_file) = certified(home.path(), "staging", &batch);
    let (prod, prod_file) = certified(home.path(), "prod", &batch);
    let key = prod.ok(&["checkpoint", "--public-key"]);
    let digest = staging.json(&["migrate", "show", batch.to_str().unwrap()])["digest"].clone();
    for store in [staging, prod] {
        fs::remove_dir_all(store.path()).unwrap();
    }
    let both = check(&[&staging_file, &prod_file], &["--json"]);
    assert!(both.code == 0, "{both:?}");
    let both: Value = serde_json::from_str(&both.stdout).unwrap();
    assert_eq!((&both[0]["batch"]["digest"], &both[1]["batch"]["digest"]), (&digest, &digest));
    assert_eq!(
        (both[0]["checks"].as_array().unwrap().len(), &both[0]["key_trusted"]),
        (13, &json!(false))
    );
    assert_ne!(both[0]["origin"], both[1]["origin"]);
    assert!(check(&[&prod_file], &["--key", key.trim_end()]).code == 0);
    assert_eq!(check(&[&staging_file], &["--key", key.trim_end()]).code, 3);
}

#[test]
fn every_changed_byte_of_a_certificate_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (_, file) = certified(home.path(), "store", &home.path().join("batch.ndjson"));
    let text = fs::read(&file).unwrap();
    assert!(
        rollbook_migrations::certificate::Certificate::read(std::str::from_utf8(&text).unwrap())
            .unwrap()
            .check(None)
            .is_ok()
    );
    let believed = |bytes: &[u8]| {
        let certificate = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| rollbook_migrations::certificate::Certificate::read(text).ok());
        certificate.is_some_and(|certificate| certificate.check(None).is_ok())
    };
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut forged = text.clone();
            forged[at] ^= 1 << bit;
            assert!(!believed(&forged), "byte {at}, bit {bit}");
        }
        let mut without = text.clone();
        without.remove(at);
        assert!(!believed(&without), "without byte {at}");
    }
    // Also by the command.
    let mut forged = text.clone();
    let middle = forged.len() / 2;
    forged[middle] ^= 1;
    fs::write(&file, forged).unwrap();
    let refused = check(&[&file], &[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("store.certificate.json is refused"), "{refused:?}");
}

#[test]
fn parts_of_two_certificates_do_not_make_one() {
    let home = tempfile::tempdir().unwrap();
    let batch = home.path().join("batch.ndjson");
    let (_, one) = certified(home.path(), "one", &batch);
    let (_, other) = certified(home.path(), "other", &batch);
    let read = |file: &Path| -> Value { serde_json::from_slice(&fs::read(file).unwrap()).unwrap() };
    let (one, other) = (read(&one), read(&other));
    for part in ["key", "before", "after", "consistency", "planned", "applied", "validated"] {
        let mut mixed = one.clone();
        mixed[part] = other[part].clone();
        let mixed: rollbook_migrations::certificate::Certificate =
            serde_json::from_value(mixed).unwrap();
        assert!(mixed.check(None).is_err(), "{part}");
    }
    // What a person reads must be what the events say.
    for (part, value) in [
        ("/batch/digest", json!("00")),
        ("/batch/created", json!(1)),
        ("/checks/3/detail", json!("all well")),
    ] {
        let mut edited = one.clone();
        *edited.pointer_mut(part).unwrap() = value;
        let edited: rollbook_migrations::certificate::Certificate =
            serde_json::from_value(edited).unwrap();
        assert!(edited.check(None).is_err(), "{part}");
    }
}

#[test]
fn what_was_not_applied_or_not_validated_is_not_certified() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let batch = home.path().join("batch.ndjson");
    let refused = store.fails(3, &["migrate", "certificate"]);
    assert!(refused.contains("rollbook migrate apply"), "{refused}");
    store.plan(&batch);
    store.apply(&batch);
    let refused = store.fails(3, &["migrate", "certificate"]);
    assert!(refused.contains("rollbook migrate validate"), "{refused}");
    store.validate();
    store.ok(&["migrate", "certificate"]);
    let refused = store.fails(3, &["migrate", "certificate", "--batch", "00"]);
    assert!(refused.contains("no such batch"), "{refused}");
}
