//! The judgement of one difference.

use super::report::Class;

/// The class of a difference, or the reason why it has none.
pub(super) type Verdict = Result<Class, &'static str>;
