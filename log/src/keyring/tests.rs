//! The keyring's file: golden bytes, the errors for damage and wrong keys, and that a destroyed key
//! leaves no trace.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use rollbook_domain::StreamId;

use super::aead::NonceBytes;
use super::*;

const STORE: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

/// Consecutive nonces, for reproducible bytes.
fn counted() -> impl FnMut() -> Result<NonceBytes, KeyringError> {
    let mut number = 0;
    move || {
        number += 1;
        Ok([number; aead::NONCE_BYTES])
    }
}

fn master() -> SecretKey {
    SecretKey::new([0x11; 32])
}

/// A header, two keys, an erasure and its completion, with constant keys and nonces.
fn sample() -> Vec<u8> {
    let mut nonces = counted();
    let header = Header { sealed: true, store: STORE, rewritten: 2 };
    let mut bytes = format::header(header, Some(&master()), &mut nonces).unwrap();
    for (owner, key) in [("ada", 0x21), ("coach/robin", 0x22)] {
        format::push_key(
            owner,
            &SecretKey::new([key; 32]),
            (&master(), STORE),
            &mut bytes,
            &mut nonces,
        )
        .unwrap();
    }
    format::push_erasure(
        Uuid::from_u128(5),
        ["ben", "uid-2"].into_iter(),
        (Some(&master()), STORE),
        &mut bytes,
        &mut nonces,
    )
    .unwrap();
    format::push_complete(Uuid::from_u128(5), &mut bytes);
    bytes
}

struct Home(tempfile::TempDir);

impl Home {
    fn with(bytes: &[u8]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.store().join(KEYRING_FILE), bytes).unwrap();
        home
    }

    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        let store = self.0.path().join("store");
        fs::create_dir_all(&store).unwrap();
        store
    }

    fn open(&self) -> Result<Keyring, KeyringError> {
        self.open_under("11".repeat(32))
    }

    fn open_under(&self, master: String) -> Result<Keyring, KeyringError> {
        Keyring::open(&self.store(), STORE, sealing(MasterKeySource::Text(master.into())), None)
    }

    fn made(&self) -> Keyring {
        let keyring = Keyring::of_new_store(
            &self.store(),
            STORE,
            sealing(MasterKeySource::Text("11".repeat(32).into())),
        );
        keyring.found().unwrap();
        keyring
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.store().join(KEYRING_FILE)).unwrap()
    }
}

fn sealing(master_key: MasterKeySource) -> Sealing {
    Sealing { master_key, unsealed: false, outdated: false, on_new_master_key: None }
}

fn key_of(keyring: &Keyring, stream: &str) -> Option<[u8; 32]> {
    match keyring.opening(stream) {
        Opening::Key(key) => Some(*key.bytes()),
        _ => None,
    }
}

#[test]
fn the_file_is_what_it_ever_was() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keyring/v1.bin");
    if !path.exists() && std::env::var_os("ROLLBOOK_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, sample()).unwrap();
    }
    let kept = fs::read(&path).unwrap();
    if kept != sample() {
        fs::write(path.with_extension("bin.actual"), sample()).unwrap();
        panic!(
            "version 1 of the keyring is no longer what {} has; today's bytes are beside it",
            path.display()
        );
    }
    let keyring = Home::with(&kept).open().unwrap();
    assert_eq!(key_of(&keyring, "series/ada/weekly"), Some([0x21; 32]));
    assert_eq!(key_of(&keyring, "coach/robin"), Some([0x22; 32]));
    assert!(
        keyring.is_erased("client/uid-2")
            && keyring.is_erased("series/ben/weekly")
            && !keyring.is_erased("client/ada")
    );
    let erasure = Erasure {
        id: Uuid::from_u128(5),
        ids: vec!["ben".to_owned(), "uid-2".to_owned()],
        complete: true,
    };
    assert_eq!(keyring.erasures(), [erasure]);
    assert_eq!(
        (keyring.state().sealed, keyring.state().keys, keyring.state().rewritten),
        (true, 2, 2)
    );
}

