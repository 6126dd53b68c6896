//! The interface through which a caller follows and stops a long run.

/// The callbacks of a run that takes long.
pub struct Monitor<'a> {
    /// Called with the number of events done and of all events, from any thread.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Polled between commits; `true` stops the run.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
}
