//! `rollbook dump` and `load`: a loaded store dumps the same bytes; a load that fails leaves no
//! store.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use testkit::{FIXTURES, Store, kill_after, lines, run};

use super::backups::lists;

const FORMS: [&str; 2] = ["--clear", "--sealed"];

fn dump(store: &Store, name: &str, form: &str) -> (PathBuf, String) {
    let file = store.beside(name);
    store.ok(&["dump", form, file.to_str().unwrap()]);
    let text = std::fs::read_to_string(&file).unwrap();
    (file, text)
}

/// A store that has lived: imported, answered, switched, under keys and without.
fn lived(fixture: &str) -> Store {
    let store = Store::imported(fixture);
    store.ok(&[
        "assign",
        "--client",
        "c",
        "--form",
        "f",
        "--coach",
        "k",
        "--allow-unknown",
        "--weeks",
        "3",
        "--key",
        "assigned",
    ]);
    store.ok(&[
        "respond",
        "series/c/f",
        "--week",
        "1",
        "--answers",
        r#"[{"answer":"a \"quoted\" ü 😀\n line","score":1.50}]"#,
    ]);
    store.ok(&["pause", "series/c/f", "--weeks", "2"]);
    crate::opened::validated(&store, true);
    store.ok(&["switch", "precreated", "--percent", "30", "--reason", "a third"]);
    store
}

/// A place for a copy of a store; its master key is laid there for a sealed dump.
fn place_for_copy(store: &Store, form: &str) -> Store {
    let copy = Store::none();
    if form == "--sealed" {
        std::fs::copy(store.beside("store.master-key"), copy.beside("store.master-key")).unwrap();
    }
    copy
}

#[test]
fn what_is_loaded_dumps_the_same_answers_the_same_and_remembers_its_keys() {
    for (fixture, form) in
        FIXTURES.iter().flat_map(|(fixture, _)| FORMS.map(|form| (*fixture, form)))
    {
        let store = lived(fixture);
        let (file, text) = dump(&store, "dump.ndjson", form);
        let copy = place_for_copy(&store, form);
        let loaded = copy.json(&["load", file.to_str().unwrap()]);
        let (_, again) = dump(&copy, "again.ndjson", form);
        assert!(text == again, "{fixture} {form}: the dump of the loaded store is another one");
        let events = lines(&text);
        assert_eq!(loaded["header"], events[0]);
        assert_eq!(loaded["trailer"], *events.last().unwrap());
        assert_eq!(events.len() as u64, loaded["header"]["head"].as_u64().unwrap() + 2);
        assert_eq!(events[0]["root"].is_string(), form == "--sealed");
        let status = |store: &Store| {
            ["store_id", "head", "switch", "weeks", "events"]
                .map(|field| store.json(&["status"])[field].clone())
        };
        assert_eq!(status(&copy), status(&store), "{fixture} {form}");
        assert_eq!(lists(&copy), lists(&store), "{fixture} {form}");
        copy.ok(&["verify"]);
        // The same request under the same key is done already, here too.
        let assign = [
            "assign",
            "--client",
            "c",
            "--form",
            "f",
            "--coach",
            "k",
            "--allow-unknown",
            "--weeks",
            "3",
            "--key",
            "assigned",
        ];
        assert_eq!(copy.json(&assign)["repeated"], json!(true), "{fixture} {form}");
    }
}

#[test]
fn a_sealed_store_asks_for_a_choice_and_a_sealed_dump_tells_nothing_without_its_master_key() {
    let store = lived("clean");
    let error = store.fails(2, &["dump"]);
    assert!(error.contains("--sealed") && error.contains("--clear"), "{error}");
    let (file, sealed) = dump(&store, "sealed.ndjson", "--sealed");
    let (_, clear) = dump(&store, "clear.ndjson", "--clear");
    // An answer, an e-mail address, a name's field.
    for personal in ["quoted", "@example.com", "onboardingStatus"] {
        assert!(clear.contains(personal) && !sealed.contains(personal), "{personal}");
    }
    let none = Store::none();
    let file = file.to_str().unwrap();
    let error = none.fails(1, &["load", file]);
    assert!(error.contains("there is no master key"), "{error}");
    let other = Store::imported("clean");
    let key = other.beside("store.master-key").display().to_string();
    let error = none.fails(1, &["--master-key", &key, "load", file]);
    assert!(error.contains("does not open the keyring"), "{error}");
    assert_eq!(std::fs::read_dir(none.around()).unwrap().count(), 0);
    let key = store.beside("store.master-key").display().to_string();
    none.ok(&["--master-key", &key, "load", file]);
    assert_eq!(none.ok(&["--master-key", &key, "dump", "--sealed"]), sealed);
    assert!(!none.beside("store.master-key").exists());
}

