//! The old application's endpoints, with their paths, bodies and texts. Bodies are camelCase;
//! errors are `{"success": false, "message": …}`.
//!
//! Every handler has the same steps: read the request, authorize the caller (`week` finds the
//! client), run the command, answer.

pub mod allocation;
pub mod assignment;
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
