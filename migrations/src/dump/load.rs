//! Loading a dump into a new store. Owns that what comes out is what was dumped, or nothing: every line is held against the one before, the
//! digest against the bytes, and the new store's own dump against the file, before the store appears.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rollbook_domain::{NewEvent, StreamId, Timestamp, Version};
use rollbook_log::{Beside, COMMIT_LIMIT_BYTES, Commit, Durability, ExpectedVersion, IdempotencyKey, Log, LogError, OpenOptions};
use rollbook_projections::Runtime;
use rollbook_projections::runtime::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DumpError, FORMAT, Header, Line, Progress, Trailer};

/// Longer than any line: JSON escapes at most six-fold what a commit may hold.
const LINE_LIMIT_BYTES: u64 = 8 * COMMIT_LIMIT_BYTES as u64;

/// What was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loaded {
    /// The dump's first line.
    pub header: Header,
    /// Its last line.
    pub trailer: Trailer,
}

/// Makes a store of a dump in a directory that must not exist. `path` is for messages; `options` says how the new store is made.
///
/// # Errors
/// When the directory exists, the dump is cut short or edited, or the disk refuses: then there is no store.
pub fn load(dump: &mut dyn BufRead, path: &Path, data: &Path, options: &OpenOptions, progress: Progress<'_>) -> Result<Loaded, DumpError> {
    let beside = Beside::begin(data)?;
    // The store is made under a hidden name: its master key is the one of its place, or a new one that is laid there in the end.
    let options = &OpenOptions { master_key: options.master_key.for_new_store(data).map_err(LogError::from)?, ..options.clone() };
    let mut lines = Lines { dump, path: path.to_owned(), line: 0, digest: Sha256::new() };
    let header = lines.header()?;
    let clock = Arc::new(Mutex::new(Timestamp::EPOCH));
    let told = clock.clone();
    let log = Log::open(
        beside.path(),
        OpenOptions {
            create: true,
            // Closing syncs, and nobody finds the store before.
            durability: Durability::Buffered,
            clock: Arc::new(move || *told.lock().unwrap_or_else(PoisonError::into_inner)),
            store_id: Some(header.store),
            ..options.clone()
        },
    )?;
    let trailer =
        Loading { log: &log, clock, header: &header, commit: Vec::new(), key: None, commits: 0, next: 1 }.run(&mut lines, progress)?;
    drop(log);
    dumps_the_same(&beside, path, options, &trailer, progress)?;
    let master_key = if options.unsealed { None } else { options.master_key.keep_beside(data).map_err(LogError::from)? };
    if let (Some(path), Some(tell)) = (master_key, &options.on_new_master_key) {
        tell(&path);
    }
    beside.publish()?;
    Ok(Loaded { header, trailer })
}

/// Opens the new store as whoever comes next will, and dumps it.
fn dumps_the_same(beside: &Beside, path: &Path, options: &OpenOptions, trailer: &Trailer, progress: Progress<'_>) -> Result<(), DumpError> {
    let log = Log::open(beside.path(), OpenOptions { create: false, ..options.clone() })?;
    let dumped = super::write(&Runtime::new(log, rollbook_projections::all()), &mut io::sink(), progress)?;
    if dumped.trailer == *trailer {
        return Ok(());
    }
    Err(DumpError::Differs { path: path.to_owned(), expected: trailer.sha256.clone(), found: dumped.trailer.sha256 })
}

/// A dump's lines, counted and digested.
struct Lines<'d> {
    dump: &'d mut dyn BufRead,
    path: PathBuf,
    line: u64,
    digest: Sha256,
}

impl Lines<'_> {
    fn wrong(&self, what: impl Into<String>) -> DumpError {
        DumpError::Line { path: self.path.clone(), line: self.line, what: what.into() }
    }

    /// The next line with its end; empty behind the last.
    fn next(&mut self) -> Result<Vec<u8>, DumpError> {
        let mut line = Vec::new();
        self.line += 1;
        let read = (&mut *self.dump).take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line);
        read.map_err(|source| DumpError::Read { path: self.path.clone(), source })?;
        if line.is_empty() || line.ends_with(b"\n") { Ok(line) } else { Err(self.wrong("the line has no end")) }
    }

    fn header(&mut self) -> Result<Header, DumpError> {
        #[derive(Deserialize)]
        struct Format {
            rollbook_dump: u64,
        }
        let line = self.next()?;
        let no_header = |error: serde_json::Error, lines: &Self| lines.wrong(format!("no header of a dump: {error}"));
        let Format { rollbook_dump: found } = serde_json::from_slice(&line).map_err(|error| no_header(error, self))?;
        if found != FORMAT {
            return Err(DumpError::Newer { path: self.path.clone(), found, known: FORMAT });
        }
        let header: Header = serde_json::from_slice(&line).map_err(|error| no_header(error, self))?;
        self.digest.update(&line);
        Ok(header)
    }
}

