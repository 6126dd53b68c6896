//! Stores that a test opens in its own process, to look at them or to append what no command
//! appends. While one is open, no command can open it.

use rollbook_application::store::Store;
use rollbook_domain::event::CheckOutcome;
use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::Commit;
use testkit::Exclusive;

/// Opens a store in this process.
pub fn open(store: &testkit::Store) -> Exclusive<Store> {
    Exclusive::new(Store::open(&store.path(), false).unwrap())
}

/// Appends an event to the stream `control`.
pub fn append(store: &Store, event: Event) {
    let event =
        NewEvent { stream: StreamId::Control, id: None, occurred_at: Timestamp::EPOCH, event };
    let commit = Commit {
        events: vec![event],
        expected: Vec::new(),
        actor: Actor::System("test".to_owned()),
        cause: "test".to_owned(),
        key: None,
    };
    store.log().append(commit).unwrap();
}

/// Records a validation with one green or red check, as `migrate validate` does.
pub fn validated(store: &testkit::Store, green: bool) {
    let store = open(store);
    let check =
        CheckOutcome { name: "response-count".to_owned(), green, detail: "made up".to_owned() };
    let at = store.log().head();
    append(&store, Event::ValidationRecorded { digest: String::new(), at, checks: vec![check] });
    store.catch_up(&|_, _| {}).unwrap();
}

/// Every key and value of a store's database as RocksDB gives them, which in its files may be
/// compressed.
pub fn entries(store: &testkit::Store) -> Vec<u8> {
    let copy = tempfile::tempdir().unwrap();
    testkit::copy_directory(&store.path().join("db"), copy.path());
    let options = rocksdb::Options::default();
    let families = rocksdb::DB::list_cf(&options, copy.path()).unwrap();
    let db = rocksdb::DB::open_cf(&options, copy.path(), &families).unwrap();
    let mut entries = Vec::new();
    for family in &families {
        let family = db.cf_handle(family).unwrap();
        for entry in db.iterator_cf(family, rocksdb::IteratorMode::Start) {
            let (key, value) = entry.unwrap();
            entries.extend([&key[..], b"\n", &value[..], b"\n"].concat());
        }
    }
    entries
}
