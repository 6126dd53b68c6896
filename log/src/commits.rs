//! Iterators over the commits after a position. They read the log in chunks, see `scan`.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use rollbook_domain::event::{EventRecord, Position};

use crate::commit::IdempotencyKey;
use crate::error::LogError;
use crate::handle::Handle;
use crate::raw_commit::StoredCommit;
use crate::scan::scan;
use crate::stored::{LeafHash, Record, leaf_hash};

/// The stored bytes that are read at a time. Between two chunks no resource of the database is
/// held.
const CHUNK_BYTES: usize = 1 << 20;

/// An iterator over the commits after a position, up to the head at the time of the call.
///
/// If the position is inside a commit, that commit comes without its earlier events. After an error
/// there are no more items. The iterator keeps the log open.
pub struct Commits(ChunkReader);

/// Like [`Commits`], each with the hashes of its events' leaves.
pub struct CommitsWithLeaves(ChunkReader);

/// Like [`Commits`], each in its stored form.
pub struct StoredCommits(ChunkReader);

/// A commit: its events, their leaf hashes if requested, its stored form if requested.
type Item = (Vec<EventRecord>, Vec<LeafHash>, Option<AsStored>);

/// The stored data of a commit that its events do not have.
#[derive(Default)]
struct AsStored {
    key: Option<IdempotencyKey>,
    body_version: u8,
    bodies: Vec<Box<[u8]>>,
}

struct ChunkReader {
    handle: Handle,
    next: Position,
    until: Position,
    with_leaves: bool,
    as_stored: bool,
    chunk: VecDeque<Item>,
}

impl Commits {
    pub(crate) fn new(handle: Handle, after: Position) -> Self {
        let until = handle.head();
        Self(ChunkReader {
            handle,
            next: after.saturating_add(1),
            until,
            with_leaves: false,
            as_stored: false,
            chunk: VecDeque::new(),
        })
    }

    /// The same commits with the hashes of their events' leaves.
    pub fn with_leaves(self) -> CommitsWithLeaves {
        CommitsWithLeaves(ChunkReader { with_leaves: true, ..self.0 })
    }

    /// The same commits in their stored form, with their keys and the bytes of their bodies.
    pub fn as_stored(self) -> StoredCommits {
        StoredCommits(ChunkReader { as_stored: true, ..self.0 })
    }
}

impl ChunkReader {
    fn read_chunk(&mut self) -> Result<(), LogError> {
        // A log without an engine has no events, so this is not reached without one.
        let Some(engine) = self.handle.store().engine() else { return Ok(()) };
        let (after, with_leaves, as_stored, mut bytes) =
            (self.next - 1, self.with_leaves, self.as_stored, 0);
        let (chunk, mut leaf_bytes, keyring) =
            (&mut self.chunk, Vec::new(), self.handle.store().keyring());
        self.next = scan(&*engine, self.next, self.until, |record, stored| {
            let (mut events, mut leaves) = (Vec::new(), Vec::new());
            record.events_after(keyring, after, &mut events)?;
            if with_leaves {
                leaves.reserve(events.len());
                record.leaves(|leaf| {
                    if leaf.position > after {
                        leaf.write(&mut leaf_bytes)?;
                        leaves.push(leaf_hash(&leaf_bytes));
                    }
                    Ok(())
                })?;
            }
            let stored_form = if as_stored { Some(stored_form(record, after)?) } else { None };
            chunk.push_back((events, leaves, stored_form));
            bytes += stored.len();
            Ok(if bytes < CHUNK_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(())
    }

    fn next(&mut self) -> Option<Result<Item, LogError>> {
        if self.chunk.is_empty() && self.next <= self.until {
            let read = self.read_chunk();
            if let Err(error) = read {
                // Return the commits before the error first. The next read finds the error again.
                if self.chunk.is_empty() {
                    self.until = 0;
                    return Some(Err(error));
                }
                self.next = self
                    .chunk
                    .back()
                    .and_then(|(commit, ..)| commit.last())
                    .map_or(self.next, |event| event.position + 1);
            }
        }
        self.chunk.pop_front().map(Ok)
    }
}

impl Iterator for Commits {
    type Item = Result<Vec<EventRecord>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|(events, ..)| events))
    }
}

impl Iterator for CommitsWithLeaves {
    type Item = Result<(Vec<EventRecord>, Vec<LeafHash>), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|(events, leaves, _)| (events, leaves)))
    }
}

impl Iterator for StoredCommits {
    type Item = Result<StoredCommit, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.0.next()?;
        Some(read.map(|(events, _, stored)| {
            let AsStored { key, body_version, bodies } = stored.unwrap_or_default();
            StoredCommit { events, key, body_version, bodies }
        }))
    }
}

fn stored_form(record: &Record<'_>, after: Position) -> Result<AsStored, LogError> {
    let key = record
        .envelope()?
        .key()
        .map(|(key, request)| IdempotencyKey { key: key.to_owned(), request });
    let mut form = AsStored { key, ..AsStored::default() };
    record.leaves(|leaf| {
        form.body_version = leaf.stored_version;
        if leaf.position > after {
            form.bodies.push(leaf.body.into());
        }
        Ok(())
    })?;
    Ok(form)
}
