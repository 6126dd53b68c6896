//! Why a caller is turned away. Owns what the log may say of it; callers are told the least of it: who they must be, or that they may
//! not, and never whether a thing exists.

use std::net::SocketAddr;

use rollbook_application::store::StoreError;

use super::error::AccessError;

/// Why a caller is turned away.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// Nobody, or nobody who can be believed. The text is for the log.
    #[error("authentication required: {0}")]
    Unauthenticated(&'static str),
    /// This caller may not; the thing may exist or not.
    #[error("this caller may not do that, or there is no such thing")]
    Forbidden,
    /// It cannot be told at present: the issuer's keys, or the file of API keys, cannot be had.
    #[error("who this is cannot be told now")]
    Unavailable(#[from] AccessError),
    /// What decides could not be read from the store.
    #[error("who may do this cannot be told, because the store cannot be read")]
    Store(#[from] StoreError),
    /// Without authentication, others would get in.
    #[error(
        "no authentication is configured, so the service may listen on this machine only, and {0} can be reached from others; configure an issuer of tokens, or make a key with `rollbook key create`"
    )]
    OpenBeyondLoopback(SocketAddr),
}
