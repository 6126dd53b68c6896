//! Erases a client permanently.
//!
//! The order of the steps makes an erasure resumable. First, the log destroys the keys and records
//! the event, in one step. Then the rows are folded again without the data, every file of the
//! database is rewritten, and the erasure is marked as complete. After the first step the data
//! cannot be recovered. If a later step is interrupted, the next call repeats it.

use rollbook_domain::control::{BatchState, Control};
use rollbook_domain::event::EventRecord;
use rollbook_domain::limits::{REASON_BYTES, check_text};
use rollbook_domain::series::event_id;
use rollbook_domain::{Actor, Event, NewEvent, Position, StreamId, Timestamp};
use rollbook_log::{Erasure, KeyringError, LogError};
use rollbook_migrations::responses::Responses;
use rollbook_projections::directory;
use rollbook_projections::runtime::Progress;
use serde::Serialize;
use uuid::Uuid;

use crate::store::{Outcome, Proposal, Request, Store, StoreError};

/// The outcome of an erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureOutcome {
    /// The client's document id.
    pub client: String,
    /// Every erased id; the client's own is the first.
    pub ids: Vec<String>,
    /// The position of its event.
    pub position: Position,
    /// Whether the client was completely erased before. Then this call did nothing.
    pub already: bool,
    /// Whether this call resumed an interrupted erasure.
    pub resumed: bool,
}

/// A recorded erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureRecord {
    /// The id of the store.
    pub store: Uuid,
    /// The id of the erasure and of its event.
    pub erasure: Uuid,
    /// The client's document id.
    pub client: String,
    /// Every erased id.
    pub ids: Vec<String>,
    /// The reason.
    pub reason: String,
    /// The time of the request.
    pub at: Timestamp,
    /// The actor.
    pub actor: Actor,
}

impl ErasureRecord {
    fn of(store: Uuid, recorded: EventRecord) -> Option<Self> {
        let Event::ClientErased { client, ids, reason } = recorded.event else { return None };
        let (erasure, at, actor) = (recorded.id, recorded.occurred_at, recorded.actor);
        Some(Self { store, erasure, client, ids, reason, at, actor })
    }
}

/// Returns the ids that an erasure of a client covers, the client's own first, and the earlier
/// erasure, if there was one.
///
/// # Errors
/// [`StoreError::UnknownClient`]; [`StoreError::NotAClient`] for a coach or an administrator; if the
/// store is unsealed or cannot be read.
pub fn erasure_of(store: &Store, id: &str) -> Result<(Vec<String>, Option<Erasure>), StoreError> {
    let log = store.log();
    if !log.sealing().sealed {
        return Err(LogError::from(KeyringError::Unsealed).into());
    }
    let covers = |erasure: &Erasure| erasure.ids.iter().any(|erased| erased == id);
    if let Some(erasure) = log.erasures().into_iter().find(covers) {
        return Ok((erasure.ids.clone(), Some(erasure)));
    }
    let reading = store.reading();
    if reading.is_staff(id)? {
        return Err(StoreError::NotAClient(id.to_owned()));
    }
    let identity = reading.identify(id)?;
    let mut ids = identity.ids;
    if let Some(document) = &identity.document {
        for earlier in directory::earlier_identities(&reading.directory()?, document)? {
            if !ids.contains(&earlier) {
                ids.push(earlier);
            }
        }
    } else if !has_streams(store, id)? {
        return Err(StoreError::UnknownClient(id.to_owned()));
    }
    Ok((ids, None))
}

fn has_streams(store: &Store, client: &str) -> Result<bool, StoreError> {
    let own = store.log().stream_version(&StreamId::Client(client.to_owned()))? > 0;
    Ok(own || !store.log().streams_with_prefix(&StreamId::series_prefix(client))?.is_empty())
}

/// Erases a client under every identity. Resumes an interrupted erasure.
///
/// # Errors
/// As [`erasure_of`]; if the reason is too long; if the log, the keyring, the rows or the database
/// cannot be written. Then another call resumes.
pub fn erase(
    store: &Store,
    id: &str,
    reason: &str,
    request: &Request,
    progress: Progress<'_>,
) -> Result<ErasureOutcome, StoreError> {
    let (ids, before) = erasure_of(store, id)?;
    let client = ids.first().cloned().unwrap_or_else(|| id.to_owned());
    let event = erasure_id(&client);
    let already = before.as_ref().is_some_and(|erasure| erasure.complete)
        && store.log().event(event)?.is_some();
    if !already {
        check_text("the reason", reason, REASON_BYTES)?;
        record_erasure(store, &client, &ids, reason, request)?;
        clear_after_erasures(store, progress)?;
    }
    let position = store.log().event(event)?.map_or(0, |recorded| recorded.position);
    Ok(ErasureOutcome { client, ids, position, already, resumed: before.is_some() && !already })
}

