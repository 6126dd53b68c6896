//! Stores that earlier builds made (`tests/fixtures/stores`): this build opens each of them,
//! upgrades its rows, gives the same answers, writes to it, and honours what was promised then.
//!
//! An archive holds a store with its keys, a backup, the files that people exchange, the golden
//! views, and the requests that were recorded under idempotency keys. Every test unpacks a copy.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    Store, assert_golden, assert_same, fixture, paths, repository, rollbook, run, unpack,
};

/// The client who was erased in every fixture, and their e-mail address.
const ERASED: &str = "JibaZUPgHV7iB3m03nbqnsGpWLuq";
const ERASED_MAIL: &str = "gus.quarry.6@example.com";

/// A week without an answer.
const OPEN_WEEK: &str = "assignment-1767341760000-f9tm5n7f2_week_7";
const OPEN_WEEK_CLIENT: &str = "58m1CiAhzCueQpBenQtYh5Xj8TPQ";
const NOW: &str = "2026-02-20T10:00:00Z";

/// A line for each entry and field of a client's answer that is another now.
fn changed_entries(name: &str, before: &Value, now: &Value) -> String {
    let client = before["clientId"].as_str().unwrap();
    assert_eq!(now["clientId"], client);
    let entries = |line: &Value| {
        let entries = line["body"]["data"]["checkins"].as_array().unwrap().iter();
        let by_id = |entry: &Value| (entry["id"].as_str().unwrap().to_owned(), entry.clone());
        entries.map(by_id).collect::<std::collections::BTreeMap<_, _>>()
    };
    let (old, new) = (entries(before), entries(now));
    let mut changes = String::new();
    for id in old.keys().chain(new.keys().filter(|id| !old.contains_key(*id))) {
        match (old.get(id), new.get(id)) {
            (Some(_), None) => changes.push_str(&format!("{name} {client} {id}: not shown\n")),
            (None, Some(new)) => changes.push_str(&format!(
                "{name} {client} {id}: shown, week {} is {} and due {}\n",
                new["recurringWeek"], new["status"], new["dueDate"]
            )),
            (Some(old), Some(new)) => {
                for (field, old) in old.as_object().unwrap() {
                    if new.get(field) != Some(old) {
                        let new = &new[field];
                        changes
                            .push_str(&format!("{name} {client} {id}: {field} {old} -> {new}\n"));
                    }
                }
            }
            (None, None) => {}
        }
    }
    changes
}

/// An unpacked copy of one fixture.
struct Old {
    name: String,
    home: TempDir,
    store: Store,
}

impl Old {
    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A place for another store, with a copy of the master key beside it.
    fn place(&self, name: &str) -> Store {
        let key = self.path(&format!("{name}.master-key"));
        fs::copy(self.path("store.master-key"), key).unwrap();
        Store::at(self.path(name))
    }

    /// Asserts that a store shows all clients what the build that made this one showed, but for the
    /// differences that a rule made since then: `changes.txt` beside the archives lists them.
    fn assert_golden_views(&self, store: &Store) {
        let golden = paths(&self.path("views"));
        assert_eq!(golden.len(), 6, "{}", self.name);
        let mut changes = String::new();
        for file in golden {
            let name = file.file_stem().unwrap().to_str().unwrap();
            // `legacy@2026-02-20T100000Z` is of 10:00:00.
            let (view, at) = name.split_once('@').unwrap();
            let at = format!("{}:{}:{}", &at[..13], &at[13..15], &at[15..]);
            let shown = store.ok(&["view", view, "--all", "--at", &at]);
            let before = fs::read_to_string(&file).unwrap();
            for (before, now) in testkit::lines(&before).iter().zip(testkit::lines(&shown)) {
                changes.push_str(&changed_entries(name, before, &now));
            }
            assert_eq!(shown.lines().count(), before.lines().count(), "{}: {name}", self.name);
        }
        assert_golden(&repository().join("tests/fixtures/stores/changes.txt"), &changes);
    }