#[test]
fn a_clear_dump_makes_a_sealed_store_with_a_key_of_its_own_or_by_choice_an_unsealed_one() {
    let store = lived("clean");
    let (file, clear) = dump(&store, "clear.ndjson", "--clear");
    let file = file.to_str().unwrap();
    let sealed = Store::none();
    let ran = sealed.run(&["load", file]);
    assert!(ran.code == 0 && ran.stderr.contains("made the master key"), "{ran:?}");
    let key = |store: &Store| std::fs::read(store.beside("store.master-key")).unwrap();
    assert_ne!(key(&sealed), key(&store));
    let unsealed = Store::none();
    unsealed.ok(&["load", file, "--unsealed"]);
    assert!(!unsealed.beside("store.master-key").exists());
    for copy in [&sealed, &unsealed] {
        assert_eq!(copy.ok(&["dump", "--clear"]), clear);
    }
    assert_eq!(unsealed.ok(&["dump"]), clear);
    let error = unsealed.fails(2, &["dump", "--sealed"]);
    assert!(error.contains("was made unsealed"), "{error}");
}

#[test]
fn it_goes_through_pipes() {
    let store = Store::imported("clean");
    let text = store.ok(&["dump", "--clear"]);
    assert_eq!(store.ok(&["dump", "--clear", "-"]), text);
    let copy = Store::none();
    let file = copy.beside("dump.ndjson");
    std::fs::write(&file, &text).unwrap();
    let mut load = copy.command(&["load", "-", "--json"]);
    let ran = run(load.stdin(std::fs::File::open(&file).unwrap()));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(copy.ok(&["dump", "--clear"]), text);
}

/// Loads bytes as a dump; it must fail, name a line, and leave nothing.
fn is_refused(target: &Store, bytes: &[u8], about: &str) {
    let file = target.beside("dump.ndjson");
    std::fs::write(&file, bytes).unwrap();
    let error = target.fails(1, &["load", file.to_str().unwrap()]);
    assert!(error.contains("dump.ndjson, line "), "{about}: {error}");
    assert!(!target.path().exists(), "{about}");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(std::fs::read_dir(target.around()).unwrap().count(), 0, "{about} left something");
}

#[test]
fn a_dump_that_is_cut_short_or_edited_is_refused_and_leaves_no_store() {
    let store = Store::imported("clean");
    let text = store.ok(&["dump", "--clear"]);
    let bytes = text.as_bytes();
    let sealed = store.ok(&["dump", "--sealed"]);
    let none = Store::none();
    // Cut at thirty places, some of them at the end of a line.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let cuts = (0..20).map(|part| bytes.len() * part / 20).chain([
        ends[0],
        ends[1],
        ends[100],
        ends[ends.len() - 2],
        bytes.len() - 1,
    ]);
    for cut in cuts {
        is_refused(&none, &bytes[..cut], &format!("cut at {cut}"));
    }
    for part in 0..60 {
        let at = (bytes.len() - 1) * part / 59;
        let mut edited = bytes.to_vec();
        edited[at] ^= 1;
        is_refused(&none, &edited, &format!("byte {at} edited"));
    }
    let kept = place_for_copy(&store, "--sealed");
    let key = kept.beside("store.master-key").display().to_string();
    for part in 0..20 {
        let at = (sealed.len() - 1) * part / 19;
        let mut edited = sealed.clone().into_bytes();
        edited[at] ^= 1;
        std::fs::write(none.beside("dump.ndjson"), edited).unwrap();
        none.fails(
            1,
            &["--master-key", &key, "load", none.beside("dump.ndjson").to_str().unwrap()],
        );
        std::fs::remove_file(none.beside("dump.ndjson")).unwrap();
        assert_eq!(
            std::fs::read_dir(none.around()).unwrap().count(),
            0,
            "byte {at} of a sealed dump edited"
        );
    }
    let whole: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut without = whole.clone();
    without.remove(50);
    let mut swapped = whole.clone();
    swapped.swap(50, 51);
    let mut twice = whole.clone();
    twice.insert(50, whole[50]);
    for (about, lines) in
        [("a line gone", without), ("two lines swapped", swapped), ("a line twice", twice)]
    {
        is_refused(&none, joined(&lines).as_bytes(), about);
    }
    is_refused(&none, format!("{text}{}\n", whole[1]).as_bytes(), "something behind the end");
    is_refused(&none, b"not a dump\n", "something else");
}

