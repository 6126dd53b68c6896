//! `rollbook verify`: checks a store and writes nothing. Owns finding all damage there is, one damaged commit not hiding the next,
//! and folding every projection afresh in memory to compare; what a sound log is, the log says.

use std::collections::HashMap;

use clap::Args;
use rollbook_domain::event::Version;
use rollbook_domain::{Position, Recorded, StreamId};
use rollbook_log::{Corruption, Log, LogError};
use rollbook_projections::rows::{MemoryRows, RowChanges, RowSource};
use rollbook_projections::runtime::hex;
use rollbook_projections::{Projection, all};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::output::{GOOD, styled};
use super::{Bar, Context, interrupt};
use crate::error::StoreError;
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  rollbook verify
  rollbook verify --log-only --json

Checks that every commit is there, has its checksum and decodes, that positions and stream versions have no gaps, and that every
index entry leads where it should; then folds every projection again in memory and compares the rows. Writes nothing. Not
checked: files beside the database, backups, and what has not been folded yet.";

/// Check the whole store, writing nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArguments {
    /// Check the log, not the projections' rows.
    #[arg(long)]
    log_only: bool,
}

#[derive(Serialize)]
struct Verified {
    head: Position,
    commits: u64,
    projections: Vec<VerifiedRows>,
    not_checked: &'static [&'static str],
}

#[derive(Serialize)]
struct VerifiedRows {
    name: &'static str,
    position: Position,
    rows: u64,
    behind: u64,
}

impl VerifyArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), StoreError> {
        let store = context.open()?;
        let head = store.log().head();
        let mut findings = Findings::default();
        let commits = check_log(store.log(), &mut findings)?;
        let mut projections = Vec::new();
        if !self.log_only && findings.first.is_none() {
            for projection in all() {
                projections.push(check_rows(&store, projection.as_ref(), &mut findings)?);
            }
        }
        if !findings.lines.is_empty() {
            let read = head.saturating_sub(findings.lost);
            return Err(StoreError::Damaged { position: findings.first, read, head, findings: findings.lines });
        }
        let not_checked: &[_] = if self.log_only { &["rows of projections", "backups"] } else { &["backups"] };
        let verified = Verified { head, commits, projections, not_checked };
        context.output.either(&verified, || verified.text())
    }
}

/// All that is wrong.
#[derive(Default)]
struct Findings {
    first: Option<Position>,
    /// How many positions could not be read.
    lost: u64,
    lines: Vec<String>,
}

impl Findings {
    fn damage(&mut self, from: Position, until: Position, corruption: &Corruption) {
        self.first = Some(self.first.map_or(from, |first| first.min(from)));
        let place = if from == until { format!("position {from}") } else { format!("positions {from} to {until}") };
        self.lines.push(format!("{place}: {}", corruption.kind));
    }
}

/// The version each stream is at, counted from its events.
#[derive(Default)]
struct Versions {
    counted: HashMap<StreamId, Version>,
    /// Events were lost: a stream may go on at a higher version than was counted.
    may_skip: bool,
}

impl Versions {
    /// Counts an event; says what is wrong with its version.
    fn count(&mut self, recorded: &Recorded) -> Option<String> {
        let Recorded { position, stream, version, .. } = recorded;
        let before = self.counted.insert(stream.clone(), *version).unwrap_or(0);
        let is_next = if self.may_skip { *version > before } else { *version == before + 1 };
        (!is_next).then(|| format!("position {position}: version {version} of {stream} follows version {before}"))
    }
}

/// Checks the log; returns how many commits it read.
fn check_log(log: &Log, findings: &mut Findings) -> Result<u64, StoreError> {
    let head = log.head();
    let bar = Bar::new("reading the log", "events");
    let mut versions = Versions::default();
    let (mut next, mut commits) = (1, 0);
    while next <= head {
        let mut each = |recorded: &Recorded| {
            if let Some(wrong) = versions.count(recorded) {
                findings.first = findings.first.or(Some(recorded.position));
                findings.lines.push(wrong);
            }
        };
        let (reached, read, damage) = read_until_damage(log, next, &bar, &mut each)?;
        commits += read;
        next = reached;
        if let Some(corruption) = damage {
            let after = after_damage(log, next, head);
            findings.damage(next, after - 1, &corruption);
            findings.lost += after - next;
            versions.may_skip = true;
            next = after;
        }
    }
    if findings.lines.is_empty() {
        check_indexes(log, findings)?;
    }
    Ok(commits)
}

