//! Tampering with a store's files, by chance and on purpose: whatever was changed is found, through the built binary, and never passes as
//! good data.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod binary;
mod flipping;
mod forger;
mod forging;