#[test]
fn a_forged_history_with_a_right_digest_is_refused_where_it_does_not_fit() {
    use sha2::{Digest, Sha256};
    let store = Store::imported("clean");
    let text = store.ok(&["dump", "--clear"]);
    let body: Vec<&str> = text.lines().collect();
    let sealed = |lines: &[String]| {
        let content: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let digest: String =
            Sha256::digest(content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut end: serde_json::Value = serde_json::from_str(body.last().unwrap()).unwrap();
        end["sha256"] = json!(digest);
        // Its fields in their order: the last line is known by how it begins.
        format!(
            "{content}{{\"rollbook_dump_end\":1,\"events\":{},\"commits\":{},\"sha256\":\"{digest}\"}}\n",
            end["events"], end["commits"]
        )
    };
    let events: Vec<String> =
        body[..body.len() - 1].iter().map(|line| (*line).to_owned()).collect();
    let none = Store::none();
    let mut version = events.clone();
    version[3] = version[3].replacen("\"version\":1,", "\"version\":2,", 1);
    assert_ne!(version, events);
    let mut id = events.clone();
    let first: serde_json::Value = serde_json::from_str(&events[1]).unwrap();
    let second: serde_json::Value = serde_json::from_str(&events[2]).unwrap();
    id[2] = id[2].replace(second["id"].as_str().unwrap(), first["id"].as_str().unwrap());
    for (about, lines) in [("a version that does not follow", version), ("an id twice", id)] {
        is_refused(&none, sealed(&lines).as_bytes(), about);
    }
}

#[test]
fn nothing_is_loaded_or_dumped_over_anything() {
    let store = Store::imported("clean");
    let (file, _) = dump(&store, "dump.ndjson", "--clear");
    let file = file.to_str().unwrap();
    let error = store.fails(3, &["load", file]);
    assert!(error.contains("already exists"), "{error}");
    let error = store.fails(3, &["dump", "--clear", file]);
    assert!(error.contains("exists already"), "{error}");
    let none = Store::none();
    let error = none.fails(1, &["load", "no-such-file"]);
    assert!(error.contains("cannot read no-such-file"), "{error}");
}

#[test]
fn a_load_that_is_killed_or_finds_the_disk_full_leaves_no_store() {
    let store = Store::imported("dirty");
    let (file, text) = dump(&store, "dump.ndjson", "--clear");
    let target = Store::none();
    for milliseconds in [1, 5, 10, 20, 40] {
        let load = ["load", file.to_str().unwrap()];
        kill_after(Duration::from_millis(milliseconds), &mut target.command(&load));
        if target.path().exists() {
            assert_eq!(target.ok(&["dump", "--clear"]), text);
            std::fs::remove_dir_all(target.path()).unwrap();
            std::fs::remove_file(target.beside("store.master-key")).unwrap();
        }
        // The key is there before the store is.
        let _unless_it_was_killed_before = std::fs::remove_file(target.beside("store.master-key"));
    }
    let ran = target.run_on_full_disk(16, &["load", file.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert_eq!(std::fs::read_dir(target.around()).unwrap().count(), 0);
    target.ok(&["load", file.to_str().unwrap()]);
    assert_eq!(target.ok(&["dump", "--clear"]), text);
}