/// Reads commits from `next` on: where it stopped, how many it read, and the damage that stopped it.
fn read_until_damage(
    log: &Log,
    mut next: Position,
    bar: &Bar,
    each: &mut impl FnMut(&Recorded),
) -> Result<(Position, u64, Option<Corruption>), StoreError> {
    let mut commits = 0;
    for commit in log.commits_after(next - 1) {
        match commit {
            Ok(commit) => {
                interrupt::check()?;
                commit.iter().for_each(&mut *each);
                next = commit.last().map_or(next, |last| last.position + 1);
                commits += 1;
                bar.set(next - 1, log.head());
            }
            Err(LogError::Corrupt(corruption)) => return Ok((next, commits, Some(corruption))),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((next, commits, None))
}

/// The first position behind damage at `from` that can be read, or the one after the head.
fn after_damage(log: &Log, from: Position, head: Position) -> Position {
    (from + 1..=head).find(|position| matches!(log.at(*position), Ok(Some(_)))).unwrap_or(head + 1)
}

/// What the log checks of itself beyond reading: that every index entry is there and right.
fn check_indexes(log: &Log, findings: &mut Findings) -> Result<(), StoreError> {
    let bar = Bar::new("checking indexes", "events");
    match log.verify(|position| bar.fold_progress(position, log.head())) {
        Ok(_head) => Ok(()),
        Err(LogError::Corrupt(corruption)) => {
            findings.damage(corruption.position, corruption.position, &corruption);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// So many events are folded in memory before rows are encoded.
const EVENTS_A_BATCH: usize = 16_384;

/// Folds a projection afresh, up to where its rows are, and compares.
fn check_rows(store: &Store, projection: &dyn Projection, findings: &mut Findings) -> Result<VerifiedRows, StoreError> {
    let name = projection.name();
    let checkpoint = store.runtime().checkpoints()?.into_iter().find(|(known, _)| *known == name).map_or(0, |(_, position)| position);
    let (rows, stored) = store.runtime().digest(name)?;
    let (fresh_rows, fresh) = fold_in_memory(store.log(), projection, checkpoint)?;
    if stored != fresh {
        findings.lines.push(format!(
            "the {rows} rows of {name} at position {checkpoint} are not what the log says ({fresh_rows} rows); `rollbook rebuild {name}` builds them again"
        ));
    }
    Ok(VerifiedRows { name, position: checkpoint, rows, behind: store.log().head() - checkpoint })
}

fn fold_in_memory(log: &Log, projection: &dyn Projection, until: Position) -> Result<(u64, String), StoreError> {
    let bar = Bar::new(&format!("folding {} in memory", projection.name()), "events");
    let mut rows = MemoryRows::default();
    let mut commits = log.commits_after(0).with_leaves().peekable();
    let mut reached = 0;
    while reached < until && commits.peek().is_some() {
        interrupt::check()?;
        let mut changes = RowChanges::new(&rows);
        let mut events = 0;
        while reached < until && events < EVENTS_A_BATCH {
            let Some((commit, leaves)) = commits.next().transpose()? else { break };
            projection.fold(&mut changes, &commit)?;
            projection.fold_leaves(&mut changes, reached + 1, &leaves)?;
            events += commit.len();
            reached = commit.last().map_or(until, |last| last.position);
        }
        let changes = changes.finish()?;
        rows.absorb(changes);
        bar.set(reached, until);
    }
    digest(&rows)
}

/// The count and the digest of rows, in the form of [`rollbook_projections::Runtime::digest`].
fn digest(rows: &MemoryRows) -> Result<(u64, String), StoreError> {
    let (mut digest, mut count) = (Sha256::new(), 0);
    rows.scan(b"", &mut |key, value| {
        for part in [key, value] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        count += 1;
        Ok(())
    })?;
    Ok((count, hex(&digest.finalize())))
}

impl Verified {
    fn text(&self) -> String {
        let mut text = format!("{}: {} commits, {} events\n", styled(GOOD, "the log is sound"), self.commits, self.head);
        for VerifiedRows { name, position, rows, behind } in &self.projections {
            let behind = if *behind == 0 { String::new() } else { format!(", {behind} events not folded yet") };
            text.push_str(&format!("{name}: {rows} rows as the log says at position {position}{behind}\n"));
        }
        text.push_str(&format!("not checked: {}\n", self.not_checked.join(", ")));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollbook_domain::{Actor, Event, Timestamp};

    fn event(position: Position, stream: &StreamId, version: Version) -> Recorded {
        Recorded {
            position,
            stream: stream.clone(),
            version,
            id: uuid::Uuid::nil(),
            occurred_at: Timestamp::EPOCH,
            recorded_at: Timestamp::EPOCH,
            actor: Actor::System("test".to_owned()),
            cause: String::new(),
            event: Event::StageRecorded { stage: String::new(), note: String::new() },
        }
    }

    #[test]
    fn a_version_that_repeats_or_skips_is_found_and_one_behind_lost_events_is_not() {
        let (one, other) = (StreamId::Form("one".to_owned()), StreamId::Form("other".to_owned()));
        let mut versions = Versions::default();
        assert_eq!(versions.count(&event(1, &one, 1)), None);
        assert_eq!(versions.count(&event(2, &one, 2)), None);
        assert_eq!(versions.count(&event(3, &other, 2)), Some("position 3: version 2 of form/other follows version 0".to_owned()));
        assert_eq!(versions.count(&event(4, &one, 2)), Some("position 4: version 2 of form/one follows version 2".to_owned()));
        versions.may_skip = true;
        assert_eq!(versions.count(&event(9, &one, 5)), None);
        assert!(versions.count(&event(10, &one, 5)).is_some());
    }
}
