//! Erasing a client. Owns the order of steps and that an erasure which was cut off goes on where it stopped: keys are destroyed and the
//! event is recorded by the log in one step, then rows are folded again without the data, then every file of the database is written
//! anew, and only then the erasure counts as carried out. `forgotten` owns what backups are told.
//!
//! **Invariant: behind the first step nothing brings the data back**: what is left of it in rows is cleared by whoever goes on.

use std::path::{Path, PathBuf};

use rollbook_domain::control::BatchState;
use rollbook_domain::series::event_id;
use rollbook_domain::{Event, NewEvent, Position, StreamId};
use rollbook_log::{AppendError, Commit, Erasure, ExpectedVersion, KeyringError, LogError};
use rollbook_migrations::responses::Responses;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::runtime::Progress;
use serde::Serialize;
use uuid::Uuid;

use super::Store;
use super::commands::{ATTEMPTS, Request};
use super::forgotten::{self, Forgotten};
use crate::store::StoreError;

/// What an erasure did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// The client's document id.
    pub client: String,
    /// Every id that was erased with it, the client's own first.
    pub ids: Vec<String>,
    /// Where it is recorded.
    pub position: Position,
    /// Whether the client was erased before, in full: then nothing was done now.
    pub already: bool,
    /// Whether this went on with an erasure that had been cut off.
    pub resumed: bool,
    /// Directories of backups that were told, so that whatever is restored from them forgets the client too.
    pub told: Vec<PathBuf>,
}

impl Store {
    /// Whom an erasure would be about: every id of the client, the client's own first; and the erasure, when there was one.
    ///
    /// # Errors
    /// [`StoreError::UnknownClient`]; when the store is unsealed or cannot be read.
    pub fn erasure_of(&self, id: &str) -> Result<(Vec<String>, Option<Erasure>), StoreError> {
        if !self.log().sealing().sealed {
            return Err(LogError::from(KeyringError::Unsealed).into());
        }
        if let Some(erasure) = self
            .log()
            .erasures()
            .into_iter()
            .find(|erasure| erasure.ids.iter().any(|erased| erased == id))
        {
            return Ok((erasure.ids.clone(), Some(erasure)));
        }
        let snapshot = self.snapshot()?;
        let (rows, _) = snapshot.rows::<Directory>()?;
        let identity = directory::identify(&rows, id)?;
        let mut ids = identity.ids;
        if let Some(document) = &identity.document {
            for earlier in directory::earlier_identities(&rows, document)? {
                if !ids.contains(&earlier) {
                    ids.push(earlier);
                }
            }
        } else if !self.has_streams(id)? {
            return Err(StoreError::UnknownClient(id.to_owned()));
        }
        Ok((ids, None))
    }

    fn has_streams(&self, client: &str) -> Result<bool, StoreError> {
        let own = self.log().stream_version(&StreamId::Client(client.to_owned()))? > 0;
        Ok(own || !self.log().streams_with_prefix(&StreamId::series_prefix(client))?.is_empty())
    }

    /// Erases a client, under every identity; an erasure that was cut off goes on. Tells the directories of backups.
    ///
    /// # Errors
    /// As [`Store::erasure_of`]; when the log, the keyring, the rows or the database cannot be written: then asking again goes on.
    pub fn erase(
        &self,
        id: &str,
        reason: &str,
        request: &Request,
        backups: &[PathBuf],
        progress: Progress<'_>,
    ) -> Result<Erased, StoreError> {
        let (ids, before) = self.erasure_of(id)?;
        let client = ids.first().cloned().unwrap_or_else(|| id.to_owned());
        let event = erasure_id(&client);
        let already = before.as_ref().is_some_and(|erasure| erasure.complete)
            && self.log().event(event)?.is_some();
        if !already {
            let erased = Event::ClientErased {
                client: client.clone(),
                ids: ids.clone(),
                reason: reason.to_owned(),
            };
            self.record_erasure(event, &ids, erased, request)?;
            self.clear_after_erasures(progress)?;
        }
        // Also of an erasure that is through: a directory may be another one, or its disk was away.
        let told =
            backups.iter().filter(|directory| directory.is_dir()).cloned().collect::<Vec<_>>();
        told.iter().try_for_each(|directory| self.tell_backups(directory))?;
        let position = self.log().event(event)?.map_or(0, |recorded| recorded.position);
        Ok(Erased { client, ids, position, already, resumed: before.is_some() && !already, told })
    }

