//! Reports on a store, as values with a JSON form. The service sends the JSON; the command line
//! prints the same values as text. Every report can be read back from its JSON, so that a report
//! from a remote service prints like a local one.

pub mod audit;
pub mod check_ins;
pub mod corrections;
pub mod documents;
pub mod evidence;
pub mod findings;
pub mod history;
pub mod imports;
pub mod migration;
pub mod moment;
pub mod resolution;
#[cfg(feature = "openapi")]
pub mod schemas;
pub mod span;
pub mod status;
pub mod switch;
