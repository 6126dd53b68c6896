//! The use cases that write. Each one is a function that the command line and the HTTP service both
//! call.
//!
//! A use case takes a [`Reading`](crate::store::Reading), so that an edge can resolve ids and
//! authorize with the same reading before.

pub mod acceptance;
mod allocate;
mod coach;
mod correct;
pub mod erase;
mod error;
mod feedback;
pub mod import;
pub mod keyring;
pub mod migration;
mod put;
mod respond;
pub mod switch;

pub use allocate::{AllocationOutcome, AllocationRequest, allocate};
pub use correct::{CorrectionReport, CorrectionRequest, RecordedEvent, correct, stream_of};
pub use error::OperationError;
pub use feedback::{FeedbackRequest, give_feedback};
pub use put::{DocumentChange, DocumentKind, PutReport, PutRequest, document_of, put};
pub use respond::{Response, respond};

#[cfg(test)]
mod tests;
