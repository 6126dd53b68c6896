//! Operation: limits, logs, traces, metrics, settings, deployment files, and a store that
//! disappears.

mod deployed;
mod figures;
mod limits;
mod lost;
mod running;
mod settings;
mod telling;
