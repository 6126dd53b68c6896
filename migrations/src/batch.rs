//! Batch files: a header line and one event a line. Owns the format, the digest over the events' canonical bytes, and every
//! way in which a file is refused before anything is done with it.
//!
//! Format 1, NDJSON, UTF-8, `\n` after each line:
//!
//! | line | content |
//! |---|---|
//! | 1 | [`Header`]: `{"rollbook_batch":1,"kind","rules","source","counts","digest"}` |
//! | 2… | [`NewEvent`], each stream's events together, streams in name order |
//!
//! The digest is SHA-256 over lines 2… as serde_json writes them, each with its `\n`. The header is not part of it, so the
//! same plan has the same digest wherever it was made.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use rollbook_domain::event::Origin;
use rollbook_domain::{Event, NewEvent, Position};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::MigrationError;
use crate::precreate::DueRule;

/// The only format so far.
pub const FORMAT: u64 = 1;
/// The only definition so far.
pub const PRECREATE: &str = "precreate";

/// A batch file's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format's version.
    pub rollbook_batch: u64,
    /// The definition's name.
    pub kind: String,
    /// What it was planned by.
    pub rules: HeaderRules,
    /// What it was planned from.
    pub source: Source,
    /// How much it holds.
    pub counts: Counts,
    /// SHA-256 over the events, in hexadecimal.
    pub digest: String,
}

/// The rules as the header has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderRules {
    /// When a made week is due.
    pub due: DueRule,
    /// The old server's zone.
    pub zone: String,
}

impl HeaderRules {
    /// As one line, for `BatchPlanned`.
    pub fn to_line(&self) -> String {
        format!("due={} zone={}", self.due, self.zone)
    }
}

/// Where a batch was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The store.
    pub log: Uuid,
    /// Its head when it was planned.
    pub position: Position,
}

/// How much a batch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Series that the migration is about, also those that lack nothing.
    pub series: u64,
    /// Events.
    pub events: u64,
    /// Weeks created.
    pub created: u64,
    /// Responses linked to their own week.
    pub linked: u64,
    /// Weekless responses linked to the week that names them.
    pub adopted: u64,
}

/// The beginning of a digest, as people name it: 12 hexadecimal digits.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// One event's canonical line, with its end.
fn line(event: &NewEvent) -> Vec<u8> {
    // Strings, numbers and enums: nothing that can fail to be written.
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    line.push(b'\n');
    line
}

/// SHA-256 over the canonical bytes of events, in hexadecimal.
pub fn digest_events<'a>(events: impl IntoIterator<Item = &'a NewEvent>) -> String {
    let mut digest = Sha256::new();
    for event in events {
        digest.update(line(event));
    }
    const_hex::encode(digest.finalize())
}

/// Writes a batch: events first into a file beside, then the header before them; the batch appears whole or not at all.
pub struct BatchWriter {
    path: PathBuf,
    spool: PathBuf,
    events: BufWriter<File>,
    digest: Sha256,
    written: u64,
}

impl BatchWriter {
    /// Begins a batch in a directory; its name may follow from its digest.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin(directory: &Path) -> Result<Self, MigrationError> {
        let spool = directory.join(format!(".batch.partial-{}", std::process::id()));
        let events = File::create(&spool).map_err(|source| failed(&spool, "written", source))?;
        Ok(Self {
            path: directory.to_owned(),
            spool,
            events: BufWriter::new(events),
            digest: Sha256::new(),
            written: 0,
        })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, event: &NewEvent) -> Result<(), MigrationError> {
        let line = line(event);
        self.digest.update(&line);
        self.written += 1;
        self.events.write_all(&line).map_err(|source| failed(&self.spool, "written", source))
    }

    /// Puts the header before the events and the file under its name: `out`, or one made of kind and digest.
    ///
    /// # Errors
    /// When a file of that name holds something else, or cannot be written.
    pub fn finish(
        mut self,
        out: Option<&Path>,
        header: impl FnOnce(String) -> Header,
    ) -> Result<(PathBuf, Header), MigrationError> {
        self.events.flush().map_err(|source| failed(&self.spool, "written", source))?;
        let header = header(const_hex::encode(std::mem::take(&mut self.digest).finalize()));
        // Before the whole is written: a file of that name may hold something else.
        let target = free_name(&self.path, out, &header)?;
        let whole = self.spool.with_extension("whole");
        self.assemble(&whole, &header).map_err(|source| failed(&whole, "written", source))?;
        fs::rename(&whole, &target).map_err(|source| failed(&target, "written", source))?;
        Ok((target, header))
    }

    fn assemble(&self, whole: &Path, header: &Header) -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(whole)?);
        serde_json::to_writer(&mut out, header)?;
        out.write_all(b"\n")?;
        std::io::copy(&mut File::open(&self.spool)?, &mut out)?;
        out.into_inner()?.sync_all()
    }
}

impl Header {
    /// The name of a batch's file, made of kind and digest.
    pub fn file_name(&self) -> String {
        format!("{}-{}.ndjson", self.kind, short(&self.digest))
    }
}

/// The name that a batch may have in a directory, or `out`: one that nothing else has.
fn free_name(
    directory: &Path,
    out: Option<&Path>,
    header: &Header,
) -> Result<PathBuf, MigrationError> {
    let target = out.map_or_else(|| directory.join(header.file_name()), Path::to_owned);
    if target.exists()
        && Batch::open(&target).ok().is_none_or(|there| there.header.digest != header.digest)
    {
        return Err(MigrationError::Exists { path: target });
    }
    Ok(target)
}