    /// Erases everybody whom these say were erased after the store's own last event: what a restored backup has to forget again. Tells
    /// how many that were.
    ///
    /// # Errors
    /// As [`Store::erase`].
    pub fn forget_again(
        &self,
        forgotten: &[Forgotten],
        progress: Progress<'_>,
    ) -> Result<u64, StoreError> {
        let ours = forgotten.iter().filter(|forgotten| forgotten.store == self.log().store_id());
        let mut count = 0;
        for Forgotten { client, ids, reason, at, actor, .. } in ours {
            if self.log().event(erasure_id(client))?.is_some() {
                continue;
            }
            let erased = Event::ClientErased {
                client: client.clone(),
                ids: ids.clone(),
                reason: reason.clone(),
            };
            let request = Request { actor: actor.clone(), now: *at, key: None, cause: None };
            self.record_erasure(erasure_id(client), ids, erased, &request)?;
            count += 1;
        }
        if count > 0 || self.log().erasures().iter().any(|erasure| !erasure.complete) {
            self.clear_after_erasures(progress)?;
        }
        Ok(count)
    }

    /// Leaves in a directory of backups whom this store erased.
    ///
    /// # Errors
    /// When the log cannot be read or the directory not written.
    pub fn tell_backups(&self, directory: &Path) -> Result<(), StoreError> {
        self.forgotten()?
            .iter()
            .try_for_each(|forgotten| forgotten::write(directory, forgotten).map(|_path| ()))
    }

    /// Whom this store erased.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn forgotten(&self) -> Result<Vec<Forgotten>, StoreError> {
        let mut forgotten = Vec::new();
        for erasure in self.log().erasures() {
            let recorded = self.log().event(erasure.id)?;
            forgotten.extend(
                recorded.and_then(|recorded| Forgotten::of(self.log().store_id(), recorded)),
            );
        }
        Ok(forgotten)
    }

    /// The first step: the log destroys the keys and records the event, with what every batch has on record of the responses that are left.
    fn record_erasure(
        &self,
        id: Uuid,
        ids: &[String],
        erased: Event,
        request: &Request,
    ) -> Result<(), StoreError> {
        let client = StreamId::Client(ids.first().cloned().unwrap_or_default());
        for _attempt in 0..ATTEMPTS {
            if self.log().event(id)?.is_some() {
                // On record; a keyring of an older backup may have brought the keys back.
                return Ok(self.log().destroy_keys(id, ids)?);
            }
            let version = self.log().stream_version(&StreamId::Control)?;
            let mut events = vec![NewEvent {
                stream: client.clone(),
                id: Some(id),
                occurred_at: request.now,
                event: erased.clone(),
            }];
            for batch in &self.control()?.batches {
                if let Some(event) = self.attested(batch, ids)? {
                    events.push(NewEvent {
                        stream: StreamId::Control,
                        id: None,
                        occurred_at: request.now,
                        event,
                    });
                }
            }
            let expected = vec![(StreamId::Control, ExpectedVersion::Exact(version))];
            let cause = request
                .key
                .clone()
                .or_else(|| request.cause.clone())
                .unwrap_or_else(|| Uuid::now_v7().to_string());
            match self.ordering().append(Commit {
                events,
                expected,
                actor: request.actor.clone(),
                cause,
                key: None,
            }) {
                Ok(_) => return Ok(()),
                Err(AppendError::VersionConflict { .. } | AppendError::DuplicateEvent { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Contended(client.to_string()))
    }

    /// What a batch is to have on record of the responses before it without this client's; nothing where its own record does not hold as
    /// things are, so that the check which compares goes on saying so.
    fn attested(&self, batch: &BatchState, ids: &[String]) -> Result<Option<Event>, StoreError> {
        let is_theirs = |stream: &StreamId| {
            stream.client().is_some_and(|client| ids.iter().any(|id| id == client))
        };
        let (all, rest) = Responses::at_without(self.log(), batch.base, &is_theirs)?;
        let was_cut_off = ids.iter().any(|id| self.log().is_erased(&StreamId::Client(id.clone())));
        if !was_cut_off
            && (all.len(), all.digest()) != (batch.responses, batch.responses_digest.clone())
        {
            return Ok(None);
        }
        let (responses, responses_digest) = (rest.len(), rest.digest());
        if responses == batch.responses && responses_digest == batch.responses_digest {
            return Ok(None);
        }
        Ok(Some(Event::ResponsesAttested {
            digest: batch.digest.clone(),
            responses,
            responses_digest,
        }))
    }

    /// The steps behind the first: rows, files, and the record that it is through.
    fn clear_after_erasures(&self, progress: Progress<'_>) -> Result<(), StoreError> {
        self.runtime().refold(progress)?;
        self.log().scrub()?;
        for erasure in self.log().erasures() {
            self.log().complete_erasure(erasure.id)?;
        }
        Ok(())
    }
}

/// A client is erased once: the event's id follows from who it is.
fn erasure_id(client: &str) -> Uuid {
    event_id(&StreamId::Client(client.to_owned()), &["client-erased"])
}
