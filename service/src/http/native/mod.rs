//! The native API under `/v1`: views, events, history, migrations, the switch, status. Bodies use
//! snake_case, and errors are RFC 9457 problems. These modules read requests. The responses are the
//! reports that the command line prints too. `http::router` lists the paths.

pub mod audit;
pub mod backups;
pub mod check_ins;
pub mod checkpoints;
pub mod chunks;
pub mod corrections;
pub mod documents;
pub mod events;
pub mod findings;
pub mod history;
pub mod imports;
pub mod live;
pub mod migrations;
pub mod operations;
pub mod plan_query;
pub mod query;
pub mod seen;
pub mod shapes;
pub mod status;
pub mod switch;
pub mod upload;
