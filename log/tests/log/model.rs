//! The log compared with a model, a list of commits. Any sequence of operations, including
//! reopening, has the same effect on both.

use std::collections::HashMap;
use std::path::Path;

use proptest::prelude::*;
use rollbook_domain::event::{Event, EventRecord};
use rollbook_log::{AppendError, CommitReceipt, ExpectedVersion, Log};

use crate::support::{Conditions, commit, event, open, stream};

#[derive(Clone, Debug)]
enum Operation {
    /// Streams of the events, in order.
    Append {
        streams: Vec<u8>,
    },
    /// The version is the stream's plus this: 0 is right.
    AppendExpecting {
        stream: u8,
        ahead: u64,
    },
    /// One of a few keys, and the request.
    AppendUnder {
        key: u8,
        request: u8,
        stream: u8,
    },
    ReadStream {
        stream: u8,
        after: u64,
        until: u64,
    },
    ReadFrom {
        after: u64,
    },
    ReadAt {
        position: u64,
    },
    Reopen,
}

fn operation() -> impl Strategy<Value = Operation> {
    let stream = 0..4_u8;
    prop_oneof![
        4 => prop::collection::vec(stream.clone(), 1..6).prop_map(|streams| Operation::Append { streams }),
        3 => (stream.clone(), prop_oneof![3 => Just(0), 1 => 1..3_u64])
            .prop_map(|(stream, ahead)| Operation::AppendExpecting { stream, ahead }),
        3 => (0..3_u8, 0..2_u8, stream.clone()).prop_map(|(key, request, stream)| Operation::AppendUnder { key, request, stream }),
        2 => (stream, 0..12_u64, 0..40_u64).prop_map(|(stream, after, until)| Operation::ReadStream { stream, after, until }),
        2 => (0..40_u64).prop_map(|after| Operation::ReadFrom { after }),
        1 => (0..40_u64).prop_map(|position| Operation::ReadAt { position }),
        1 => Just(Operation::Reopen),
    ]
}

/// The expected content of the log: stream and number of every event, commit by commit.
#[derive(Default)]
struct Model {
    commits: Vec<Vec<(u8, u32)>>,
    keys: HashMap<u8, (u8, CommitReceipt)>,
}

/// An event as both sides name it: position, stream, version, number.
type Place = (u64, String, u64, u32);

impl Model {
    fn head(&self) -> u64 {
        self.commits.iter().map(|commit| commit.len() as u64).sum()
    }

    fn version(&self, stream: u8) -> u64 {
        self.commits.iter().flatten().filter(|(of, _)| *of == stream).count() as u64
    }

    fn append(&mut self, events: Vec<(u8, u32)>) -> CommitReceipt {
        let first = self.head() + 1;
        self.commits.push(events);
        CommitReceipt { first, last: self.head(), repeated: false }
    }

    fn commits(&self) -> Vec<Vec<Place>> {
        let (mut position, mut versions) = (0, HashMap::<u8, u64>::new());
        let mut place = |(of, number): &(u8, u32)| {
            position += 1;
            let version = versions.entry(*of).or_default();
            *version += 1;
            (position, stream(u32::from(*of)).to_string(), *version, *number)
        };
        self.commits.iter().map(|commit| commit.iter().map(&mut place).collect()).collect()
    }
}

fn place(event: &EventRecord) -> Place {
    let Event::AssignmentReopened { week, .. } = event.event else { panic!("{event:?}") };
    (event.position, event.stream.to_string(), event.version, week)
}

struct Harness<'a> {
    dir: &'a Path,
    log: Option<Log>,
    model: Model,
    number: u32,
}