    /// The names of the projections whose rows were made by another version. They serve nothing.
    fn stale(&self) -> Vec<String> {
        let verified = self.store.json(&["verify"]);
        let not_checked = verified["not_checked"].as_array().unwrap().iter();
        let rows = not_checked.filter_map(|what| what.as_str().unwrap().strip_prefix("rows of "));
        rows.map(|what| what.split(' ').next().unwrap().to_owned()).collect()
    }

    /// Whether every projection is folded up to the head.
    fn is_current(&self) -> bool {
        let status = self.store.json(&["status"]);
        status["projections"].as_array().unwrap().iter().all(|one| one["behind"] == 0)
    }

    fn head(&self) -> u64 {
        self.store.json(&["status"])["head"].as_u64().unwrap()
    }
}

/// Asserts that no view, no history and no file shows anything of the client who was erased.
fn assert_is_forgotten(store: &Store) {
    for view in ["legacy", "precreated"] {
        let body = store.json(&["view", view, "--client", ERASED, "--at", NOW]);
        assert_eq!(body["data"]["checkins"], json!([]), "{view}");
    }
    let history = store.ok(&["history", ERASED, "--json", "--with-answers"]);
    assert!(history.contains("ClientErased") && !history.contains(ERASED_MAIL), "{history}");
    let entries = crate::opened::entries(store);
    assert!(!entries.windows(ERASED_MAIL.len()).any(|part| part == ERASED_MAIL.as_bytes()));
}

/// Every archive; at least the first release's.
fn archives() -> Vec<PathBuf> {
    let mut archives = paths(&fixture("stores"));
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    assert!(archives.contains(&fixture("stores").join("0.1.0.tar.gz")), "{archives:?}");
    archives
}

/// Does something with a copy of every fixture.
fn each(test: impl Fn(&Old)) {
    for archive in archives() {
        let home = tempfile::tempdir().unwrap();
        unpack(&archive, home.path());
        let store = Store::at(home.path().join("store"));
        let name = archive.file_name().unwrap().to_str().unwrap();
        test(&Old { name: name.strip_suffix(".tar.gz").unwrap().to_owned(), home, store });
    }
}

#[test]
fn an_old_store_is_upgraded_and_shows_everybody_what_it_showed_before() {
    each(|old| {
        let as_made = old.store.files();
        old.store.ok(&["status"]);
        if old.name == "0.1.0" {
            assert_eq!(old.stale(), ["legacy", "precreated", "names", "tracker"]);
            assert!(!old.is_current(), "the first release has no rows of directory");
        }
        let data = |name: &Path| !name.file_name().unwrap().to_str().unwrap().starts_with("LOG");
        let mut after = old.store.files();
        after.retain(|name, _| data(name));
        assert_same(&as_made, &after, &["status", "verify"]);

        old.assert_golden_views(&old.store);
        assert_eq!(old.stale(), Vec::<String>::new(), "{}", old.name);
        assert!(old.is_current(), "{}", old.name);
        let rebuilt = old.store.json(&["rebuild", "--all"]);
        let rebuilt = rebuilt.as_array().unwrap();
        assert!(rebuilt.len() >= 7 && rebuilt.iter().all(|one| one["identical"] == true));
        old.assert_golden_views(&old.store);
        old.store.ok(&["verify"]);
    });
}

#[test]
fn an_old_store_is_verified_before_its_rows_are_upgraded() {
    each(|old| {
        let verified = old.store.json(&["verify"]);
        assert_eq!(verified["head"], old.head(), "{verified}");
    });
}