/// Erases every client of these records that is not erased in this store. A restored backup lacks
/// the erasures that came after it. Returns the number of erased clients.
///
/// # Errors
/// As [`erase`].
pub fn erase_again(
    store: &Store,
    records: &[ErasureRecord],
    progress: Progress<'_>,
) -> Result<u64, StoreError> {
    let log = store.log();
    let mut count = 0;
    for record in records.iter().filter(|record| record.store == log.store_id()) {
        let ErasureRecord { client, ids, reason, at, actor, .. } = record;
        if log.event(erasure_id(client))?.is_some() {
            // The keyring may be from before the erasure, although the log is not.
            if !log.is_erased(&StreamId::Client(client.clone())) {
                log.destroy_keys(erasure_id(client), ids)?;
                count += 1;
            }
            continue;
        }
        let request = Request { actor: actor.clone(), now: *at, key: None, cause: None };
        record_erasure(store, client, ids, reason, &request)?;
        count += 1;
    }
    if count > 0 || log.erasures().iter().any(|erasure| !erasure.complete) {
        clear_after_erasures(store, progress)?;
    }
    Ok(count)
}

/// Returns every recorded erasure of this store.
///
/// # Errors
/// If the log cannot be read.
pub fn erasures(store: &Store) -> Result<Vec<ErasureRecord>, StoreError> {
    let log = store.log();
    let mut records = Vec::new();
    for erasure in log.erasures() {
        let recorded = log.event(erasure.id)?;
        records.extend(recorded.and_then(|recorded| ErasureRecord::of(log.store_id(), recorded)));
    }
    Ok(records)
}

/// The first step: the log destroys the keys and records the event, together with the new digest of
/// the remaining responses of every batch.
fn record_erasure(
    store: &Store,
    client: &str,
    ids: &[String],
    reason: &str,
    request: &Request,
) -> Result<(), StoreError> {
    let id = erasure_id(client);
    let decide = |control: &Control| {
        if store.log().event(id)?.is_some() {
            return Ok(Proposal::Settled(Outcome::Nothing));
        }
        let mut events = vec![NewEvent {
            stream: StreamId::Client(ids.first().cloned().unwrap_or_default()),
            id: Some(id),
            occurred_at: request.now,
            event: Event::ClientErased {
                client: client.to_owned(),
                ids: ids.to_vec(),
                reason: reason.to_owned(),
            },
        }];
        for batch in &control.batches {
            events.extend(attested(store, batch, ids)?.map(|event| NewEvent {
                stream: StreamId::Control,
                id: None,
                occurred_at: request.now,
                event,
            }));
        }
        Ok(Proposal::Append(events))
    };
    let load = || store.control_now();
    match store.decide_and_append(&StreamId::Control, request, None, load, decide)? {
        // The erasure is recorded, but a keyring from an older backup may contain the keys again.
        Outcome::Nothing => Ok(store.log().destroy_keys(id, ids)?),
        Outcome::Done { .. } | Outcome::AlreadyCompleted { .. } => Ok(()),
    }
}

/// Returns the count and digest of the responses before a batch, without those of this client.
/// `None` if the batch's present digest does not match the log, so that the check that compares
/// them stays red.
fn attested(
    store: &Store,
    batch: &BatchState,
    ids: &[String],
) -> Result<Option<Event>, StoreError> {
    let is_theirs =
        |stream: &StreamId| stream.client().is_some_and(|client| ids.iter().any(|id| id == client));
    let (all, rest) = Responses::at_without(store.log(), batch.base, &is_theirs)?;
    let was_cut_off = ids.iter().any(|id| store.log().is_erased(&StreamId::Client(id.clone())));
    if !was_cut_off
        && (all.len(), all.digest()) != (batch.responses, batch.responses_digest.clone())
    {
        return Ok(None);
    }
    let (responses, responses_digest) = (rest.len(), rest.digest());
    if responses == batch.responses && responses_digest == batch.responses_digest {
        return Ok(None);
    }
    Ok(Some(Event::ResponsesAttested { digest: batch.digest.clone(), responses, responses_digest }))
}

/// The later steps: the rows, the files, and the mark that the erasure is complete.
pub(super) fn clear_after_erasures(
    store: &Store,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    store.evict_series();
    store.runtime().refold(progress)?;
    store.log().scrub()?;
    for erasure in store.log().erasures() {
        store.log().complete_erasure(erasure.id)?;
    }
    Ok(())
}

/// Returns the id of a client's erasure. It is derived from the client, so a client is erased only
/// once.
pub(super) fn erasure_id(client: &str) -> Uuid {
    event_id(&StreamId::Client(client.to_owned()), &["client-erased"])
}
