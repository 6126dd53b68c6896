//! The HTTP service: turns requests into commands, and results into bodies. The domain decides what
//! a command does, `access` who may give it.
//!
//! `router` lists all routes, `service` is the state of every handler, `error` the error with its
//! two forms, `extract` and `caller` read requests, `answer` sets the headers of answers, `server`
//! runs the connections and shuts down. `drop_in` has the old application's endpoints, `native` the
//! new ones.

pub mod admission;
pub mod answer;
pub mod body;
pub mod caller;
pub mod description;
pub mod drop_in;
pub mod error;
pub mod extract;
pub mod health;
mod integer;
pub mod layers;
pub mod limits;
pub mod metrics;
pub mod native;
mod next_step;
pub mod ofrep;
pub mod request_id;
pub mod router;
pub mod routes;
pub mod server;
pub mod service;

pub use error::ApiError;
pub use router::router;
pub use server::{Server, serve};
pub use service::{Clock, Service, keep_folding, keep_forgetting};