#[test]
fn an_old_store_is_written_to() {
    each(|old| {
        let head = old.head();
        let answer = old.store.json(&["respond", OPEN_WEEK, "--score", "55", "--at", NOW]);
        assert_eq!(answer["position"], head + 1, "{}: {answer}", old.name);
        let weeks = old.store.check_ins("precreated", OPEN_WEEK_CLIENT, NOW);
        assert!(weeks.iter().any(|week| week["responseId"] == answer["responseId"]), "{weeks:?}");
        let checks = old.store.validate()["checks"].take();
        // Extensions and pauses that were recorded after the migration differ between the views.
        let is_sound = |one: &Value| one["green"] == true || one["name"] == "parity-explained";
        assert!(checks.as_array().unwrap().iter().all(is_sound), "{}: {checks:#}", old.name);
        old.store.ok(&["switch", "legacy", "--reason", "a look at the old view"]);
        old.store.ok(&["verify"]);
    });
}

#[test]
fn an_old_store_is_served_to_an_old_api_key() {
    each(|old| {
        assert_eq!(old.store.json(&["key", "list"])[0]["name"], "kiosk", "{}", old.name);
        let key = fs::read(old.path("files/api-key.json")).unwrap();
        let key: Value = serde_json::from_slice(&key).unwrap();
        let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
        let server = testkit::Server::at(&old.store, NOW);
        let golden = fs::read_to_string(old.path("views/live@2026-02-20T100000Z.ndjson")).unwrap();
        let mut changes = String::new();
        for line in testkit::lines(&golden) {
            let client = line["clientId"].as_str().unwrap();
            let path = format!("/api/client-portal/check-ins?clientId={client}");
            let served = server.send("GET", &path, &[("authorization", &bearer)], b"");
            let served = json!({"clientId": client, "body": served.body});
            changes.push_str(&changed_entries("live@2026-02-20T100000Z", &line, &served));
        }
        server.end();
        let listed = repository().join("tests/fixtures/stores/changes.txt");
        let listed = fs::read_to_string(listed).unwrap();
        let is_live = |line: &&str| line.starts_with("live@2026-02-20T100000Z ");
        let listed: Vec<&str> = listed.lines().filter(is_live).collect();
        assert_eq!(changes.lines().collect::<Vec<_>>(), listed, "{}", old.name);
    });
}

#[test]
fn a_backup_of_an_old_store_and_its_old_backup_are_restored() {
    each(|old| {
        let from = old.text("store-backups");
        old.store.ok(&["backup", "verify", "imported"]);
        let imported = old.place("restored-old");
        let report = imported.json(&["backup", "restore", "imported", "--from", &from]);
        assert_eq!(report["forgotten_again"], 1, "the backup is older than the erasure: {report}");
        assert_is_forgotten(&imported);
        imported.ok(&["verify"]);

        old.store.ok(&["backup", "create", "--name", "today"]);
        old.store.ok(&["backup", "verify", "today"]);
        let copy = old.place("restored-new");
        copy.ok(&["backup", "restore", "today", "--from", &from]);
        old.assert_golden_views(&copy);
        copy.ok(&["verify"]);
    });
}

#[test]
fn an_old_dump_is_loaded() {
    each(|old| {
        let copy = old.place("loaded");
        copy.ok(&["load", &old.text("files/sealed.dump.ndjson")]);
        old.assert_golden_views(&copy);
        let again = old.text("again.ndjson");
        copy.ok(&["dump", "--sealed", &again]);
        let same =
            fs::read(&again).unwrap() == fs::read(old.path("files/sealed.dump.ndjson")).unwrap();
        assert!(same, "{}: the dump of the loaded store is another one", old.name);
    });
}

#[test]
fn who_was_erased_stays_erased() {
    each(|old| {
        assert_eq!(old.store.json(&["status"])["sealing"]["erased"], 1);
        assert_is_forgotten(&old.store);
        let again = ["erase", "--client", ERASED, "--reason", "again", "--yes"];
        assert_eq!(old.store.json(&again)["already"], true);
        let series = format!("series/{ERASED}/form-1765694942359-dssugldrw");
        let refused = old.store.fails(3, &["pause", &series, "--weeks", "1"]);
        assert!(refused.contains("was erased"), "{refused}");
        old.store.ok(&["rebuild", "--all"]);
        assert_is_forgotten(&old.store);
    });
}

