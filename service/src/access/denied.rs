//! Why a caller is denied. The text is for the log: callers learn only that they must authenticate
//! or that they have no permission, and never whether a thing exists.

use std::net::SocketAddr;

use rollbook_application::store::StoreError;

use super::error::AccessError;

/// Why a caller is denied.
#[derive(Debug, thiserror::Error)]
pub enum AccessDenied {
    /// No credentials, or none that are valid. The text is for the log.
    #[error("authentication required: {0}")]
    Unauthenticated(&'static str),
    /// The caller has no permission. The thing may or may not exist.
    #[error("this caller may not do that, or there is no such thing")]
    Forbidden,
    /// Credentials cannot be checked now: the issuer's keys or the file of API keys cannot be read.
    #[error("who this is cannot be told now")]
    Unavailable(#[from] AccessError),
    /// The rows that decide could not be read from the store.
    #[error("who may do this cannot be told, because the store cannot be read")]
    Store(#[from] StoreError),
    /// Without authentication, other machines could call the service.
    #[error(
        "no authentication is configured, so the service may listen on this machine only, and {0} can be reached from others; configure an issuer of tokens, or make a key with `rollbook key create`"
    )]
    OpenBeyondLoopback(SocketAddr),
}
