//! What the application says of a store, as values: the command line prints them and the service answers with them, so that both
//! say the same. Owns how each is made of a store and its JSON; how it reads as text is the command line's.
//!
//! Every report is read back from its own JSON, so that a remote one prints as a local one does.

pub mod audit;
pub mod check_ins;
pub mod evidence;
pub mod history;
pub mod migration;
pub mod moment;
#[cfg(feature = "openapi")]
pub mod schemas;
pub mod span;
pub mod status;
pub mod switch;
