//! `rollbook checkpoint`, `prove` and `check-proof`: signed checkpoints are kept, a proof is
//! checked without the store, and every change to a proof is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rollbook_proofs::SigningKey;
use serde_json::{Value, json};
use testkit::{ProcessOutput, Store, assert_same, files, rollbook, run};

/// Runs a command without any store.
fn offline(arguments: &[&str]) -> ProcessOutput {
    let nowhere = tempfile::tempdir().unwrap();
    run(rollbook().args(arguments).current_dir(nowhere.path()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn public_key(store: &Store) -> String {
    store.ok(&["checkpoint", "--public-key"]).trim_end().to_owned()
}

fn signing_key(store: &Store) -> PathBuf {
    store.beside("store.signing-key")
}

#[test]
fn the_first_checkpoint_draws_a_key_for_its_owner_alone_and_says_so_once() {
    let store = Store::imported("clean");
    let none = store.fails(1, &["checkpoint", "--public-key"]);
    assert!(none.contains("no key yet"), "{none}");
    let first = store.run(&["checkpoint", "--json"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(
        first.stderr.contains("signing key")
            && first.stderr.contains(text(&signing_key(&store).canonicalize().unwrap())),
        "{first:?}"
    );
    assert!(!first.stdout.contains("PRIVATE") && !first.stderr.contains("PRIVATE"));
    assert_eq!(fs::metadata(signing_key(&store)).unwrap().permissions().mode() & 0o777, 0o600);
    let signed: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!(signed["size"], store.json(&["status"])["head"]);
    assert_eq!(signed["key"], json!(public_key(&store)));

    let again = store.run(&["checkpoint", "--json"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{again:?}");
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&again["checkpoint"], &again["made_key"]), (&signed["checkpoint"], &Value::Null));
    assert_eq!(store.ok(&["checkpoint"]), signed["checkpoint"].as_str().unwrap());
    let key: SigningKey =
        fs::read_to_string(signing_key(&store)).unwrap().trim_end().parse().unwrap();
    assert_eq!(key.verifier().to_string(), public_key(&store));
}

#[test]
fn events_and_growth_are_proved_to_whoever_has_the_public_key_alone() {
    let store = Store::imported("clean");
    let (event_file, grown_file) = (store.beside("event.tlog-proof"), store.beside("grown.txt"));
    let before = store.json(&["checkpoint"]);
    crate::opened::validated(&store, true);
    let made = store.json(&["prove", "event", "3", "--out", text(&event_file)]);
    assert_eq!(
        (&made["proof"], &made["size"], &made["position"]),
        (&json!("event"), &before["size"], &json!(3))
    );
    store.ok(&[
        "prove",
        "consistency",
        "--from",
        &before["size"].to_string(),
        "--out",
        text(&grown_file),
    ]);
    let key = public_key(&store);
    let key_file = store.beside("key.txt");
    fs::write(&key_file, format!("{key}\n")).unwrap();
    fs::remove_dir_all(store.path()).unwrap();

    for given in [key.as_str(), text(&key_file)] {
        let checked = offline(&["check-proof", text(&event_file), "--key", given, "--json"]);
        assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{checked:?}");
        let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
        assert_eq!(
            (&checked["root"], &checked["key_trusted"], &checked["id"]),
            (&before["root"], &json!(true), &made["id"])
        );
        let grown = offline(&["check-proof", text(&grown_file), "--key", given, "--json"]);
        let grown: Value = serde_json::from_str(&grown.stdout).unwrap();
        assert_eq!(
            (&grown["older_size"], &grown["older_root"]),
            (&before["size"], &before["root"])
        );
        // What the fields say is what the file says.
        let file = fs::read_to_string(&grown_file).unwrap();
        let nodes: Vec<Value> = file
            .lines()
            .skip(2)
            .take_while(|line| !line.is_empty())
            .map(|line| json!(line))
            .collect();
        assert_eq!(grown["nodes"], json!(nodes));
        let file = fs::read_to_string(&event_file).unwrap();
        let path: Vec<Value> = file
            .lines()
            .skip(3)
            .take_while(|line| !line.is_empty())
            .map(|line| json!(line))
            .collect();
        assert_eq!(checked["path"], json!(path));
        assert_eq!(grown["size"], json!(before["size"].as_u64().unwrap() + 1));
    }
    let untrusted = offline(&["check-proof", text(&event_file)]);
    assert!(
        untrusted.code == 0 && untrusted.stdout.contains("this key came with the file"),
        "{untrusted:?}"
    );
}

#[test]
fn every_event_has_a_proof_by_position_and_by_id() {
    let store = Store::imported("clean");
    let head = store.json(&["status"])["head"].as_u64().unwrap();
    let file = store.beside("proof");
    for position in [1, 2, head / 2, head - 1, head] {
        let made = store.json(&["prove", "event", &position.to_string(), "--out", text(&file)]);
        let by_position = fs::read(&file).unwrap();
        let by_id = store.ok(&["prove", "event", made["id"].as_str().unwrap()]);
        assert_eq!(by_id.as_bytes(), by_position);
        assert_eq!(offline(&["check-proof", text(&file), "--key", &public_key(&store)]).code, 0);
    }
    for unknown in
        ["0", &(head + 1).to_string(), "no-such-event", "00000000-0000-4000-8000-000000000000"]
    {
        assert!(
            store.fails(1, &["prove", "event", unknown]).contains("nothing here has the id"),
            "{unknown}"
        );
    }
    store.fails(2, &["prove", "consistency", "--from", "0"]);
    store.fails(2, &["prove", "consistency", "--from", "5", "--to", "4"]);
    let beyond =
        store.fails(1, &["prove", "consistency", "--from", "5", "--to", &(head + 1).to_string()]);
    assert!(beyond.contains("beyond the head"), "{beyond}");
}

#[test]
fn forged_proofs_are_refused_by_exit_code_and_name() {
    let store = Store::imported("clean");
    let file = store.beside("proof");
    store.ok(&["prove", "event", "3", "--out", text(&file)]);
    let (proof, key) = (fs::read(&file).unwrap(), public_key(&store));
    // One byte of every line, at its end and in its middle.
    let mut starts = vec![0];
    starts.extend((0..proof.len() - 1).filter(|at| proof[*at] == b'\n').map(|at| at + 1));
    let ends = starts.iter().skip(1).map(|start| start - 2).chain([proof.len() - 2]);
    for at in starts
        .iter()
        .copied()
        .zip(ends)
        .flat_map(|(start, end)| [start, usize::midpoint(start, end), end])
    {
        let mut forged = proof.clone();
        forged[at] ^= 1;
        fs::write(&file, &forged).unwrap();
        for arguments in
            [vec!["check-proof", text(&file)], vec!["check-proof", text(&file), "--key", &key]]
        {
            let ran = offline(&arguments);
            assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "byte {at}: {ran:?}");
            assert!(ran.stderr.contains(text(&file)), "{ran:?}");
        }
    }
    for forged in [
        &b""[..],
        b"\xff\xfe",
        b"c2sp.org/tlog-proof@v1",
        b"rollbook-consistency-proof 1\n",
        &proof[..proof.len() - 1],
    ] {
        fs::write(&file, forged).unwrap();
        assert_eq!(offline(&["check-proof", text(&file)]).code, 3);
    }
    fs::write(&file, &proof).unwrap();
    let other = SigningKey::generate("other").unwrap().verifier().to_string();
    assert_eq!(offline(&["check-proof", text(&file), "--key", &other]).code, 3);
    assert_eq!(offline(&["check-proof", text(&file), "--key", "no key at all"]).code, 2);
    assert_eq!(offline(&["check-proof", text(&store.beside("missing"))]).code, 1);
}

#[test]
fn a_key_that_is_gone_open_or_another_is_refused_and_nothing_is_written() {
    let store = Store::imported("clean");
    store.ok(&["checkpoint"]);
    let key = fs::read(signing_key(&store)).unwrap();
    fs::remove_file(signing_key(&store)).unwrap();
    let gone = store.fails(3, &["checkpoint"]);
    assert!(gone.contains("--signing-key"), "{gone}");
    fs::write(signing_key(&store), &key).unwrap();
    fs::set_permissions(signing_key(&store), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(store.fails(3, &["checkpoint"]).contains("chmod 600"));
    let elsewhere = store.beside("elsewhere");
    fs::rename(signing_key(&store), &elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
    store.ok(&["checkpoint", "--signing-key", text(&elsewhere)]);
    fs::write(&elsewhere, format!("{}\n", SigningKey::generate("another").unwrap().expose()))
        .unwrap();
    assert!(
        store
            .fails(3, &["checkpoint", "--signing-key", text(&elsewhere)])
            .contains("are signed by rollbook/")
    );
    fs::write(&elsewhere, "no key").unwrap();
    store.fails(3, &["checkpoint", "--signing-key", text(&elsewhere)]);
}

#[test]
fn a_log_that_contradicts_what_was_signed_is_not_signed_again() {
    let store = Store::imported("clean");
    let other = Store::imported("dirty");
    store.ok(&["checkpoint"]);
    other.ok(&["checkpoint"]);
    // The checkpoint of another log, under the name of a size that this one has.
    let checkpoints = store.path().join("checkpoints");
    let name = fs::read_dir(&checkpoints).unwrap().next().unwrap().unwrap().path();
    let foreign =
        fs::read_dir(other.path().join("checkpoints")).unwrap().next().unwrap().unwrap().path();
    fs::copy(foreign, &name).unwrap();
    let before = files(store.around());
    let refused = store.fails(3, &["checkpoint"]);
    assert!(refused.contains(text(name.file_name().unwrap().as_ref())), "{refused}");
    assert_same(&before, &files(store.around()), &["checkpoint"]);
}
