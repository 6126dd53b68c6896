//! Tampering with a store's files, by chance and on purpose: every change is found and never passes
//! as good data.

mod flipping;
mod forger;
mod forging;
mod sample;