impl Harness<'_> {
    fn events(&mut self, streams: &[u8]) -> (Vec<(u8, u32)>, rollbook_log::Commit) {
        let numbered: Vec<(u8, u32)> = streams
            .iter()
            .map(|stream| {
                self.number += 1;
                (*stream, self.number)
            })
            .collect();
        let events =
            numbered.iter().map(|(of, number)| event(stream(u32::from(*of)), *number)).collect();
        (numbered, commit(events))
    }

    fn log(&self) -> &Log {
        self.log.as_ref().unwrap()
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Append { streams } => {
                let (numbered, commit) = self.events(streams);
                assert_eq!(self.log().append(commit).unwrap(), self.model.append(numbered));
            }
            Operation::AppendExpecting { stream: of, ahead } => {
                let (numbered, commit) = self.events(&[*of]);
                let version = self.model.version(*of);
                let expecting = commit
                    .expecting(&stream(u32::from(*of)), ExpectedVersion::Exact(version + ahead));
                match self.log().append(expecting) {
                    Ok(committed) => {
                        assert_eq!((*ahead, committed), (0, self.model.append(numbered)))
                    }
                    Err(AppendError::VersionConflict { actual, .. }) => {
                        assert_eq!((*ahead > 0, actual), (true, version))
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
            Operation::AppendUnder { key, request, stream } => {
                let (numbered, commit) = self.events(&[*stream]);
                let outcome = self.log().append(commit.under(&format!("key-{key}"), *request));
                match (self.model.keys.get(key), outcome) {
                    (None, Ok(committed)) => {
                        assert_eq!(committed, self.model.append(numbered));
                        self.model.keys.insert(*key, (*request, committed));
                    }
                    (Some((earlier, first)), Ok(committed)) => {
                        assert_eq!(
                            (*request, committed),
                            (*earlier, CommitReceipt { repeated: true, ..*first })
                        )
                    }
                    (
                        Some((earlier, CommitReceipt { first, .. })),
                        Err(AppendError::KeyReused { first: named, .. }),
                    ) => {
                        assert_ne!(request, earlier);
                        assert_eq!(named, *first);
                    }
                    (known, outcome) => panic!("{known:?} is known, {outcome:?}"),
                }
            }
            Operation::ReadStream { stream: of, after, until } => {
                let id = stream(u32::from(*of));
                let read: Vec<Place> = self
                    .log()
                    .stream_until(&id, *after, *until)
                    .unwrap()
                    .iter()
                    .map(place)
                    .collect();
                let wanted = |place: &Place| {
                    place.1 == id.to_string() && place.2 > *after && place.0 <= *until
                };
                assert_eq!(
                    read,
                    self.model.commits().into_iter().flatten().filter(wanted).collect::<Vec<_>>()
                );
                assert_eq!(self.log().stream_version(&id).unwrap(), self.model.version(*of));
            }
            Operation::ReadFrom { after } => {
                let read: Vec<Vec<Place>> = self
                    .log()
                    .commits_after(*after)
                    .map(|commit| commit.unwrap().iter().map(place).collect())
                    .collect();
                let later = |commit: Vec<Place>| {
                    commit.into_iter().filter(|place| place.0 > *after).collect::<Vec<_>>()
                };
                assert_eq!(
                    read,
                    self.model
                        .commits()
                        .into_iter()
                        .map(later)
                        .filter(|commit| !commit.is_empty())
                        .collect::<Vec<_>>()
                );
            }
            Operation::ReadAt { position } => {
                let read = self.log().at(*position).unwrap();
                assert_eq!(
                    read.as_ref().map(place),
                    self.model.commits().into_iter().flatten().find(|place| place.0 == *position)
                );
            }
            Operation::Reopen => {
                self.log = None;
                self.log = Some(open(self.dir));
            }
        }
        assert_eq!(self.log().head(), self.model.head());
    }
}

fn run(operations: &[Operation]) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let mut harness =
        Harness { dir: &store, log: Some(open(&store)), model: Model::default(), number: 0 };
    for operation in operations {
        harness.apply(operation);
    }
    assert_eq!(harness.log().verify(|_| ()).unwrap(), harness.model.head());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_do_the_same_to_log_and_model(operations in prop::collection::vec(operation(), 1..40)) {
        run(&operations);
    }
}

#[test]
fn a_key_is_known_after_opening_again() {
    let under = |request| Operation::AppendUnder { key: 0, request, stream: 1 };
    run(&[under(1), Operation::Reopen, under(1), under(2), Operation::Reopen, under(1)]);
}

#[test]
fn versions_go_on_after_opening_again() {
    let expecting = |ahead| Operation::AppendExpecting { stream: 2, ahead };
    run(&[
        expecting(0),
        Operation::Append { streams: vec![2, 1, 2] },
        Operation::Reopen,
        expecting(1),
        expecting(0),
        Operation::Reopen,
        expecting(0),
    ]);
}

#[test]
fn opening_an_empty_log_again_and_again_is_empty() {
    run(&[
        Operation::Reopen,
        Operation::ReadFrom { after: 0 },
        Operation::Reopen,
        Operation::Append { streams: vec![0] },
        Operation::ReadAt { position: 1 },
    ]);
}
