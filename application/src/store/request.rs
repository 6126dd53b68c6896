//! A request that writes, with an optional idempotency key.

use parking_lot::MutexGuard;
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
    pub key: Option<CallerKey>,
    /// The cause to record if there is no key, such as a request id; `None` for a new id.
    pub cause: Option<String>,
}

impl Request {
    /// Returns the cause that is recorded with the events of this request.
    pub(crate) fn cause(&self) -> String {
        let given = self.key.as_ref().map(CallerKey::cause).or_else(|| self.cause.clone());
        given.unwrap_or_else(|| new_id(system_clock()).to_string())
    }
}

/// An idempotency key. Keys of different callers are different keys, even with the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerKey {
    /// The caller, such as `client:ada`; empty on the command line.
    caller: String,
    /// The text that the caller chose.
    text: String,
}

impl CallerKey {
    /// A key from the command line.
    pub fn of_command_line(text: impl Into<String>) -> Self {
        Self { caller: String::new(), text: text.into() }
    }

    /// A key of a caller of the service, such as `client:ada`.
    pub fn of_caller(caller: impl Into<String>, text: impl Into<String>) -> Self {
        Self { caller: caller.into(), text: text.into() }
    }

    /// The cause of the events that the request writes.
    fn cause(&self) -> String {
        let Self { caller, text } = self;
        if caller.is_empty() { text.clone() } else { format!("{caller}/{text}") }
    }

    /// The name in the log. The length of the caller separates both parts, because each of them may
    /// contain a slash.
    fn stored_name(&self) -> String {
        let Self { caller, text } = self;
        format!("{KEY_PREFIX}{NAMES}{}/{caller}/{text}", caller.len())
    }

    /// The name that earlier releases stored; `None` if it could be the name of another key.
    fn earlier_name(&self) -> Option<String> {
        let cause = self.cause();
        (!cause.starts_with(NAMES)).then(|| format!("{KEY_PREFIX}{cause}"))
    }

    /// Every name that may be stored, the current one first.
    fn names(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.stored_name()).chain(self.earlier_name())
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

/// The start of the current names, after [`KEY_PREFIX`].
const NAMES: &str = "2/";

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
        let digest = keyed.digest();
        for key in given.names() {
            let Some((stored, committed)) = self.log().requested_under(&key)? else { continue };
            let is_same = stored == digest
                || stored == keyed.legacy_digest()
                || keyed.earlier_digests().contains(&stored);
            if !is_same {
                let (key, CommitReceipt { first, last, .. }) = (given.text.clone(), committed);
                return Err(AppendError::KeyReused { key, first, last }.into());
            }
            let key = IdempotencyKey { key, request: stored };
            return Ok(Some(BoundKey { key, committed: Some(committed) }));
        }
        let key = IdempotencyKey { key: given.stored_name(), request: digest };
        Ok(Some(BoundKey { key, committed: None }))
    }

    /// Returns the commit of an earlier request with the same key and the same content.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(super) fn committed_since(
        &self,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<CommitReceipt>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        let found = self.log().requested_under(&key.key)?;
        Ok(found.filter(|(stored, _)| *stored == key.request).map(|(_, committed)| committed))
    }

    /// Takes the lock of a request's key, so that the same request twice at once is decided once.
    pub(crate) fn lock_key(&self, request: &Request) -> Option<MutexGuard<'_, ()>> {
        self.key_locks.lock(&request.key.as_ref()?.stored_name())
    }

    /// Takes the lock of all puts of documents, so that two puts at once cannot give two clients the
    /// same identity. Keys of requests have other names.
    pub(crate) fn lock_puts(&self) -> Option<MutexGuard<'_, ()>> {
        self.key_locks.lock(&"puts of documents")
    }

    /// Returns the request with the time of its first arrival, so that a repeated command that
    /// contains the time, such as an allocation, is equal to the first one.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) fn at_first_arrival(&self, request: &Request) -> Result<Request, StoreError> {
        let mut request = request.clone();
        for name in request.key.as_ref().into_iter().flat_map(CallerKey::names) {
            if let Some(committed) = self.log().committed_under(&name)?
                && let Some(first) = self.log().at(committed.first)?
            {
                request.now = first.occurred_at;
                break;
            }
        }
        Ok(request)
    }
}

/// Returns the error with the key as the caller gave it.
pub(super) fn with_given_key(error: AppendError, request: &Request) -> AppendError {
    match (error, &request.key) {
        (AppendError::KeyReused { first, last, .. }, Some(given)) => {
            AppendError::KeyReused { key: given.text.clone(), first, last }
        }
        (other, _) => other,
    }
}
