//! The error types of the log and their texts. A text names the thing, the reason and the
//! operator's next step. It names no command and no flag: the command line adds those.

mod append;
mod corruption;
mod engine;
mod log;

pub use append::AppendError;
pub use corruption::{Corruption, CorruptionKind, DecodeError};
pub use engine::EngineError;
pub use log::LogError;
