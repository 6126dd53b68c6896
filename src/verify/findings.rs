//! The findings of a verification, one line each, and the first damaged position.

use rollbook_application::store::StoreError;
use rollbook_log::{FilesChecked, Finding, Findings, LogChecked};

use super::error::{VerifyError, causes};

/// Everything that is wrong.
#[derive(Default)]
pub(super) struct DamageReport {
    first: Option<u64>,
    lines: Vec<String>,
}

impl DamageReport {
    /// Starts with the damage in the database's files.
    pub(super) fn of(files: &FilesChecked) -> Self {
        Self {
            first: None,
            lines: files
                .damage
                .iter()
                .map(|damage| format!("{}, byte {}: {}", damage.file, damage.offset, damage.what))
                .collect(),
        }
    }

    /// Adds a finding that has no position.
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds a finding about a range of positions.
    pub(super) fn at(&mut self, from: u64, until: u64, what: &str) {
        self.first = Some(self.first.map_or(from, |first| first.min(from)));
        self.place(from, until, what);
    }

    /// Adds a finding about an unknown position in a range. The first damaged position stays as it
    /// is if it is in the range.
    pub(super) fn within(&mut self, from: u64, until: u64, what: &str) {
        if self.first.is_some_and(|first| (from..=until).contains(&first)) {
            self.place(from, until, what)
        } else {
            self.at(from, until, what)
        }
    }

    fn place(&mut self, from: u64, until: u64, what: &str) {
        let place = if from == until {
            format!("position {from}")
        } else {
            format!("positions {from} to {until}")
        };
        self.line(format!("{place}: {what}"));
    }

    /// Adds the findings of the log.
    pub(super) fn findings(&mut self, findings: &Findings) {
        for Finding { from, until, what } in &findings.kept {
            if *from == 0 { self.line(what) } else { self.at(*from, *until, what) }
        }
        if findings.more > 0 {
            self.line(format!("and {} more", findings.more));
        }
    }

    /// An error if anything was found.
    pub(super) fn into_result(self, log: &LogChecked) -> Result<(), VerifyError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let read = log.head.saturating_sub(log.lost);
        Err(VerifyError::Damaged {
            position: self.first,
            read,
            head: log.head,
            findings: self.lines,
        })
    }
}

/// The error for a store that does not open and has damaged files.
pub(super) fn unopened(files: &FilesChecked, error: &StoreError) -> VerifyError {
    let mut findings = DamageReport::of(files).lines;
    findings.push(format!("the store does not open: {error}"));
    findings.extend(causes(error));
    VerifyError::Damaged { position: None, read: 0, head: 0, findings }
}
