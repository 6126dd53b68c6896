//! The events on the control stream that record a run, and the commits of a batch.

use rollbook_domain::series::event_id;
use rollbook_domain::{Actor, Event, NewEvent, StreamId};
use rollbook_log::{Commit, ExpectedVersion, IdempotencyKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Run;
use crate::error::MigrationError;
use crate::responses::Responses;
use crate::rules::Options;

impl Run<'_> {
    /// Records the state of the log before the batch. Validation compares the log with it later.
    pub(super) fn record_start(&self, key: Option<IdempotencyKey>) -> Result<(), MigrationError> {
        let log = self.runtime.log();
        if log.event(self.control_id("planned"))?.is_some() {
            return Ok(());
        }
        let base = log.head();
        let responses = Responses::at(log, base)?;
        let header = &self.batch.header;
        let planned = Event::BatchPlanned {
            digest: header.digest.clone(),
            kind: header.kind().to_owned(),
            rules: header.rules.to_string(),
            base,
            log_digest: const_hex::encode(log.digest(base)?),
            responses_digest: responses.digest(),
            responses: responses.len(),
        };
        self.append_control("planned", planned, key)
    }

    /// Records the end of the run. The counts are those of all runs of the batch, so a resumed run
    /// leaves the same record as one that was not interrupted.
    pub(super) fn record_end(&self) -> Result<(), MigrationError> {
        let (all, left_out) = (&self.batch.header.counts, &self.not_appended);
        let (digest, series) = (self.batch.header.digest.clone(), all.series);
        let applied = match self.batch.header.rules.options {
            Options::Precreate(_) => Event::BatchApplied {
                digest,
                series,
                created: all.created - left_out.created,
                linked: all.linked - left_out.linked,
                adopted: all.adopted - left_out.adopted,
                skipped: left_out.events,
            },
            Options::Realign(_) | Options::Window(_) | Options::Inverse(_) => Event::WeeksChanged {
                digest,
                series,
                changed: all.changed - left_out.changed,
                skipped: left_out.events,
            },
        };
        self.append_control("applied", applied, None)
    }

    fn append_control(
        &self,
        part: &str,
        event: Event,
        key: Option<IdempotencyKey>,
    ) -> Result<(), MigrationError> {
        let event = NewEvent {
            stream: StreamId::Control,
            id: Some(self.control_id(part)),
            occurred_at: self.now,
            event,
        };
        let mut commit = self.commit(part, vec![event], Vec::new());
        commit.key = key.or(commit.key);
        self.runtime.ordering().append(commit)?;
        Ok(())
    }

    fn control_id(&self, part: &str) -> Uuid {
        event_id(&StreamId::Control, &[part, &self.batch.header.digest])
    }

    /// A commit of this batch. `part` makes its idempotency key unique within the batch.
    pub(super) fn commit(
        &self,
        part: &str,
        events: Vec<NewEvent>,
        expected: Vec<(StreamId, ExpectedVersion)>,
    ) -> Commit {
        let digest = self.batch.header.digest.clone();
        let key = IdempotencyKey {
            key: format!("batch/{digest}/{part}"),
            request: Sha256::digest(digest.as_bytes()).into(),
        };
        let actor = Actor::Migration(digest.clone());
        Commit { events, expected, actor, cause: digest, key: Some(key) }
    }
}
