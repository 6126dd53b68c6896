//! Loading a dump into a new store. Either the result is identical to the dumped store or there is
//! none: every line is checked against the previous one, the digest against the bytes, and a dump
//! of the new store against the file, before the store is published.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_domain::{NewEvent, StreamId, Timestamp, Version};
use rollbook_log::{
    BODY_VERSION, COMMIT_LIMIT_BYTES, Commit, Durability, ExpectedVersion, IdempotencyKey, Log,
    LogError, MasterKeySource, OpenOptions, RawCommit, RawEvent, StagedDirectory,
};
use rollbook_projections::Runtime;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{DumpError, DumpSummary, FORMAT, Form, Header, Line, Progress, Trailer};

/// More than the longest line: JSON escapes make the data of a commit at most six times longer.
const LINE_LIMIT_BYTES: u64 = 8 * COMMIT_LIMIT_BYTES as u64;

/// The last step on a store before it is published. Called with the directory that it is built in
/// and the options to open it.
pub type Finish<'a> =
    &'a mut dyn FnMut(&Path, &OpenOptions) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Makes a store of a dump, in a directory that must not exist. `path` is the name of the dump in
/// errors.
///
/// A clear dump gives a store that is sealed or unsealed as `options` says. A sealed dump gives a
/// store with the keyring of the dump and needs its master key. `finish` is called when the store
/// is complete and not yet published.
///
/// # Errors
/// If the directory exists, the dump is truncated or edited, the master key is another one, or
/// the disk fails. Then there is no store.
pub fn load(
    dump: &mut dyn BufRead,
    path: &Path,
    data: &Path,
    options: &OpenOptions,
    finish: Finish<'_>,
    progress: Progress<'_>,
) -> Result<DumpSummary, DumpError> {
    let beside = StagedDirectory::begin(data)?;
    let mut lines = Lines { dump, path: path.to_owned(), line: 0, digest: Sha256::new() };
    let header = lines.header()?;
    let options = with_key(options, data, header.form)?;
    let clock = Arc::new(Mutex::new(Timestamp::EPOCH));
    let shared_clock = clock.clone();
    let building = OpenOptions {
        create: true,
        // Closing syncs, and the store is not published before.
        durability: Durability::Buffered,
        clock: Arc::new(move || *shared_clock.lock().unwrap_or_else(PoisonError::into_inner)),
        store_id: Some(header.store),
        // Sealed bodies are copied without a key. The keyring is written afterwards.
        unsealed: options.unsealed || header.form == Form::Sealed,
        on_new_master_key: None,
        ..options.clone()
    };
    let log = Log::open(beside.path(), building)?;
    let trailer = Loader {
        log: &log,
        clock,
        header: &header,
        commit: Vec::new(),
        key: None,
        recorded_at: Timestamp::EPOCH,
        commits: 0,
        next: 1,
    }
    .run(&mut lines, progress)?;
    drop(log);
    if let Some(keyring) = &header.keyring {
        let bytes = BASE64_STANDARD
            .decode(keyring)
            .map_err(|error| lines.wrong(format!("the header's keyring is not base64: {error}")))?;
        Log::replace_keyring(beside.path(), &bytes)?;
    }
    let summary = DumpSummary { header, trailer };
    check_dump(&beside, path, &options, &summary, progress)?;
    finish(beside.path(), &OpenOptions { create: false, ..options.clone() })
        .map_err(|source| DumpError::Finish { path: path.to_owned(), source })?;
    let made = if options.unsealed {
        None
    } else {
        options.master_key.keep_beside(data).map_err(LogError::from)?
    };
    if let (Some(path), Some(tell)) = (made, &options.on_new_master_key) {
        tell(&path);
    }
    beside.publish()?;
    Ok(summary)
}

/// The options with the master key of the final directory, because the store is built under a
/// temporary name. A clear dump may get a new key; a sealed dump needs its own, and an error names
/// the file where it is expected.
fn with_key(options: &OpenOptions, data: &Path, form: Form) -> Result<OpenOptions, LogError> {
    let master_key = match (&options.master_key, form) {
        (MasterKeySource::Beside, Form::Sealed) => {
            MasterKeySource::File(MasterKeySource::beside(data))
        }
        (source, _) => source.for_new_store(data)?,
    };
    Ok(OpenOptions { master_key, ..options.clone() })
}

