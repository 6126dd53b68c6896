//! Folding commits into rows. Rows and checkpoints are written together, in batches, and a
//! checkpoint never passes an event that was not folded. One thread decodes ahead of the fold.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use rollbook_domain::{Event, EventRecord, Position};
use rollbook_log::{LeafHash, Log, LogError, RowBatch};

use super::Progress;
use super::fold_memory::FoldMemory;
use super::state::{Role, State, put_state, row_prefix};
use crate::error::ProjectionError;
use crate::projection::DynProjection;
use crate::rows::{LiveRows, RowChanges};

/// Rows and checkpoints are written after this many events,
const EVENTS_A_BATCH: usize = 16_384;
/// or after this many decoded rows in memory.
const ROWS_A_BATCH: usize = 4_096;
/// The decoding thread passes on chunks of this many events. Fewer events are folded without a
/// second thread.
const EVENTS_A_CHUNK: usize = 1_024;
/// How many chunks may wait. Each thread holds one more; together this bounds memory.
const CHUNKS_AHEAD: usize = 2;

/// A commit's events, with their leaf hashes if some target wants them.
type Decoded = Result<(Vec<EventRecord>, Vec<LeafHash>), LogError>;

/// A generation of rows that is being folded.
pub(super) struct Target<'r> {
    pub(super) projection: &'r dyn DynProjection,
    pub(super) state: State,
    pub(super) role: Role,
}

/// Folds the log into every target, up to `until`, the position of a commit's last event. Another
/// thread decodes while this one folds. The rows are written to `into`: the same log, or a scratch
/// store. `memory` caches rows; only the holder of the lock of folding has it.
pub(super) fn fold(
    (log, into): (&Log, &Log),
    targets: &mut [Target<'_>],
    until: Position,
    mut memory: Option<&mut FoldMemory>,
    progress: Progress<'_>,
) -> Result<(), ProjectionError> {
    let Some(from) =
        targets.iter().map(|target| target.state.checkpoint).min().filter(|from| *from < until)
    else {
        return Ok(());
    };
    let commits = log.commits_after(from);
    let mut commits: Box<dyn Iterator<Item = Decoded> + Send> =
        if targets.iter().any(|target| target.projection.wants_leaves()) {
            Box::new(commits.with_leaves())
        } else {
            Box::new(commits.map(|commit| Ok((commit?, Vec::new()))))
        };
    let is_short = until - from <= EVENTS_A_CHUNK as u64;
    if !is_short && let Some(memory) = memory.take() {
        // Each row changes once in a long fold, so caching would only cost.
        memory.clear();
    }
    let mut folding = FoldState {
        into,
        targets,
        from,
        reached: from,
        until,
        batch: RowBatch::new(),
        memory,
        spent: None,
    };
    if is_short {
        return folding.run(&mut commits, progress);
    }
    let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
    let (spent, returned) = channel();
    folding.spent = Some(spent);
    std::thread::scope(|scope| {
        let decoder = std::thread::Builder::new().name("rollbook-decode".to_owned());
        decoder
            .spawn_scoped(scope, move || decode(commits, until, &sender, &returned))
            .map_err(LogError::Thread)?;
        // This closure owns the receiver: if folding stops early, the next send of the other
        // thread fails, and that thread ends too.
        folding.run(&mut chunks.into_iter().flatten(), progress)
    })
}

fn decode(
    commits: impl Iterator<Item = Decoded>,
    until: Position,
    sender: &SyncSender<Vec<Decoded>>,
    returned: &Receiver<Vec<EventRecord>>,
) {
    let (mut chunk, mut events) = (Vec::new(), 0);
    for commit in commits {
        let last =
            commit.as_ref().ok().and_then(|(commit, _)| commit.last()).map(|last| last.position);
        events += commit.as_ref().map_or(0, |(commit, _)| commit.len());
        commit.iter().flat_map(|(commit, _)| commit).for_each(read_ahead);
        chunk.push(commit);
        let ends = last.is_none_or(|last| last >= until);
        if events >= EVENTS_A_CHUNK || ends {
            if sender.send(std::mem::take(&mut chunk)).is_err() || ends {
                return;
            }
            events = 0;
            // Folded commits are dropped by the thread that allocated them, where that costs least.
            returned.try_iter().for_each(drop);
        }
    }
}

/// Parses an imported document on the decoding thread, which has time for it. The content is cached
/// in the document for all folds.
fn read_ahead(recorded: &EventRecord) {
    if let Event::DocumentImported(document) | Event::DocumentChanged(document) = &recorded.event {
        document.content();
    }
}

struct FoldState<'r, 't, 'p> {
    into: &'r Log,
    targets: &'t mut [Target<'p>],
    from: Position,
    reached: Position,
    until: Position,
    /// Empty between batches; its memory is reused.
    batch: RowBatch,
    memory: Option<&'t mut FoldMemory>,
    /// Returns folded commits to the decoding thread.
    spent: Option<Sender<Vec<EventRecord>>>,
}

