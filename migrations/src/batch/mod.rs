//! Batch files: a plan as a file that can be reviewed, compared and applied to several stores.
//!
//! A batch is NDJSON in UTF-8, with `\n` after each line:
//!
//! | line | content |
//! |---|---|
//! | 1 | the header: `{"rollbook_batch","kind","rules","source","counts","digest"}` |
//! | 2… | one event each; the events of a stream are consecutive, streams are in name order |
//!
//! Batches of the kind `precreate`, which add weeks, have format 1: its `rules` are an object, and
//! its `counts` are those of added weeks and links. Batches of the other kinds, which change weeks,
//! have format 2: its `rules` are the text that the log records, and its `counts` have `changed`.
//!
//! The digest is the SHA-256 of lines 2 to the end, including each `\n`. It does not cover the
//! header, so the same plan has the same digest wherever it was made. `wire` defines the JSON of
//! each line, `write` creates files, and `read` checks them.

mod read;
mod wire;
mod write;

pub use read::Batch;
pub use write::{BatchWriter, keep};

use std::path::Path;

use rollbook_domain::event::LinkKind;
use rollbook_domain::{Event, Position};
use serde::Serialize;
use uuid::Uuid;

use crate::error::MigrationError;
use crate::rules::BatchRules;

/// What line 1 of a batch file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The kind and the rules that it was planned with.
    pub rules: BatchRules,
    /// The store that it was planned on.
    pub source: Source,
    /// How much it contains.
    pub counts: Counts,
    /// The SHA-256 of the event lines, in hexadecimal.
    pub digest: String,
}

impl Header {
    /// The kind of migration.
    pub fn kind(&self) -> &'static str {
        self.rules.options.kind()
    }

    /// The default name of the batch's file, made of kind and digest.
    pub fn file_name(&self) -> String {
        format!("{}-{}.ndjson", self.kind(), short(&self.digest))
    }
}

/// Where a batch was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The id of the store.
    pub log: Uuid,
    /// The head of its log at that time.
    pub position: Position,
}

/// How much a batch contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Series that the migration concerns, including those that lack nothing.
    pub series: u64,
    /// Events.
    pub events: u64,
    /// Weeks to create.
    pub created: u64,
    /// Responses to link to the week that they state.
    pub linked: u64,
    /// Responses without a week to link to the week that names them.
    pub adopted: u64,
    /// Weeks to change.
    pub changed: u64,
}

impl Counts {
    /// Counts one event of a batch.
    pub(crate) fn add(&mut self, event: &Event) {
        self.events += 1;
        match event {
            Event::AssignmentCreated { .. } => self.created += 1,
            Event::ResponseLinked { kind: LinkKind::Linked, .. } => self.linked += 1,
            Event::ResponseLinked { kind: LinkKind::Adopted, .. } => self.adopted += 1,
            Event::AssignmentRescheduled { .. } | Event::WindowChanged { .. } => self.changed += 1,
            // A batch contains no other events: `wire` can neither write nor read them.
            _ => {}
        }
    }
}

/// The first 12 hexadecimal digits of a digest, by which people refer to it.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn failed(path: &Path, doing: &'static str, source: std::io::Error) -> MigrationError {
    MigrationError::File { path: path.to_owned(), doing, source }
}
