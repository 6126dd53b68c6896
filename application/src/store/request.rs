//! A request that writes, with an optional idempotency key.

use rollbook_domain::{Actor, Timestamp};
use rollbook_log::{AppendError, CommitReceipt, IdempotencyKey, new_id, system_clock};

use super::request_digest::KeyedRequest;
use super::{Store, StoreError};

/// The sender, the time and the idempotency key of a request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The actor to record.
    pub actor: Actor,
    /// The time of the request.
    pub now: Timestamp,
    /// The idempotency key. The same request with the same key again writes nothing.
    pub key: Option<String>,
    /// The cause to record if there is no key, such as a request id; `None` for a new id.
    pub cause: Option<String>,
}

impl Request {
    /// Returns the cause that is recorded with the events of this request.
    pub(crate) fn cause(&self) -> String {
        let given = self.key.as_ref().or(self.cause.as_ref());
        given.cloned().unwrap_or_else(|| new_id(system_clock()).to_string())
    }
}

/// An idempotency key, bound to a request.
pub(crate) struct BoundKey {
    /// The key, with the digest to append with.
    pub(crate) key: IdempotencyKey,
    /// The commit that was stored with this key.
    pub(crate) committed: Option<CommitReceipt>,
}

/// The prefix of the keys of requests in the log. It prevents a caller from using the key of an
/// import or a batch.
const KEY_PREFIX: &str = "request/";

fn stored_name(key: &str) -> String {
    format!("{KEY_PREFIX}{key}")
}

impl Store {
    /// Binds the key of a request, if it has one, to the content of the request.
    ///
    /// # Errors
    /// [`AppendError::KeyReused`] if the key is bound to another request; if the log cannot be
    /// read.
    pub(crate) fn bind_key(
        &self,
        request: &Request,
        keyed: KeyedRequest<'_>,
    ) -> Result<Option<BoundKey>, StoreError> {
        let Some(given) = &request.key else { return Ok(None) };
        let (key, digest) = (stored_name(given), keyed.digest());
        let bound = match self.log().requested_under(&key)? {
            None => BoundKey { key: IdempotencyKey { key, request: digest }, committed: None },
            Some((stored, committed))
                if stored == digest
                    || stored == keyed.legacy_digest()
                    || keyed.earlier_digests().contains(&stored) =>
            {
                BoundKey {
                    key: IdempotencyKey { key, request: stored },
                    committed: Some(committed),
                }
            }
            Some((_other, CommitReceipt { first, last, .. })) => {
                return Err(AppendError::KeyReused { key: given.clone(), first, last }.into());
            }
        };
        Ok(Some(bound))
    }

    /// Returns the request with the time of its first arrival, so that a repeated command that
    /// contains the time, such as an allocation, is equal to the first one.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) fn at_first_arrival(&self, request: &Request) -> Result<Request, StoreError> {
        let mut request = request.clone();
        if let Some(key) = &request.key
            && let Some(committed) = self.log().committed_under(&stored_name(key))?
            && let Some(first) = self.log().at(committed.first)?
        {
            request.now = first.occurred_at;
        }
        Ok(request)
    }
}

/// Returns the error with the key as the caller gave it.
pub(super) fn with_given_key(error: AppendError) -> AppendError {
    match error {
        AppendError::KeyReused { key, first, last } => AppendError::KeyReused {
            key: key.strip_prefix(KEY_PREFIX).unwrap_or(&key).to_owned(),
            first,
            last,
        },
        other => other,
    }
}