struct Loading<'l> {
    log: &'l Log,
    clock: Arc<Mutex<Timestamp>>,
    header: &'l Header,
    /// The events of the commit that is being read.
    commit: Vec<Line<'static>>,
    key: Option<IdempotencyKey>,
    commits: u64,
    next: u64,
}

impl Loading<'_> {
    fn run(mut self, lines: &mut Lines<'_>, progress: Progress<'_>) -> Result<Trailer, DumpError> {
        loop {
            let bytes = lines.next()?;
            if bytes.is_empty() {
                return Err(lines.wrong("the last line is missing"));
            }
            if bytes.starts_with(br#"{"rollbook_dump_end""#) {
                self.append(lines)?;
                return self.trailer(&bytes, lines);
            }
            lines.digest.update(&bytes);
            let line: Line<'static> = serde_json::from_slice(&bytes).map_err(|error| lines.wrong(format!("no event: {error}")))?;
            if line.position != self.next {
                return Err(lines.wrong(format!("position {} follows {}", line.position, self.next - 1)));
            }
            self.next += 1;
            if line.commit == line.position {
                self.append(lines)?;
                if progress(line.position, self.header.head) {
                    return Err(DumpError::Interrupted);
                }
                self.key = key(&line, lines)?;
            } else if let Some(first) = self.commit.first() {
                let belongs = (line.commit, line.recorded_at, &line.actor, &line.cause, line.key.is_none())
                    == (first.commit, first.recorded_at, &first.actor, &first.cause, true);
                if !belongs {
                    return Err(lines.wrong(format!("this event is not of the commit of position {}", first.commit)));
                }
            } else {
                return Err(lines.wrong("the first event of its commit is missing"));
            }
            self.commit.push(line);
        }
    }

    /// Appends the commit that was read.
    fn append(&mut self, lines: &Lines<'_>) -> Result<(), DumpError> {
        let read = std::mem::take(&mut self.commit);
        let Some(first) = read.first() else { return Ok(()) };
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = first.recorded_at;
        let (position, recorded_at) = (first.position, first.recorded_at);
        let (actor, cause) = (first.actor.clone().into_owned(), first.cause.clone().into_owned());
        // The first version of each stream, and the one that comes next.
        let mut streams: HashMap<StreamId, (Version, Version)> = HashMap::new();
        let mut events = Vec::with_capacity(read.len());
        for line in read {
            let (stream, event) = (line.stream.into_owned(), line.event.into_owned());
            let (_, next) = streams.entry(stream.clone()).or_insert((line.version, line.version));
            if line.version != *next || line.version == 0 {
                return Err(lines.wrong(format!("version {} of {stream} does not follow", line.version)));
            }
            *next += 1;
            events.push(NewEvent { stream, id: Some(line.id), occurred_at: line.occurred_at, event });
        }
        let expected = streams.into_iter().map(|(stream, (first, _))| (stream, ExpectedVersion::Exact(first - 1))).collect();
        let commit = Commit { events, expected, actor, cause, key: self.key.take() };
        let refused = |source| DumpError::Append { path: lines.path.clone(), line: lines.line - 1, source };
        let committed = self.log.append(commit).map_err(refused)?;
        let stored = self.log.at(position)?.map(|stored| stored.recorded_at);
        if committed.first != position || stored != Some(recorded_at) {
            return Err(lines.wrong(format!("the commit of position {position} is recorded before the one before it")));
        }
        self.commits += 1;
        Ok(())
    }

    fn trailer(&self, bytes: &[u8], lines: &mut Lines<'_>) -> Result<Trailer, DumpError> {
        let trailer: Trailer = serde_json::from_slice(bytes).map_err(|error| lines.wrong(format!("no last line of a dump: {error}")))?;
        let found = Trailer {
            rollbook_dump_end: FORMAT,
            events: self.next - 1,
            commits: self.commits,
            sha256: hex(&std::mem::take(&mut lines.digest).finalize()),
        };
        if trailer != found {
            let (expected, found) = (serde_json::to_string(&trailer), serde_json::to_string(&found));
            let (expected, found) = (expected.unwrap_or_default(), found.unwrap_or_default());
            return Err(lines.wrong(format!("the lines before are {found}, this one says {expected}")));
        }
        if !lines.next()?.is_empty() {
            return Err(lines.wrong("something follows the last line"));
        }
        if self.header.head != found.events {
            return Err(lines.wrong(format!("the header says {} events, there are {}", self.header.head, found.events)));
        }
        Ok(trailer)
    }
}

/// The idempotency key on a line.
fn key(line: &Line<'_>, lines: &Lines<'_>) -> Result<Option<IdempotencyKey>, DumpError> {
    let Some(key) = &line.key else { return Ok(None) };
    let digits: Option<Vec<u8>> = (0..32).map(|at| u8::from_str_radix(key.request.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    let request = digits.filter(|_| key.request.len() == 64).and_then(|digits| digits.try_into().ok());
    let request = request.ok_or_else(|| lines.wrong("the request of its key is no SHA-256"))?;
    Ok(Some(IdempotencyKey { key: key.key.clone(), request }))
}