#[test]
fn any_changed_bit_is_found() {
    let whole = sample();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(Home::with(&bytes).open().is_err(), "byte {at}");
    }
}

#[test]
fn cut_at_any_byte_it_is_a_prefix_of_whole_records() {
    let whole = sample();
    let mut seen = Vec::new();
    for length in 0..=whole.len() {
        match Home::with(&whole[..length]).open() {
            Ok(keyring) => seen.push((keyring.state().keys, keyring.erasures().len())),
            Err(error) => assert!(
                length < 66 && matches!(error, KeyringError::Damaged { .. }),
                "{length}: {error:?}"
            ),
        }
    }
    seen.dedup();
    assert_eq!(seen, [(0, 0), (1, 0), (2, 0), (2, 1)]);
}

#[test]
fn another_master_key_another_store_and_no_file_are_told_apart() {
    let home = Home::with(&sample());
    let error = home.open_under("12".repeat(32)).err().unwrap();
    assert!(matches!(error, KeyringError::WrongMasterKey { .. }), "{error:?}");
    assert!(error.to_string().contains("keyring"), "{error}");
    let other = Keyring::open(
        &home.store(),
        Uuid::nil(),
        sealing(MasterKeySource::Text("11".repeat(32).into())),
        None,
    )
    .err()
    .unwrap();
    assert!(matches!(other, KeyringError::OtherStore { .. }), "{other:?}");
    fs::remove_file(home.store().join(KEYRING_FILE)).unwrap();
    assert!(matches!(home.open().err().unwrap(), KeyringError::Missing { .. }));
}

#[test]
fn a_key_put_under_another_name_does_not_open() {
    let mut nonces = counted();
    let header = Header { sealed: true, store: STORE, rewritten: 0 };
    let bytes = format::header(header, Some(&master()), &mut nonces).unwrap();
    let mut record = Vec::new();
    format::push_key(
        "ada",
        &SecretKey::new([0x21; 32]),
        (&master(), STORE),
        &mut record,
        &mut nonces,
    )
    .unwrap();
    let length = record.len();
    record[length - 7..length - 4].copy_from_slice(b"ben");
    let sum = crc32fast::hash(&record[..length - 4]).to_le_bytes();
    record[length - 4..].copy_from_slice(&sum);
    let error = Home::with(&[bytes, record].concat()).open().err().unwrap();
    assert!(error.to_string().contains("does not open"), "{error}");
}

#[test]
fn a_key_is_there_for_good_once_it_is_persisted_and_an_append_that_was_cut_off_is_cut_away() {
    let home = Home::empty();
    let keyring = home.made();
    let ada = *keyring.key_for("series/ada/weekly").unwrap().unwrap().bytes();
    assert_eq!(*keyring.key_for("client/ada").unwrap().unwrap().bytes(), ada, "one key a client");
    assert!(
        keyring.key_for("form/weekly").unwrap().is_none()
            && keyring.key_for("control").unwrap().is_none()
    );
    assert_eq!(keyring.state().keys, 0, "not on the disk yet");
    keyring.persist().unwrap();
    let length = home.bytes().len();
    keyring.persist().unwrap();
    assert_eq!(home.bytes().len(), length, "nothing new, nothing written");
    let torn = [home.bytes(), vec![1, 60, 0]].concat();
    fs::write(home.store().join(KEYRING_FILE), &torn).unwrap();
    let again = home.open().unwrap();
    assert_eq!(key_of(&again, "client/ada"), Some(ada));
    again.key_for("client/ben").unwrap();
    again.persist().unwrap();
    assert_eq!(home.open().unwrap().state().keys, 2);
}

