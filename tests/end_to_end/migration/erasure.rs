//! One client of 26 is erased: no file holds a word of theirs, all other clients are unchanged,
//! every proof holds, and a restored backup forgets the client again. An erasure that was killed at
//! any moment needs one command to complete.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Store, files, fixture, kill_after, moment, random, run};

const ADA: &str = "XuDL7DxtpYlSXpfKtHF4vUCsMehG";
const ADA_UID: &str = "AkWvj7FAc9QeWJKY40uvSwMFLZDe";
const ADA_MAIL: &str = "ada.ash.0@example.com";
const BO: &str = "SQedUStPKR0CsTy4Qwb8DwkNhFdn";
const NOW: &str = "2026-02-20T10:00:00Z";

/// The tracker's export, in which Ada's answers and one note about her can be told from everybody
/// else's.
fn export(home: &Path) -> PathBuf {
    let to = home.join("export");
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(fixture("tracker").join("export")).unwrap() {
        let path = entry.unwrap().path();
        let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if path.ends_with("formResponses.json") {
            let of_ada = file["documents"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .filter(|document| document["clientId"] == ADA);
            for (number, document) in of_ada.enumerate() {
                document["responses"][0]["answer"] =
                    format!("ada wrote this long ago {number}").into();
            }
        }
        fs::write(to.join(path.file_name().unwrap()), file.to_string()).unwrap();
    }
    to
}

/// Words that must not be found.
const SECRETS: [&str; 5] = [
    "ada wrote this",
    "ada said this here",
    "ada is moving house",
    "ada did this very well",
    ADA_MAIL,
];

/// A store that was imported, migrated and answered, by Ada and by Bo.
fn lived(home: &Path) -> (Store, PathBuf) {
    let export = export(home);
    let store = Store::at(home.join("store"));
    store.ok(&["import", export.to_str().unwrap()]);
    let batch = home.join("batch.ndjson");
    store.plan(&batch);
    store.apply(&batch);
    let (ada, bo) = (series_of(&store, ADA), series_of(&store, BO));
    let answers =
        |said: &str| format!(r#"[{{"questionId":"q1","answer":"{said}","score":8,"weight":5}}]"#);
    store.ok(&[
        "respond",
        &ada,
        "--week",
        "7",
        "--answers",
        &answers("ada said this here"),
        "--at",
        NOW,
    ]);
    store.ok(&[
        "respond",
        &bo,
        "--week",
        "7",
        "--answers",
        &answers("bo said this here"),
        "--at",
        NOW,
    ]);
    let response = history(&store, &ada)
        .into_iter()
        .find(|event| event["event"]["type"] == "ResponseSubmitted")
        .unwrap();
    let response = response["event"]["data"]["response"].as_str().unwrap().to_owned();
    store.ok(&[
        "feedback",
        &response,
        "--coach",
        "h8oOOL8dKLzdocJ2isAjIhKtJ0Rl",
        "--text",
        "ada did this very well",
    ]);
    let validation = store.validate();
    assert_eq!(validation["all_green"], true, "{validation:#}");
    let week = store.all("precreated", NOW)[ADA]["data"]["checkins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|week| week["status"] == "pending")
        .cloned();
    store.ok(&[
        "extend",
        week.unwrap()["id"].as_str().unwrap(),
        "--reason",
        "ada is moving house this week",
        "--at",
        NOW,
    ]);
    (store, export)
}

fn history(store: &Store, id: &str) -> Vec<Value> {
    store
        .ok(&["history", id, "--json", "--with-answers"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn series_of(store: &Store, client: &str) -> String {
    let imported = history(store, &format!("client/{client}")).into_iter();
    let mut streams = imported.filter_map(|event| Some(event["stream"].as_str()?.to_owned()));
    streams.find(|stream| stream.starts_with("series/")).unwrap()
}

fn erase(store: &Store) -> Value {
    store.json(&["erase", "--client", ADA_UID, "--reason", "asked to be forgotten", "--yes"])
}

fn assert_nothing_is_left(directory: &Path) {
    let files = files(directory);
    assert!(files.len() > 5, "{} holds files", directory.display());
    for (path, bytes) in files {
        for secret in SECRETS {
            assert!(!holds(&bytes, secret), "{} holds {secret:?}", path.display());
        }
    }
    if directory.join("db").is_dir() {
        let entries = crate::opened::entries(&Store::at(directory));
        assert!(entries.len() > 100_000);
        SECRETS.iter().for_each(|secret| {
            assert!(
                !holds(&entries, secret),
                "an entry of {} holds {secret:?}",
                directory.display()
            )
        });
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Everybody's lists but Ada's, in both views.
fn of_the_rest(store: &Store) -> Vec<BTreeMap<String, Value>> {
    let views = ["legacy", "precreated"].into_iter().map(|view| store.all(view, NOW));
    views
        .map(|mut all| {
            assert_eq!(all.len(), 26);
            all.remove(ADA);
            all
        })
        .collect()
}

#[test]
fn an_erased_client_is_in_no_file_and_everybody_else_is_as_before() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = lived(home.path());
    let rest = of_the_rest(&store);
    assert!(
        history(&store, ADA).iter().any(|event| event.to_string().contains("ada said this here"))
    );
    store.fails(2, &["erase", "--client", ADA, "--reason", "asked"]);
    store.fails(1, &["erase", "--client", "nobody", "--reason", "asked", "--yes"]);
    let before = store.files();
    assert_eq!(store.json(&["status"])["sealing"]["erased"], 0);
    assert_eq!(store.files(), before, "a refused erasure leaves every byte as it was");

    let erased = erase(&store);
    assert_eq!((&erased["client"], &erased["already"]), (&json!(ADA), &json!(false)));
    assert_eq!(erased["ids"], json!([ADA, ADA_UID]));
    assert_nothing_is_left(&store.path());
    assert_eq!(erase(&store)["already"], true);

    assert_eq!(of_the_rest(&store), rest);
    for view in ["legacy", "precreated", "live"] {
        let body = store.json(&["view", view, "--client", ADA, "--at", NOW]);
        assert_eq!(body["data"]["checkins"], json!([]), "{view}");
        let lines = store.ok(&["view", view, "--all", "--at", NOW]);
        let marked: Vec<&str> =
            lines.lines().filter(|line| line.contains("\"erased\":true")).collect();
        assert!(matches!(marked[..], [line] if line.contains(ADA)), "{marked:?}");
        let then = store.json(&["view", view, "--client", ADA, "--at", NOW, "--as-of", "100"]);
        assert_eq!(then["data"]["checkins"], json!([]), "as of an earlier position too");
    }
    let validation = store.validate();
    assert_eq!(validation["all_green"], true, "{validation}");
    assert_eq!(validation["checks"].as_array().unwrap().len(), 13);
    store.ok(&["migrate", "parity"]);
    store.ok(&["verify"]);
    store.ok(&["rebuild", "--all"]);
    assert!(!store.ok(&["audit"]).contains(ADA));
    let status = store.json(&["status"]);
    assert_eq!(
        (&status["sealing"]["sealed"], &status["sealing"]["erased"]),
        (&json!(true), &json!(1)),
        "{status}"
    );
}

#[test]
fn history_and_export_show_the_person_as_erased_and_nothing_more_is_taken_of_them() {
    let home = tempfile::tempdir().unwrap();
    let (store, export) = lived(home.path());
    let told_before = history(&store, ADA).len();
    let position = erase(&store)["position"].as_u64().unwrap();

    for id in [ADA.to_owned(), ADA_UID.to_owned(), format!("client/{ADA}")] {
        let told = history(&store, &id);
        assert_eq!(told.len(), told_before + 1, "every event is told of, and the erasure");
        let last = told.last().unwrap();
        assert_eq!(
            (last["event"]["type"].as_str(), last["position"].as_u64()),
            (Some("ClientErased"), Some(position))
        );
        assert!(
            told[..told_before].iter().all(|event| event["event"]["type"] == "Erased"),
            "{told:?}"
        );
        let text = store.ok(&["history", &id, "--with-answers"]);
        assert!(text.contains("[erased]") && text.contains("asked to be forgotten"), "{text}");
    }

    let out = home.path().join("out");
    store.ok(&["export", out.to_str().unwrap()]);
    assert_nothing_is_left(&out);
    let documents = |directory: &Path, name: &str| -> Vec<Value> {
        let file: Value = serde_json::from_slice(&fs::read(directory.join(name)).unwrap()).unwrap();
        file["documents"].as_array().unwrap().clone()
    };
    let clients = documents(&out, "clients.json");
    let ada = clients.iter().find(|client| client["_id"] == ADA).unwrap();
    assert_eq!(
        (clients.len(), &ada["erased"], ada.as_object().unwrap().len()),
        (26, &json!(true), 3),
        "{ada}"
    );
    let is_hers = |document: &Value| document["clientId"] == ADA || document["_id"] == ADA;
    for name in ["clients.json", "coaches.json", "forms.json", "users.json", "formResponses.json"] {
        let (ours, theirs) = (documents(&out, name), documents(&export, name));
        let rest = |documents: Vec<Value>| {
            documents.into_iter().filter(|document| !is_hers(document)).collect::<Vec<_>>()
        };
        let (ours, theirs) = (rest(ours), rest(theirs));
        assert!(
            theirs.iter().all(|document| ours.contains(document)),
            "{name}: everybody else's documents are as they were"
        );
    }
    assert!(!documents(&out, "formResponses.json").iter().any(is_hers));

    let head = store.json(&["status"])["head"].clone();
    let imported = store.json(&["import", export.to_str().unwrap()]);
    assert_eq!(imported["appended"], 0, "{imported}");
    assert_eq!(imported["collections"]["clients"]["erased"], 1);
    assert_eq!(imported["collections"]["formResponses"]["erased"], 4);
    assert_eq!(
        store.json(&["import", out.to_str().unwrap()])["collections"]["clients"]["erased"],
        1
    );
    let series = history(&store, ADA).iter().find_map(|event| {
        event["stream"].as_str().filter(|name| name.starts_with("series/")).map(str::to_owned)
    });
    for refused in [
        vec!["respond", series.as_deref().unwrap(), "--week", "8"],
        vec![
            "assign",
            "--client",
            ADA,
            "--form",
            "f",
            "--coach",
            "k",
            "--allow-unknown",
            "--weeks",
            "2",
        ],
        vec!["pause", series.as_deref().unwrap(), "--weeks", "1"],
    ] {
        let said = store.fails(3, &refused);
        assert!(said.contains("was erased"), "{refused:?}: {said}");
    }
    store.ok(&["respond", &series_of(&store, BO), "--week", "8", "--at", NOW]);
    assert!(store.json(&["status"])["head"].as_u64() > head.as_u64());
}

#[test]
fn proofs_from_before_and_after_hold_and_a_restored_backup_forgets_again() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = lived(home.path());
    let rest = of_the_rest(&store);
    let of_ada = history(&store, ADA)[0]["position"].to_string();
    let (proof, again, grown) =
        (home.path().join("before"), home.path().join("after"), home.path().join("grown"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    store.ok(&["prove", "event", &of_ada, "--out", &text(&proof)]);
    store.ok(&["backup", "create", "--name", "old"]);
    let head = store.json(&["status"])["head"].to_string();
    erase(&store);
    store.ok(&["prove", "event", &of_ada, "--out", &text(&again)]);
    let now = store.json(&["status"])["head"].to_string();
    store.ok(&["prove", "consistency", "--from", &head, "--to", &now, "--out", &text(&grown)]);
    let leaf = |path: &Path| store.json(&["check-proof", &text(path)]);
    let (before, after) = (leaf(&proof), leaf(&again));
    assert_eq!(before["leaf"], after["leaf"], "the leaf is the same: {before} {after}");
    store.ok(&["check-proof", &text(&grown)]);

    store.ok(&["backup", "create", "--name", "new"]);
    let backups = store.beside("store-backups");
    assert_nothing_is_left(&backups.join("new"));
    store.ok(&["backup", "verify", "new"]);
    // The old one still verifies: it is what it was.
    store.ok(&["backup", "verify", "old"]);
    for (name, forgotten) in [("old", 1), ("new", 0)] {
        let restored = Store::at(home.path().join(format!("restored-{name}")));
        let report =
            restored.json(&["backup", "restore", name, "--from", backups.to_str().unwrap()]);
        assert_eq!(report["forgotten_again"], forgotten, "{report}");
        assert_nothing_is_left(&restored.path());
        assert_eq!(
            restored.json(&["view", "legacy", "--client", ADA, "--at", NOW])["data"]["checkins"],
            json!([])
        );
        assert_eq!(of_the_rest(&restored), rest);
        assert!(
            restored
                .fails(
                    3,
                    &[
                        "assign",
                        "--client",
                        ADA,
                        "--form",
                        "f",
                        "--coach",
                        "k",
                        "--allow-unknown",
                        "--weeks",
                        "2"
                    ]
                )
                .contains("was erased")
        );
        let validation = restored.validate();
        assert_eq!(validation["all_green"], true, "{validation}");
        restored.ok(&["verify"]);
        let told = history(&restored, ADA);
        assert!(told.iter().any(|event| event["event"]["type"] == "ClientErased"
            && event.to_string().contains("asked to be forgotten")));
    }
    // If the list of erasures beside the backups was edited, a restore is refused.
    let told = files(&backups.join("erasures")).into_keys().next().unwrap();
    fs::write(&told, fs::read_to_string(&told).unwrap().replace("asked", "asket")).unwrap();
    let refused = Store::at(home.path().join("refused"));
    let said = refused.fails(1, &["backup", "restore", "old", "--from", backups.to_str().unwrap()]);
    assert!(said.contains(told.file_name().unwrap().to_str().unwrap()), "{said}");
    assert!(!refused.path().exists());
}

#[test]
fn a_moved_backup_and_an_older_dump_forget_whom_another_directory_knows_to_be_erased() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = lived(home.path());
    let rest = of_the_rest(&store);
    store.ok(&[
        "backup",
        "create",
        "--name",
        "old",
        "--to",
        home.path().join("moved").to_str().unwrap(),
    ]);
    let dumps = ["--sealed", "--clear"].map(|form| {
        let file = home.path().join(format!("dump{form}"));
        store.ok(&["dump", form, file.to_str().unwrap()]);
        file
    });
    let erased =
        store.run(&["erase", "--client", ADA, "--reason", "asked to be forgotten", "--yes"]);
    assert!(
        erased.code == 0 && erased.stderr.contains("no directory of backups records the erasure"),
        "{erased:?}"
    );
    store.ok(&["backup", "create", "--name", "near"]);
    assert!(store.run(&["erase", "--client", ADA, "--reason", "again", "--yes"]).stderr.is_empty());
    // The erasure is also recorded in the backup directory that the environment names.
    let named = home.path().join("named");
    fs::create_dir(&named).unwrap();
    let told = run(store
        .command(&["erase", "--client", ADA, "--reason", "again", "--yes"])
        .env("ROLLBOOK_BACKUPS", &named));
    assert!(told.code == 0 && files(&named).len() == 1, "{told:?}");
    let (prod, near) =
        (store.path().display().to_string(), store.beside("store-backups").display().to_string());
    let key = store.beside("store.master-key").display().to_string();
    let forgets = |name: &str, arguments: &[&str]| {
        let made = Store::at(home.path().join(name));
        let report = made.json(arguments);
        assert_eq!(report["forgotten_again"], 1, "{name}: {report}");
        if arguments.contains(&"--master-key") {
            fs::copy(&key, made.beside(&format!("{name}.master-key"))).unwrap();
        }
        assert_nothing_is_left(&made.path());
        assert_eq!(of_the_rest(&made), rest, "{name}");
        made.ok(&["verify"]);
    };
    let moved = home.path().join("moved").display().to_string();
    forgets(
        "of-moved",
        &["--master-key", &key, "backup", "restore", "old", "--from", &moved, "--forget", &prod],
    );
    forgets(
        "of-moved-too",
        &["--master-key", &key, "backup", "restore", "old", "--from", &moved, "--forget", &near],
    );
    forgets(
        "of-sealed",
        &["--master-key", &key, "load", dumps[0].to_str().unwrap(), "--forget", &prod],
    );
    forgets(
        "of-clear",
        &["load", dumps[1].to_str().unwrap(), "--forget", &near, "--forget", &prod],
    );

    // A directory without a list of erasures is refused, and no store is made.
    let none = Store::at(home.path().join("none"));
    for forget in ["nowhere", "dump--clear"] {
        let said = none.fails(
            1,
            &[
                "load",
                dumps[1].to_str().unwrap(),
                "--forget",
                home.path().join(forget).to_str().unwrap(),
            ],
        );
        assert!(said.contains(forget) && said.contains("no store was made"), "{said}");
    }
    assert!(!none.path().exists() && !none.beside("none.master-key").exists());
}

#[test]
fn killed_at_random_moments_an_erasure_is_one_command_away_from_its_end() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = lived(home.path());
    let rest = of_the_rest(&store);
    let (seed, mut random) = random();
    let arguments = ["erase", "--client", ADA, "--reason", "asked to be forgotten", "--yes"];
    let mut whole = Duration::from_millis(400);
    for _ in 0..12 {
        let began = Instant::now();
        if kill_after(moment(&mut random, whole), &mut store.command(&arguments)) {
            whole = whole.min(began.elapsed());
        }
    }
    let erased = erase(&store);
    assert_eq!(erased["ids"], json!([ADA, ADA_UID]), "seed {seed}");
    assert_nothing_is_left(&store.path());
    assert_eq!(of_the_rest(&store), rest, "seed {seed}");
    assert_eq!(store.validate()["all_green"], true, "seed {seed}");
    assert_eq!(
        history(&store, ADA)
            .iter()
            .filter(|event| event["event"]["type"] == "ClientErased")
            .count(),
        1,
        "seed {seed}"
    );
    let status = store.json(&["status"]);
    assert_eq!(status["sealing"]["unfinished"], json!([]), "seed {seed}");
    store.ok(&["verify"]);
    let names: Vec<_> = fs::read_dir(store.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.starts_with("keyring.")), "seed {seed}: {names:?}");
}

#[test]
fn imports_and_rotations_that_are_killed_leave_a_store_that_opens() {
    let home = tempfile::tempdir().unwrap();
    let export = export(home.path());
    let store = Store::at(home.path().join("store"));
    let (seed, mut random) = random();
    let mut killed_within = |milliseconds: u64, arguments: &[&str]| {
        let moment = moment(&mut random, Duration::from_millis(milliseconds));
        kill_after(moment, &mut store.command(arguments));
    };
    for _ in 0..10 {
        killed_within(60, &["import", export.to_str().unwrap()]);
    }
    store.ok(&["import", export.to_str().unwrap()]);
    store.ok(&["verify"]);
    let whole = store.all("legacy", NOW);
    assert_eq!(whole.len(), 26, "seed {seed}");

    let key = |number: u32| home.path().join(format!("key-{number}")).display().to_string();
    let mut current = store.beside("store.master-key").display().to_string();
    for number in 0..10 {
        let next = key(number);
        killed_within(
            30,
            &["--master-key", &current, "keyring", "rotate", "--new-master-key", &next],
        );
        // One of the two is the right one, and all is there.
        if store.run(&["--master-key", &current, "status"]).code != 0 {
            current = next;
        }
        assert_eq!(
            store
                .ok(&["--master-key", &current, "view", "legacy", "--all", "--at", NOW])
                .lines()
                .count(),
            26,
            "seed {seed}"
        );
    }
    store.ok(&["--master-key", &current, "verify"]);
}

#[test]
fn rotation_writes_no_event_anew_and_the_old_key_no_longer_opens() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let old = store.beside("store.master-key");
    let new = home.path().join("new-key");
    let digest = |store: &rollbook_application::store::Store| {
        store.log().digest(store.log().head()).unwrap()
    };
    let before = digest(&crate::opened::open(&store));
    let all = store.all("legacy", NOW);
    store.ok(&["keyring", "rotate", "--new-master-key", new.to_str().unwrap()]);
    let said = store.fails(1, &["status"]);
    assert!(said.contains("does not open the keyring") && said.contains("keyring"), "{said}");
    fs::copy(&new, &old).unwrap();
    assert_eq!(digest(&crate::opened::open(&store)), before, "the events are the same bytes");
    assert_eq!(store.all("legacy", NOW), all);
    let shown = store.json(&["keyring", "status"]);
    assert_eq!((&shown["sealed"], &shown["rewritten"]), (&json!(true), &json!(1)), "{shown}");
}

#[test]
fn keys_that_are_gone_damaged_or_another_stores_are_named_and_nothing_is_decoded() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let (key, keyring) = (store.beside("store.master-key"), store.path().join("keyring"));
    let (key_bytes, keyring_bytes) = (fs::read(&key).unwrap(), fs::read(&keyring).unwrap());
    let refused = |word: &str, path: &Path| {
        for command in [&["view", "legacy", "--all"][..], &["status"], &["history", ADA]] {
            let said = store.fails(1, command);
            assert!(
                said.contains(word) && said.contains(path.file_name().unwrap().to_str().unwrap()),
                "{said}"
            );
        }
        fs::write(&key, &key_bytes).unwrap();
        fs::write(&keyring, &keyring_bytes).unwrap();
        store.ok(&["status"]);
    };
    fs::remove_file(&key).unwrap();
    refused("no master key", &key);
    fs::write(&key, "no key").unwrap();
    refused("is not a master key", &key);
    fs::write(&key, "7".repeat(64)).unwrap();
    refused("does not open", &key);
    fs::remove_file(&keyring).unwrap();
    refused("is missing", &keyring);
    let mut flipped = keyring_bytes.clone();
    flipped[200] ^= 4;
    fs::write(&keyring, flipped).unwrap();
    refused("is damaged", &keyring);
    // Cut at the end of its header it is complete, and has no key of any client.
    fs::write(&keyring, &keyring_bytes[..66]).unwrap();
    refused("older than the log, or was cut short", &keyring);
    let other = Store::imported_at(home.path().join("other"), "tracker");
    fs::copy(other.path().join("keyring"), &keyring).unwrap();
    refused("belongs to the store", &keyring);
}

/// The remedy for a lost keyring is one from a backup. One from before an erasure would bring the
/// client back.
#[test]
fn a_keyring_from_before_an_erasure_brings_nobody_back() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = lived(home.path());
    let keyring = store.path().join("keyring");
    let old = fs::read(&keyring).unwrap();
    erase(&store);
    let rest = of_the_rest(&store);
    let newest = fs::read(&keyring).unwrap();
    fs::write(&keyring, &old).unwrap();
    let before = store.files();
    for command in [
        &["history", ADA, "--with-answers"][..],
        &["status"],
        &["rebuild", "--all"],
        &["keyring", "status"],
        &["backup", "create", "--name", "late"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["erase", "--client", ADA, "--reason", "again", "--yes"],
    ] {
        let said = store.fails(1, command);
        assert!(said.contains("older than the log") && said.contains("keyring repair"), "{said}");
    }
    let shown = store.json(&["keyring", "repair", "--dry-run"]);
    assert_eq!(shown["erased"], json!([{"client": ADA, "ids": [ADA, ADA_UID]}]), "{shown}");
    assert_eq!(shown["lost"], json!([]));
    let said = store.fails(2, &["keyring", "repair"]);
    assert!(said.contains("1 erased clients and 0 streams"), "{said}");
    assert_eq!(store.files(), before, "a dry run and a refused repair leave every byte as it was");
    let repaired = store.json(&["keyring", "repair", "--yes"]);
    assert_eq!(repaired["dryRun"], false, "{repaired}");
    assert_nothing_is_left(&store.path());
    assert_eq!(of_the_rest(&store), rest);
    assert!(!store.ok(&["history", ADA, "--with-answers"]).contains("ada said this"));
    store.ok(&["verify"]);
    assert_eq!(store.validate()["all_green"], true);
    assert_eq!(erase(&store)["already"], true);
    // The newest keyring has the same keys, so it opens the store as well.
    fs::write(&keyring, newest).unwrap();
    store.ok(&["status"]);
}

/// A keyring from before a client's first event has no key for the client. Opened all the same, it
/// would give the client a second one.
#[test]
fn a_keyring_from_before_a_client_is_refused_and_gives_up_that_client_alone() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = lived(home.path());
    let keyring = store.path().join("keyring");
    let old = fs::read(&keyring).unwrap();
    let rest = of_the_rest(&store);
    let export = home.path().join("export");
    let clients = export.join("clients.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&clients).unwrap()).unwrap();
    let mut late = file["documents"][0].clone();
    late["_id"] = "late".into();
    late["authUid"] = "late-uid".into();
    late["firstName"] = "Latecomer".into();
    file["documents"].as_array_mut().unwrap().push(late);
    file["totalDocuments"] = file["documents"].as_array().unwrap().len().into();
    fs::write(&clients, file.to_string()).unwrap();
    fs::remove_file(export.join("BACKUP_SUMMARY.json")).unwrap();
    store.ok(&["import", export.to_str().unwrap()]);
    let newest = fs::read(&keyring).unwrap();
    fs::write(&keyring, &old).unwrap();
    let said = store.fails(1, &["respond", &series_of_unread(), "--week", "8", "--answers", "[]"]);
    assert!(said.contains("older than the log"), "{said}");
    // The newest keyring is the cure that loses nothing.
    fs::write(&keyring, &newest).unwrap();
    assert!(
        store.ok(&["history", "client/late", "--with-answers", "--json"]).contains("Latecomer")
    );
    fs::write(&keyring, &old).unwrap();
    let shown = store.json(&["keyring", "repair", "--dry-run"]);
    assert_eq!(
        (&shown["erased"], &shown["lost"]),
        (&json!([]), &json!(["client/late"])),
        "{shown}"
    );
    store.ok(&["keyring", "repair", "--yes"]);
    let shown = store.ok(&["history", "client/late", "--with-answers", "--json"]);
    assert!(!shown.contains("Latecomer"), "{shown}");
    let mut all = store.all("legacy", NOW);
    all.remove("late");
    all.remove(ADA);
    assert_eq!(all, rest[0]);
    store.ok(&["verify"]);
    let status = store.ok(&["keyring", "status"]);
    assert!(status.contains("lost"), "{status}");
}

/// The name of a series; a store that does not open resolves nothing.
fn series_of_unread() -> String {
    format!("series/{ADA}/form")
}

/// Coaches and administrators have documents of their own, and their words are sealed with the keys
/// of their clients.
#[test]
fn only_clients_are_erased() {
    let home = tempfile::tempdir().unwrap();
    let export = export(home.path());
    let users = export.join("users.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&users).unwrap()).unwrap();
    let listed = file["documents"].as_array_mut().unwrap();
    let coach = listed[0]["_id"].as_str().unwrap().to_owned();
    for (id, role) in [("root", json!("admin")), ("ops", json!(["client", "operator"]))] {
        listed.push(json!({"_id": id, "role": role, "email": format!("{id}@example.com")}));
    }
    listed.push(json!({"_id": "guest", "role": "client", "email": "guest@example.com"}));
    file["totalDocuments"] = file["documents"].as_array().unwrap().len().into();
    fs::write(&users, file.to_string()).unwrap();
    fs::remove_file(export.join("BACKUP_SUMMARY.json")).unwrap();
    let store = Store::at(home.path().join("store"));
    store.ok(&["import", export.to_str().unwrap()]);
    let head = store.json(&["status"])["head"].clone();
    let erase =
        |id: &str| store.run(&["--json", "erase", "--client", id, "--reason", "asked", "--yes"]);
    for id in [coach.as_str(), "root", "ops"] {
        let refused = erase(id);
        assert_eq!(refused.code, 3, "{id}: {refused:?}");
        assert!(
            refused.stderr.contains("\"not_a_client\"") && refused.stderr.contains(id),
            "{refused:?}"
        );
    }
    assert_eq!(store.json(&["status"])["head"], head, "nothing is written");
    for id in ["guest", ADA_UID] {
        assert_eq!(erase(id).code, 0, "{id}");
    }
}

#[test]
fn a_store_is_unsealed_only_when_it_was_made_so() {
    let home = tempfile::tempdir().unwrap();
    let export = export(home.path());
    let store = Store::at(home.path().join("clear"));
    store.ok(&["import", export.to_str().unwrap(), "--unsealed"]);
    assert!(!store.beside("clear.master-key").exists());
    assert!(
        holds(&crate::opened::entries(&store), SECRETS[0])
            && holds(&crate::opened::entries(&store), ADA_MAIL),
        "they are in the clear"
    );
    assert_eq!(store.json(&["status"])["sealing"]["sealed"], false);
    assert!(store.ok(&["status"]).contains("unsealed"));
    let said = store.fails(3, &["erase", "--client", ADA, "--reason", "asked", "--yes"]);
    assert!(said.contains("unsealed"), "{said}");
    let sealed = Store::at(home.path().join("sealed"));
    let made = sealed.run(&["import", export.to_str().unwrap()]);
    assert!(made.stderr.contains("sealed.master-key"), "{made:?}");
    assert_nothing_is_left(&sealed.path());
    sealed.fails(2, &["import", export.to_str().unwrap(), "--unsealed"]);
    let again = sealed.run(&["import", export.to_str().unwrap()]);
    assert!(!again.stderr.contains("master key"), "it is said once");
}
