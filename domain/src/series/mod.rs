//! Series: all runs of one form for one client.
//!
//! `state` folds the stream of a series into its current state. `items` holds the weeks and applies
//! documents and events to them. `legacy` is the same series as the old application would have
//! stored it. `decide` decides commands, `ids` derives ids, and `packed` encodes the weeks as part
//! of a row. `overlay` keeps changes of weeks that are not stored yet. `corrections` keeps what
//! undoing a correction restores, and `placement` folds corrections.

mod corrections;
pub mod decide;
mod ids;
pub mod items;
pub mod legacy;
mod overlay;
mod packed;
mod placement;
pub mod state;
mod week_change;

pub use corrections::{CorrectionState, Corrections};
pub use ids::{assignment_id, event_id, response_id};
pub use items::{Item, Items};
pub use legacy::LegacySeries;
pub use overlay::Overlays;
pub use state::{Run, Series};
