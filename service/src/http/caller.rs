//! Extractors for callers: from headers to a [`Caller`], and from a caller to the [`Request`] of a
//! command. `access` authenticates and authorizes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rollbook_application::store::{CallerKey, Reading, Request, Store};
use rollbook_domain::{Actor, Timestamp};

use super::error::ApiError;
use super::extract::RequestKey;
use super::request_id::RequestId;
use super::service::Service;
use crate::access::{AccessDenied, Caller, Permission, RoleNote};

impl FromRequestParts<Service> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        // Tokens expire by the system's clock, whatever clock the answers are for.
        let caller = service.access().authenticate(&parts.headers, Store::now()).await?;
        Ok(match parts.extensions.get::<RoleNote>() {
            Some(note) => caller.noting(note.clone()),
            None => caller,
        })
    }
}

/// A request that writes: its caller, its time and its idempotency key.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    caller: Caller,
    now: Timestamp,
    key: Option<String>,
    id: RequestId,
}

impl FromRequestParts<Service> for WriteRequest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, service).await?;
        // Extractors of bodies run after this one, so the body of a caller without any permission
        // is not parsed.
        let caller = match caller.has_any_grant() {
            Some(true) => caller,
            Some(false) => return Err(AccessDenied::Forbidden.into()),
            None => {
                let check = move |store: &Store| caller.require_any_right(store).map(|()| caller);
                service.blocking(check).await?
            }
        };
        let RequestKey(key) = RequestKey::from_request_parts(parts, service).await?;
        let Ok(id) = RequestId::from_request_parts(parts, service).await;
        Ok(Self { caller, now: service.now(), key, id })
    }
}

impl WriteRequest {
    /// Makes a request of this caller, now.
    #[cfg(test)]
    pub(super) fn by(caller: Caller, key: Option<&str>) -> Self {
        let id = RequestId::of(&axum::http::HeaderMap::new());
        Self { caller, now: Store::now(), key: key.map(ToOwned::to_owned), id }
    }

    /// The caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The time of the request.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the request of a command, if the caller has the permission.
    ///
    /// # Errors
    /// If the caller does not have it.
    pub fn request(
        &self,
        reading: &Reading<'_>,
        permission: Permission<'_>,
    ) -> Result<Request, ApiError> {
        let actor = self.caller.authorize_in(reading, permission)?;
        // Keys of different callers are different keys, even with the same text.
        let key = self.key.as_ref().map(|key| CallerKey::of_caller(owner(&actor), key));
        Ok(Request { actor, now: self.now, key, cause: Some(self.id.as_str().to_owned()) })
    }
}

fn owner(actor: &Actor) -> String {
    match actor {
        Actor::Client(id) => format!("client:{id}"),
        Actor::Coach(id) => format!("coach:{id}"),
        Actor::Admin(id) => format!("admin:{id}"),
        Actor::System(id) => format!("system:{id}"),
        Actor::Migration(id) => format!("migration:{id}"),
    }
}