/// Puts a batch that was written and checked elsewhere under its name: `out`, or one made of kind and digest in `directory`.
///
/// # Errors
/// When a file of that name holds something else, or cannot be written.
pub fn keep(
    file: &Path,
    directory: &Path,
    out: Option<&Path>,
    header: &Header,
) -> Result<PathBuf, MigrationError> {
    let target = free_name(directory, out, header)?;
    fs::rename(file, &target).map_err(|source| failed(&target, "written", source))?;
    Ok(target)
}

impl Drop for BatchWriter {
    fn drop(&mut self) {
        // What is left of it is of no use; a file that is not there any more was renamed.
        let _gone = fs::remove_file(&self.spool);
        let _gone = fs::remove_file(self.spool.with_extension("whole"));
    }
}

fn failed(path: &Path, doing: &'static str, source: std::io::Error) -> MigrationError {
    MigrationError::File { path: path.to_owned(), doing, source }
}

/// A batch file, checked whole: format, kind, count and digest.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The file.
    pub path: PathBuf,
    /// Its header.
    pub header: Header,
}

impl Batch {
    /// Opens a batch file and reads it through once.
    ///
    /// # Errors
    /// When the file cannot be read, is cut short, edited, of an unknown kind or of a newer format.
    pub fn open(path: &Path) -> Result<Self, MigrationError> {
        let mut lines = Lines::open(path)?;
        let header = lines.header()?;
        let batch = Self { path: path.to_owned(), header };
        let mut digest = Sha256::new();
        let mut found = Counts { series: batch.header.counts.series, ..Counts::default() };
        batch.each_event(&mut |event| {
            digest.update(line(&event));
            found.events += 1;
            match event.event {
                Event::AssignmentCreated { .. } => found.created += 1,
                Event::ResponseLinked {
                    kind: rollbook_domain::event::LinkKind::Linked, ..
                } => found.linked += 1,
                _ => found.adopted += 1,
            }
            Ok(())
        })?;
        let path = path.to_owned();
        let Header { counts, digest: expected, .. } = &batch.header;
        if found.events != counts.events {
            return Err(MigrationError::Count {
                path,
                expected: counts.events,
                found: found.events,
            });
        }
        let digest = const_hex::encode(digest.finalize());
        if digest != *expected {
            return Err(MigrationError::Digest { path, expected: expected.clone(), found: digest });
        }
        if found != *counts {
            return Err(MigrationError::Line {
                path,
                line: 1,
                what: "the header's counts are not those of the events".to_owned(),
            });
        }
        Ok(batch)
    }

    /// Hands every event to `visit`, in order.
    ///
    /// # Errors
    /// When the file cannot be read, a line is no event of this kind of batch, or `visit` fails.
    pub fn each_event(
        &self,
        visit: &mut dyn FnMut(NewEvent) -> Result<(), MigrationError>,
    ) -> Result<(), MigrationError> {
        let mut lines = Lines::open(&self.path)?;
        lines.next()?;
        while let Some(text) = lines.next()? {
            let event: NewEvent = serde_json::from_str(&text)
                .map_err(|error| lines.wrong(format!("no event: {error}")))?;
            match &event.event {
                Event::AssignmentCreated { origin: Origin::Migration, .. }
                | Event::ResponseLinked { .. }
                    if event.id.is_some() => {}
                other => {
                    return Err(lines.wrong(format!(
                        "{} is no event of a {} batch",
                        other.name(),
                        self.header.kind
                    )));
                }
            }
            visit(event)?;
        }
        Ok(())
    }

    /// Hands every stream's events to `visit`, in order; one stream is in memory at a time.
    ///
    /// # Errors
    /// As [`Batch::each_event`].
    pub fn each_stream(
        &self,
        visit: &mut dyn FnMut(Vec<NewEvent>) -> Result<(), MigrationError>,
    ) -> Result<(), MigrationError> {
        let mut held: Vec<NewEvent> = Vec::new();
        self.each_event(&mut |event| {
            if held.last().is_some_and(|last| last.stream != event.stream) {
                visit(std::mem::take(&mut held))?;
            }
            held.push(event);
            Ok(())
        })?;
        if held.is_empty() { Ok(()) } else { visit(held) }
    }
}

/// A batch file's lines, counted.
struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, MigrationError> {
        let file = File::open(path).map_err(|source| failed(path, "read", source))?;
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file), line: 0 })
    }

    fn wrong(&self, what: String) -> MigrationError {
        MigrationError::Line { path: self.path.clone(), line: self.line, what }
    }

    fn next(&mut self) -> Result<Option<String>, MigrationError> {
        let mut text = String::new();
        self.line += 1;
        match self.reader.read_line(&mut text) {
            Ok(0) => Ok(None),
            Ok(_) if text.ends_with('\n') => Ok(Some(text)),
            Ok(_) => Err(self.wrong("the line has no end".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Err(self.wrong("no UTF-8 text".to_owned()))
            }
            Err(source) => Err(failed(&self.path, "read", source)),
        }
    }

    fn header(&mut self) -> Result<Header, MigrationError> {
        #[derive(Deserialize)]
        struct Known {
            rollbook_batch: u64,
            kind: String,
        }
        let text = self.next()?.ok_or_else(|| self.wrong("the file is empty".to_owned()))?;
        let known: Known = serde_json::from_str(&text)
            .map_err(|error| self.wrong(format!("no batch header: {error}")))?;
        if known.rollbook_batch != FORMAT {
            return Err(MigrationError::Version {
                path: self.path.clone(),
                version: known.rollbook_batch,
                known: FORMAT,
            });
        }
        if known.kind != PRECREATE {
            return Err(MigrationError::Kind {
                path: self.path.clone(),
                kind: known.kind,
                known: PRECREATE,
            });
        }
        serde_json::from_str(&text).map_err(|error| self.wrong(format!("no batch header: {error}")))
    }
}
