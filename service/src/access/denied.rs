//! The reasons to deny a caller. The texts are for the log. A caller learns only that
//! authentication or a permission is missing, and never whether a thing exists.

use std::net::SocketAddr;

use rollbook_application::store::StoreError;

use super::error::AccessError;

/// The reason to deny a caller.
#[derive(Debug, thiserror::Error)]
pub enum AccessDenied {
    /// There are no valid credentials. The text is for the log.
    #[error("authentication required: {0}")]
    Unauthenticated(&'static str),
    /// The caller has no permission. The thing may or may not exist.
    #[error("this caller may not do that, or there is no such thing")]
    Forbidden,
    /// Credentials cannot be checked now: the issuer's keys or the file of API keys cannot be read.
    #[error("the caller cannot be authenticated now")]
    Unavailable(#[from] AccessError),
    /// The rows for the decision cannot be read.
    #[error("the permission cannot be checked, because the store cannot be read")]
    Store(#[from] StoreError),
    /// Without authentication, other machines could use the service.
    #[error(
        "no authentication is configured, so the service may listen on this machine only, and {0} can be reached from others; configure an issuer of tokens, or make a key with `rollbook key create`"
    )]
    OpenBeyondLoopback(SocketAddr),
}
