//! Use cases that write: each is one function, called by the command line and by HTTP alike.

mod error;
pub mod migration;
pub mod switch;

pub use error::OperationError;
