//! Rollbook over HTTP. `http` has the endpoints, `access` decides who may call them, `view_cache` caches rendered view bodies,
//! `telemetry` writes logs, metrics and traces, `configuration` reads the settings.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod access;
pub mod configuration;
pub mod http;
pub mod telemetry;
pub mod view_cache;
