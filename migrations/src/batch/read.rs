//! Reading batch files. A file that is truncated, edited, or of an unknown kind or format is
//! rejected as a whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use rollbook_domain::NewEvent;
use sha2::{Digest, Sha256};

use super::wire::{EventLine, FORMAT, FormatLine, HeaderLine, line};
use super::{Counts, Header, failed};
use crate::error::MigrationError;
use crate::kinds;

/// A batch file whose format, kind, counts and digest were checked.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The file.
    pub path: PathBuf,
    /// Its header.
    pub header: Header,
}

impl Batch {
    /// Opens a batch file and reads it completely once.
    ///
    /// # Errors
    /// If the file cannot be read, is truncated or edited, or has an unknown kind or format.
    pub fn open(path: &Path) -> Result<Self, MigrationError> {
        let mut lines = Lines::open(path)?;
        let header = lines.header()?;
        let batch = Self { path: path.to_owned(), header };
        batch.check_events()?;
        Ok(batch)
    }

    /// Compares the events with the header's counts and digest.
    fn check_events(&self) -> Result<(), MigrationError> {
        let Header { counts, digest: expected, .. } = &self.header;
        let mut digest = Sha256::new();
        let mut found = Counts { series: counts.series, ..Counts::default() };
        self.each_event(&mut |event| {
            digest.update(line(&event).map_err(|source| failed(&self.path, "read", source))?);
            found.add(&event.event);
            Ok(())
        })?;
        let path = self.path.clone();
        if found.events != counts.events {
            let (expected, found) = (counts.events, found.events);
            return Err(MigrationError::Count { path, expected, found });
        }
        let digest = const_hex::encode(digest.finalize());
        if digest != *expected {
            return Err(MigrationError::Digest { path, expected: expected.clone(), found: digest });
        }
        if found != *counts {
            let what = "the counts of the header differ from the events".to_owned();
            return Err(MigrationError::Line { path, line: 1, what });
        }
        Ok(())
    }

    /// Passes every event to `visit`, in file order.
    ///
    /// # Errors
    /// If the file cannot be read, a line is not an event of a batch, or `visit` fails.
    pub fn each_event(
        &self,
        visit: &mut dyn FnMut(NewEvent) -> Result<(), MigrationError>,
    ) -> Result<(), MigrationError> {
        let mut lines = Lines::open(&self.path)?;
        lines.next()?;
        while let Some(text) = lines.next()? {
            let event: EventLine<'_> = serde_json::from_str(&text)
                .map_err(|error| lines.wrong(format!("not an event of a batch: {error}")))?;
            visit(event.into())?;
        }
        Ok(())
    }

    /// Passes the events of each stream to `visit`, in file order. Holds the events of one stream
    /// in memory.
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

/// The lines of a batch file, with the number of the current one.
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
            Ok(_) => Err(self.wrong("the line does not end with a newline".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.wrong("not UTF-8 text".to_owned()))
            }
            Err(source) => Err(failed(&self.path, "read", source)),
        }
    }

    fn header(&mut self) -> Result<Header, MigrationError> {
        let text = self.next()?.ok_or_else(|| self.wrong("the file is empty".to_owned()))?;
        let not_a_header =
            |lines: &Self, error| lines.wrong(format!("not the header of a batch: {error}"));
        let FormatLine { rollbook_batch: version, kind } =
            serde_json::from_str(&text).map_err(|error| not_a_header(self, error))?;
        let path = || self.path.clone();
        if !(1..=FORMAT).contains(&version) {
            return Err(MigrationError::Version { path: path(), version, known: FORMAT });
        }
        if !kinds::is_known(&kind) {
            return Err(MigrationError::Kind { path: path(), kind, known: kinds::names() });
        }
        let header: HeaderLine<'_> =
            serde_json::from_str(&text).map_err(|error| not_a_header(self, error))?;
        header.header().ok_or_else(|| {
            self.wrong("not the header of a batch: its kind, rules and counts disagree".to_owned())
        })
    }
}
