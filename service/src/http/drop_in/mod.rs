//! The endpoints that the front end had before, with their paths, bodies and texts. Owns the old shapes; what is done is the
//! store's. Bodies are camelCase; refusals are `{"success": false, "message": …}`.
//!
//! Every handler reads the same way: what is asked for, whether the caller may have it (`week` finds out whose it is), the command,
//! the answer.

pub mod allocation;
pub mod assignments;
pub mod check_ins;
pub mod corrections;
pub mod feedback;
mod listing;
pub mod respond;
pub mod series;
pub mod shapes;
mod week;
pub mod weekly;
mod when;
