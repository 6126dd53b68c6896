//! Digests of all responses of a log. Validation compares them to show that a migration left every
//! response unchanged.

use std::collections::BTreeMap;

use rollbook_domain::{Collection, Event, EventRecord, Position, StreamId};
use rollbook_log::{Log, LogError};
use sha2::{Digest, Sha256};

/// SHA-256 of each response's content, by response id. Memory: about 100 bytes a response.
///
/// A response that was submitted here can also be imported: an export of this store has it. Its
/// content is then that of the document, until an import removes the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Responses {
    submitted: BTreeMap<String, [u8; 32]>,
    imported: BTreeMap<String, [u8; 32]>,
}

/// Passes the events up to a position to `visit`.
fn each_event(
    log: &Log,
    until: Position,
    visit: &mut dyn FnMut(&EventRecord),
) -> Result<(), LogError> {
    let mut reached = 0;
    let mut commits = log.commits_after(0);
    while reached < until {
        let Some(commit) = commits.next().transpose()? else { break };
        commit.iter().take_while(|recorded| recorded.position <= until).for_each(&mut *visit);
        reached = commit.last().map_or(until, |last| last.position);
    }
    Ok(())
}

/// A score as the digest of a response has it. The digests are on record in the log, so this text
/// never changes.
fn score_text(score: Option<u32>) -> String {
    score.map_or_else(|| "None".to_owned(), |score| format!("Some({score})"))
}

impl Responses {
    /// The responses at a position.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn at(log: &Log, until: Position) -> Result<Self, LogError> {
        let mut responses = Self::default();
        each_event(log, until, &mut |recorded| responses.fold(&recorded.event))?;
        Ok(responses)
    }

    /// The responses at a position: all of them, and those of the streams for which `is_left_out`
    /// is false.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn at_without(
        log: &Log,
        until: Position,
        is_left_out: &dyn Fn(&StreamId) -> bool,
    ) -> Result<(Self, Self), LogError> {
        let (mut all, mut rest) = (Self::default(), Self::default());
        each_event(log, until, &mut |recorded| {
            all.fold(&recorded.event);
            if !is_left_out(&recorded.stream) {
                rest.fold(&recorded.event);
            }
        })?;
        Ok((all, rest))
    }

    /// Folds one event.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::DocumentImported(document) | Event::DocumentChanged(document)
                if document.collection == Collection::FormResponses =>
            {
                // An erased response has no content to compare.
                if let Some(body) = document.body.expose() {
                    let digest = Sha256::digest(body.as_str().as_bytes());
                    self.imported.insert(document.id.clone(), digest.into());
                }
            }
            Event::DocumentRemoved { collection: Collection::FormResponses, id } => {
                self.imported.remove(id);
            }
            Event::ResponseSubmitted {
                response, assignment, submitted_at, score, answers, ..
            } => {
                let Some(answers) = answers.expose() else { return };
                let mut digest = Sha256::new();
                digest.update(format!("{assignment}\n{submitted_at}\n{}\n", score_text(*score)));
                digest.update(answers.as_str());
                self.submitted.insert(response.clone(), digest.finalize().into());
            }
            _ => {}
        }
    }

    /// The number of responses.
    pub fn len(&self) -> u64 {
        (self.submitted.len() + self.imported.len()) as u64 - self.submitted_and_imported()
    }

    /// The number of responses that were submitted here and are also imported.
    pub(crate) fn submitted_and_imported(&self) -> u64 {
        self.submitted.keys().filter(|id| self.imported.contains_key(*id)).count() as u64
    }

    /// Whether a response was submitted here.
    pub(crate) fn is_submitted(&self, id: &str) -> bool {
        self.submitted.contains_key(id)
    }

    /// The digest of a response's content.
    fn content(&self, id: &str) -> Option<&[u8; 32]> {
        self.imported.get(id).or_else(|| self.submitted.get(id))
    }

    /// Whether there are no responses.
    pub fn is_empty(&self) -> bool {
        self.submitted.is_empty() && self.imported.is_empty()
    }

    /// SHA-256 over all responses, in hexadecimal.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (id, content) in self.submitted.iter().chain(&self.imported).collect::<BTreeMap<_, _>>()
        {
            digest.update((id.len() as u64).to_be_bytes());
            digest.update(id);
            digest.update(content);
        }
        const_hex::encode(digest.finalize())
    }

    /// The ids that have other content in `later` or are missing there.
    pub(crate) fn changed_in<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = &'a str> {
        let only_submitted = self.submitted.keys().filter(|id| !self.imported.contains_key(*id));
        let ids = only_submitted.chain(self.imported.keys());
        ids.map(String::as_str).filter(|id| self.content(id) != later.content(id))
    }
}