#[test]
fn old_checkpoints_proofs_and_certificates_hold_and_the_log_grows_from_them() {
    each(|old| {
        let key = old.text("store/verifier-key");
        let (before, last) =
            (old.text("files/before.checkpoint"), old.text("files/last.checkpoint"));
        old.store.ok(&["verify", "--checkpoint", &before, "--checkpoint", &last, "--key", &key]);
        let offline = |arguments: &[&str]| {
            let ran = run(rollbook().args(arguments).current_dir(old.home.path()));
            assert_eq!(ran.code, 0, "{}: {arguments:?}: {ran:?}", old.name);
        };
        offline(&["check-proof", "files/event.tlog-proof", "--key", &key]);
        offline(&["check-proof", "files/grown.txt", "--key", &key]);
        offline(&["check-certificate", "files/certificate.json", "--key", &key]);

        let head = old.head();
        old.store.ok(&["respond", OPEN_WEEK, "--score", "55", "--at", NOW]);
        old.store.ok(&["checkpoint"]);
        let grown = old.text("grown-since.txt");
        old.store.ok(&["prove", "consistency", "--from", &head.to_string(), "--out", &grown]);
        offline(&["check-proof", &grown, "--key", &key]);
        old.store.ok(&["verify", "--checkpoint", &last, "--key", &key]);
    });
}

#[test]
fn an_old_batch_is_there_already_and_can_be_applied_to_another_store() {
    each(|old| {
        let batch = old.path("files/batch.ndjson");
        let again = old.store.apply(&batch);
        assert_eq!((&again["created"], &again["linked"]), (&json!(0), &json!(0)), "{again}");
        let other = Store::imported("tracker");
        let planned = other.plan(&other.beside("planned.ndjson"));
        let header = &testkit::lines(&fs::read_to_string(&batch).unwrap())[0];
        assert_eq!(planned["digest"], header["digest"], "{}", old.name);
        assert_eq!(other.apply(&batch)["created"], header["counts"]["created"]);
    });
}

/// Every request that an old build recorded under a key, with its answer.
fn requests(home: &Path) -> Vec<(Vec<String>, Value)> {
    let recorded = fs::read(home.join("requests.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let request = |one: &Value| {
        let arguments = one["arguments"].as_array().unwrap().iter();
        (arguments.map(|word| word.as_str().unwrap().to_owned()).collect(), one["answer"].clone())
    };
    recorded.as_array().unwrap().iter().map(request).collect()
}

#[test]
fn requests_under_old_keys_are_repeats() {
    each(|old| {
        let head = old.head();
        let requests = requests(old.home.path());
        assert!(requests.len() >= 13);
        let mut refused = Vec::new();
        for (arguments, first) in &requests {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ran = old.store.run(&words);
            if ran.code != 0 {
                refused.push(format!("{}: {}", words[0], ran.stderr));
                continue;
            }
            let again: Value = serde_json::from_str(&ran.stdout).unwrap();
            for same in ["position", "run", "responseId", "assignments", "events", "series"] {
                assert_eq!(again[same], first[same], "{}: {words:?}: {again}", old.name);
            }
            if first.get("repeated").is_some() {
                assert_eq!(again["repeated"], true, "{}: {words:?}: {again}", old.name);
            }
        }
        assert!(refused.is_empty(), "{}: {refused:#?}", old.name);
        assert_eq!(old.head(), head, "{}: a repeat records nothing", old.name);
    });
}

#[test]
fn other_requests_under_old_keys_are_refused() {
    each(|old| {
        for (arguments, _) in requests(old.home.path()) {
            let key = arguments.iter().position(|word| word == "--key").unwrap() + 1;
            let other =
                ["respond", OPEN_WEEK, "--score", "1", "--at", NOW, "--key", &arguments[key]];
            let refused = old.store.run(&[&other[..], &["--json"]].concat());
            assert_eq!((refused.code, &refused.error()["code"]), (3, &json!("key_reused")));
        }
    });
}
