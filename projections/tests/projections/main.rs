//! The projections on a real log, as one binary: a module for each subject.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

// Random commands on series, shared with the domain's own tests.
#[path = "../../../domain/tests/domain/commands.rs"]
mod commands;
mod fixtures;
mod golden;
mod interleaving;
mod oracle;
mod runtime;
mod support;
mod tree;
mod upgrade;