/// Opens the new store as any later user will, and compares its dump with the loaded one.
fn check_dump(
    beside: &StagedDirectory,
    path: &Path,
    options: &OpenOptions,
    loaded: &DumpSummary,
    progress: Progress<'_>,
) -> Result<(), DumpError> {
    let log = Log::open(beside.path(), OpenOptions { create: false, ..options.clone() })?;
    let runtime = Runtime::new(log, rollbook_projections::all());
    let dumped = super::write(&runtime, loaded.header.form, &mut io::sink(), progress)?;
    if dumped == *loaded {
        return Ok(());
    }
    let (expected, found) = (loaded.trailer.sha256.clone(), dumped.trailer.sha256);
    Err(DumpError::Differs { path: path.to_owned(), expected, found })
}

/// Reads the lines of a dump, counts them and computes their digest.
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

    /// The next line with its newline; empty after the last.
    fn next(&mut self) -> Result<Vec<u8>, DumpError> {
        let mut line = Vec::new();
        self.line += 1;
        let read = (&mut *self.dump).take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line);
        read.map_err(|source| DumpError::Read { path: self.path.clone(), source })?;
        if line.is_empty() || line.ends_with(b"\n") {
            Ok(line)
        } else {
            Err(self.wrong("the line does not end with a newline"))
        }
    }

    fn header(&mut self) -> Result<Header, DumpError> {
        #[derive(Deserialize)]
        struct Format {
            rollbook_dump: u64,
        }
        let line = self.next()?;
        let no_header = |error: serde_json::Error, lines: &Self| {
            lines.wrong(format!("not the header of a dump: {error}"))
        };
        let Format { rollbook_dump: found } =
            serde_json::from_slice(&line).map_err(|error| no_header(error, self))?;
        if found != FORMAT {
            return Err(DumpError::Newer { path: self.path.clone(), found, known: FORMAT });
        }
        let header: Header =
            serde_json::from_slice(&line).map_err(|error| no_header(error, self))?;
        self.digest.update(&line);
        Ok(header)
    }
}

struct Loader<'l> {
    log: &'l Log,
    clock: Arc<Mutex<Timestamp>>,
    header: &'l Header,
    /// The events of the current commit.
    commit: Vec<Line<'static>>,
    key: Option<IdempotencyKey>,
    /// When the previous commit was recorded.
    recorded_at: Timestamp,
    commits: u64,
    next: u64,
}

