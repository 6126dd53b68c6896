//! Every response a log holds, in digests. Owns what *the responses are unchanged* means: the same responses, each with the
//! same content, whatever else was appended.

use std::collections::BTreeMap;

use rollbook_domain::{Collection, Event, Position, StreamId};
use rollbook_log::Log;
use rollbook_projections::runtime::hex;
use sha2::{Digest, Sha256};

use crate::error::MigrationError;

/// SHA-256 of each response's content, by response id. Memory: about 100 bytes a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Responses(BTreeMap<String, [u8; 32]>);

impl Responses {
    /// The responses as they were at a position.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn at(log: &Log, until: Position) -> Result<Self, MigrationError> {
        let mut responses = Self::default();
        if until == 0 {
            return Ok(responses);
        }
        for commit in log.commits_after(0) {
            let commit = commit?;
            let last = commit.last().map_or(0, |last| last.position);
            commit.iter().take_while(|recorded| recorded.position <= until).for_each(|recorded| responses.fold(&recorded.event));
            if last >= until {
                break;
            }
        }
        Ok(responses)
    }

    /// The responses as they were at a position: all of them, and those in streams that are not left out.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn at_without(log: &Log, until: Position, is_left_out: &dyn Fn(&StreamId) -> bool) -> Result<(Self, Self), MigrationError> {
        let (mut all, mut rest) = (Self::default(), Self::default());
        for commit in log.commits_after(0) {
            for recorded in commit? {
                if recorded.position > until {
                    return Ok((all, rest));
                }
                all.fold(&recorded.event);
                if !is_left_out(&recorded.stream) {
                    rest.fold(&recorded.event);
                }
            }
        }
        Ok((all, rest))
    }

    /// Folds one event.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) if document.collection == Collection::FormResponses => {
                // A response whose content was erased is none that could be unchanged.
                if let Some(body) = document.body.expose() {
                    self.0.insert(document.id.clone(), Sha256::digest(body.as_str().as_bytes()).into());
                }
            }
            Event::DocumentRemoved { collection: Collection::FormResponses, id } => {
                self.0.remove(id);
            }
            Event::ResponseSubmitted { response, assignment, submitted_at, score, answers, .. } => {
                let Some(answers) = answers.expose() else { return };
                let mut digest = Sha256::new();
                digest.update(format!("{assignment}\n{submitted_at}\n{score:?}\n"));
                digest.update(answers.as_str());
                self.0.insert(response.clone(), digest.finalize().into());
            }
            _ => {}
        }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// SHA-256 over all of them, in hexadecimal.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (id, content) in &self.0 {
            digest.update((id.len() as u64).to_be_bytes());
            digest.update(id);
            digest.update(content);
        }
        hex(&digest.finalize())
    }

    /// The ids whose content is not the same in `later`, or that are gone there.
    pub fn changed_in<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(|(id, content)| later.0.get(*id) != Some(content)).map(|(id, _)| id.as_str())
    }
}