#[test]
fn a_destroyed_key_is_in_no_file_and_never_comes_back() {
    let home = Home::empty();
    let keyring = home.made();
    for client in ["ada", "ben"] {
        keyring.key_for(&format!("client/{client}")).unwrap();
    }
    keyring.persist().unwrap();
    let wrapped: Vec<Vec<u8>> = home.bytes().windows(48).map(<[u8]>::to_vec).collect();
    keyring.erase(Uuid::from_u128(9), &["ada".to_owned(), "uid".to_owned()]).unwrap();
    let after = home.bytes();
    assert!(
        wrapped.iter().all(|key| !after.windows(48).any(|window| window == key.as_slice())),
        "every key is wrapped anew"
    );
    assert!(keyring.key_for("series/ada/weekly").unwrap().is_none(), "no second key");
    let again = home.open().unwrap();
    assert!(
        again.is_erased("client/ada")
            && again.is_erased("series/uid/x")
            && key_of(&again, "client/ben").is_some()
    );
    assert!(again.key_for("client/ada").unwrap().is_none());
    assert_eq!(again.erasures().len(), 1);
    let mut names: Vec<_> =
        fs::read_dir(home.store()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [KEYRING_FILE], "nothing is left beside it");
}

#[test]
fn what_a_kill_left_beside_the_file_is_overwritten_by_the_next_change() {
    for (ending, linked) in [("new", false), ("old", false), ("old", true)] {
        let home = Home::empty();
        let keyring = home.made();
        keyring.key_for("client/ada").unwrap();
        keyring.persist().unwrap();
        let left = home.store().join(KEYRING_FILE).with_extension(ending);
        if linked {
            fs::hard_link(home.store().join(KEYRING_FILE), &left).unwrap();
        } else {
            fs::write(&left, home.bytes()).unwrap();
        }
        keyring.erase(Uuid::from_u128(9), &["ada".to_owned()]).unwrap();
        assert!(!left.exists(), "{ending}");
        assert!(home.open().unwrap().is_erased("client/ada"));
    }
}

#[test]
fn rotation_wraps_the_same_keys_by_another_master_key() {
    let home = Home::empty();
    let keyring = home.made();
    let ada = *keyring.key_for("client/ada").unwrap().unwrap().bytes();
    keyring.persist().unwrap();
    keyring.erase(Uuid::from_u128(3), &["ben".to_owned()]).unwrap();
    let to = home.0.path().join("next-key");
    assert_eq!(keyring.rotate(&MasterKeySource::File(to.clone())).unwrap(), Some(to.clone()));
    assert!(matches!(home.open().err().unwrap(), KeyringError::WrongMasterKey { .. }));
    let again =
        Keyring::open(&home.store(), STORE, sealing(MasterKeySource::File(to)), None).unwrap();
    assert_eq!(key_of(&again, "client/ada"), Some(ada));
    assert!(again.is_erased("client/ben"));
}

proptest! {
    #[test]
    fn owners_are_told_apart_whatever_their_ids(a in "[a/%.co]{1,6}", b in "[a/%.co]{1,6}") {
        let (one, other) = (StreamId::Client(a.clone()).to_string(), StreamId::series(&b, "f").to_string());
        prop_assert_eq!(owner(&one) == owner(&other), a == b);
        let coach = StreamId::Coach(b).to_string();
        prop_assert_ne!(owner(&one), owner(&coach));
        prop_assert!(owns(&a, &one));
        prop_assert_eq!(client_of_owner(owner(&one).unwrap()), a);
    }
}

proptest! {
    #[test]
    fn a_changed_keyring_is_read_or_refused(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..4),
        resealed: bool,
    ) {
        let mut bytes = sample();
        for (at, kind, byte) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        let path = PathBuf::from("keyring");
        if let Ok((mut reader, _)) = format::Reader::new(&path, &bytes) {
            let master = master();
            let _ = reader.is_master(&master);
            while let Ok(Some(_)) = reader.next(resealed.then_some(&master)) {}
            prop_assert!(reader.offset() <= bytes.len());
        }
    }
}