impl Loader<'_> {
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
            let line: Line<'static> = serde_json::from_slice(&bytes)
                .map_err(|error| lines.wrong(format!("not an event: {error}")))?;
            if line.position != self.next {
                return Err(lines.wrong(format!(
                    "position {} follows {}",
                    line.position,
                    self.next - 1
                )));
            }
            self.next += 1;
            if line.commit == line.position {
                self.append(lines)?;
                if progress(line.position, self.header.head) {
                    return Err(DumpError::Interrupted);
                }
                self.key = key(&line, lines)?;
            } else if let Some(first) = self.commit.first() {
                let belongs =
                    (line.commit, line.recorded_at, &line.actor, &line.cause, line.key.is_none())
                        == (first.commit, first.recorded_at, &first.actor, &first.cause, true);
                if !belongs {
                    return Err(lines.wrong(format!(
                        "this event does not belong to the commit at position {}",
                        first.commit
                    )));
                }
            } else {
                return Err(lines.wrong("the first event of its commit is missing"));
            }
            self.commit.push(line);
        }
    }

    /// Appends the current commit.
    fn append(&mut self, lines: &Lines<'_>) -> Result<(), DumpError> {
        let read = std::mem::take(&mut self.commit);
        let Some(first) = read.first() else { return Ok(()) };
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = first.recorded_at;
        let (position, recorded_at) = (first.position, first.recorded_at);
        let (actor, cause) = (first.actor.clone().into_owned(), first.cause.clone().into_owned());
        // The first and the next version of each stream.
        let mut streams: HashMap<StreamId, (Version, Version)> = HashMap::new();
        for line in &read {
            let (_, next) = streams
                .entry(line.stream.clone().into_owned())
                .or_insert((line.version, line.version));
            if line.version != *next || line.version == 0 {
                return Err(lines.wrong(format!(
                    "version {} of {} does not follow",
                    line.version, line.stream
                )));
            }
            *next += 1;
        }
        let expected = streams
            .into_iter()
            .map(|(stream, (first, _))| (stream, ExpectedVersion::Exact(first - 1)))
            .collect();
        let key = self.key.take();
        let appended = match self.header.form {
            Form::Clear => self.log.append(Commit {
                events: clear_events(read, lines)?,
                expected,
                actor,
                cause,
                key,
            }),
            Form::Sealed => self.log.append_raw(RawCommit {
                events: sealed_events(read, lines)?,
                expected,
                actor,
                cause,
                key,
            }),
        };
        let refused =
            |source| DumpError::Append { path: lines.path.clone(), line: lines.line - 1, source };
        let committed = appended.map_err(refused)?;
        // The log never records decreasing times, so it would have recorded another time.
        if committed.first != position || recorded_at < self.recorded_at {
            return Err(lines.wrong(format!(
                "the commit at position {position} has an earlier time than the previous one"
            )));
        }
        self.recorded_at = recorded_at;
        self.commits += 1;
        Ok(())
    }

    fn trailer(&self, bytes: &[u8], lines: &mut Lines<'_>) -> Result<Trailer, DumpError> {
        let trailer: Trailer = serde_json::from_slice(bytes)
            .map_err(|error| lines.wrong(format!("not the last line of a dump: {error}")))?;
        let found = Trailer {
            rollbook_dump_end: FORMAT,
            events: self.next - 1,
            commits: self.commits,
            sha256: const_hex::encode(std::mem::take(&mut lines.digest).finalize()),
        };
        if trailer != found {
            let (expected, found) =
                (serde_json::to_string(&trailer), serde_json::to_string(&found));
            let (expected, found) = (expected.unwrap_or_default(), found.unwrap_or_default());
            return Err(
                lines.wrong(format!("the lines before are {found}, this one says {expected}"))
            );
        }
        if !lines.next()?.is_empty() {
            return Err(lines.wrong("there is data after the last line"));
        }
        if self.header.head != found.events {
            return Err(lines.wrong(format!(
                "the header says {} events, there are {}",
                self.header.head, found.events
            )));
        }
        Ok(trailer)
    }
}

/// The events of a commit of a clear dump.
fn clear_events(read: Vec<Line<'static>>, lines: &Lines<'_>) -> Result<Vec<NewEvent>, DumpError> {
    let event = |line: Line<'static>| {
        let (Some(event), None) = (line.event, line.stored) else {
            return Err(lines.wrong("an event of a clear dump must be JSON"));
        };
        Ok(NewEvent {
            stream: line.stream.into_owned(),
            id: Some(line.id),
            occurred_at: line.occurred_at,
            event: event.into_owned(),
        })
    };
    read.into_iter().map(event).collect()
}

/// The events of a commit of a sealed dump.
fn sealed_events(read: Vec<Line<'static>>, lines: &Lines<'_>) -> Result<Vec<RawEvent>, DumpError> {
    let event = |line: Line<'static>| {
        let (None, Some(stored)) = (line.event, line.stored) else {
            return Err(lines.wrong("an event of a sealed dump must be as stored"));
        };
        if stored.version != BODY_VERSION {
            let what = format!(
                "its body has version {}, this build copies version {BODY_VERSION}",
                stored.version
            );
            return Err(lines.wrong(what));
        }
        let body = BASE64_STANDARD
            .decode(&stored.body)
            .map_err(|error| lines.wrong(format!("its body is not base64: {error}")))?;
        Ok(RawEvent {
            stream: line.stream.into_owned(),
            id: line.id,
            occurred_at: line.occurred_at,
            body,
        })
    };
    read.into_iter().map(event).collect()
}

/// The idempotency key on a line.
fn key(line: &Line<'_>, lines: &Lines<'_>) -> Result<Option<IdempotencyKey>, DumpError> {
    let Some(key) = &line.key else { return Ok(None) };
    let digits: Option<Vec<u8>> = (0..32)
        .map(|at| u8::from_str_radix(key.request.get(2 * at..2 * at + 2)?, 16).ok())
        .collect();
    let request =
        digits.filter(|_| key.request.len() == 64).and_then(|digits| digits.try_into().ok());
    let request = request.ok_or_else(|| lines.wrong("the request of its key is no SHA-256"))?;
    Ok(Some(IdempotencyKey { key: key.key.clone(), request }))
}
