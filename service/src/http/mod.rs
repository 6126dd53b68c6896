//! The service: the store behind HTTP. Owns how requests become commands and answers become bodies; what a command means is the
//! domain's, who may give it is `access`'s.
//!
//! `router` has all routes on one page, `service` is what every handler is given, `error` the one refusal and its two forms,
//! `extract` what is read from requests, `caller` who sends them, `answer` what every answer carries, `server` the connections and
//! their end. `drop_in` speaks as the old application did.

pub mod admission;
pub mod answer;
pub mod body;
pub mod caller;
pub mod description;
pub mod drop_in;
pub mod error;
pub mod extract;
pub mod health;
pub mod layers;
pub mod limits;
pub mod metrics;
pub mod native;
pub mod ofrep;
pub mod request_id;
pub mod router;
pub mod routes;
pub mod server;
pub mod service;
mod whole;

pub use error::Refusal;
pub use router::router;
pub use server::{Server, serve};
pub use service::{Clock, Service, keep_folding, keep_forgetting};