impl FoldState<'_, '_, '_> {
    fn run(
        &mut self,
        commits: &mut dyn Iterator<Item = Decoded>,
        progress: Progress<'_>,
    ) -> Result<(), ProjectionError> {
        while self.reached < self.until {
            self.batch(commits)?;
            progress(self.reached - self.from, self.until - self.from);
        }
        Ok(())
    }

    /// Folds one batch, and writes its rows and checkpoints together.
    fn batch(&mut self, commits: &mut dyn Iterator<Item = Decoded>) -> Result<(), ProjectionError> {
        let rows = self.into.rows();
        let sources: Vec<LiveRows<'_>> = (self.targets.iter())
            .map(|target| {
                LiveRows::new(&rows, row_prefix(target.projection.name(), target.state.generation))
            })
            .collect();
        let mut changes: Vec<RowChanges<'_>> = Vec::with_capacity(sources.len());
        for (target, source) in self.targets.iter().zip(&sources) {
            changes.push(match &mut self.memory {
                Some(memory) => RowChanges::with_cache(
                    source,
                    memory.take(target.projection.name(), target.state),
                ),
                None => RowChanges::new(source),
            });
        }
        self.reached = self.fold_commits(commits, &mut changes)?;
        if let Some(memory) = &mut self.memory {
            self.batch = std::mem::take(&mut memory.batch);
        }
        self.batch.clear();
        for (target, changes) in self.targets.iter_mut().zip(&mut changes) {
            let name = target.projection.name();
            changes.write_to(&row_prefix(name, target.state.generation), &mut self.batch)?;
            target.state.checkpoint = target.state.checkpoint.max(self.reached);
            put_state(&mut self.batch, name, target.role, target.state)?;
        }
        rows.write(&self.batch)?;
        if let Some(memory) = &mut self.memory {
            memory.batch = std::mem::take(&mut self.batch);
            for (target, changes) in self.targets.iter().zip(changes) {
                if let Some(cache) = changes.into_cache() {
                    memory.put(target.projection.name(), target.state, cache);
                }
            }
        }
        Ok(())
    }

    /// Folds commits until a batch is full or the end is reached. Returns the last position.
    fn fold_commits(
        &self,
        commits: &mut dyn Iterator<Item = Decoded>,
        changes: &mut [RowChanges<'_>],
    ) -> Result<Position, ProjectionError> {
        let mut events = 0;
        let mut reached = self.reached;
        for commit in commits {
            let (commit, leaves) = commit?;
            events += commit.len();
            reached = commit.last().map_or(reached, |last| last.position);
            for (target, changes) in self.targets.iter().zip(changes.iter_mut()) {
                if reached > target.state.checkpoint {
                    target.projection.fold(changes, &commit)?;
                    if let (true, Some(first)) = (target.projection.wants_leaves(), commit.first())
                    {
                        target.projection.fold_leaves(changes, first.position, &leaves)?;
                    }
                }
            }
            if let Some(spent) = &self.spent {
                // If the decoding thread has ended, the commit is dropped here.
                let _ended = spent.send(commit);
            }
            let held: usize = changes.iter().map(RowChanges::len).sum();
            if events >= EVENTS_A_BATCH || held >= ROWS_A_BATCH || reached >= self.until {
                return Ok(reached);
            }
        }
        // A checkpoint at `until` would skip the missing events for ever.
        Err(ProjectionError::CutShort { reached, until: self.until })
    }
}
