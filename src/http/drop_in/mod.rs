//! The endpoints that the front end had before, with their paths, bodies and texts. Owns the old shapes; what is done is the
//! store's. Bodies are camelCase; refusals are `{"success": false, "message": …}`.

pub mod check_ins;
pub mod shapes;
