//! The limits of a route: the size of its body, the time it may take, and what a request must pass
//! before its handler runs. `router` gives every route its limits; `layers` applies them.

use std::time::Duration;

use crate::configuration::{Limits, Timeouts};

/// What a route does, which decides how its requests are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Answers a question. A recent look at the store's directory is good enough.
    Read,
    /// Writes. The store's directory is looked at now.
    Command,
    /// Does an operator's long operation. The store's directory is looked at now.
    Operation,
    /// Answers under any load: neither rate limited nor counted against the requests in flight.
    Always,
}

/// Which of the configured body sizes a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    /// `limits.body_bytes`, within `timeouts.body`.
    Body,
    /// `limits.batch_bytes`, within `timeouts.operation`.
    Batch,
    /// `limits.export_bytes`, within `timeouts.operation`.
    Export,
}

/// Which of the configured times a route may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// `timeouts.request`.
    Request,
    /// `timeouts.operation`.
    Operation,
}

/// The limits of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteLimits {
    /// How requests are admitted.
    pub class: Class,
    /// How much body a request may have, and how long the body may take to arrive.
    pub body: BodyLimit,
    /// How long the handler may take.
    pub time: TimeLimit,
    /// Whether requests are refused while the store's directory is gone.
    pub needs_store: bool,
}

impl RouteLimits {
    /// Reads of the store.
    pub const READ: Self = Self::of(Class::Read, BodyLimit::Body, TimeLimit::Request, true);
    /// Writes to the store.
    pub const COMMAND: Self = Self::of(Class::Command, BodyLimit::Body, TimeLimit::Request, true);
    /// Long operations; they may receive a batch file.
    pub const OPERATION: Self =
        Self::of(Class::Operation, BodyLimit::Batch, TimeLimit::Operation, true);
    /// Imports, which receive an export.
    pub const IMPORT: Self =
        Self::of(Class::Operation, BodyLimit::Export, TimeLimit::Operation, true);
    /// Health, which answers under any load.
    pub const ALWAYS: Self = Self::of(Class::Always, BodyLimit::Body, TimeLimit::Request, false);
    /// Reads that work without the store: metrics and the description of the API.
    pub const WITHOUT_STORE: Self =
        Self::of(Class::Read, BodyLimit::Body, TimeLimit::Request, false);

    const fn of(class: Class, body: BodyLimit, time: TimeLimit, needs_store: bool) -> Self {
        Self { class, body, time, needs_store }
    }

    /// The most bytes of a body.
    pub fn body_bytes(self, limits: &Limits) -> usize {
        match self.body {
            BodyLimit::Body => limits.body_bytes,
            BodyLimit::Batch => limits.batch_bytes,
            BodyLimit::Export => limits.export_bytes,
        }
    }

    /// How long a body may take to arrive.
    pub fn body_time(self, timeouts: &Timeouts) -> Duration {
        match self.body {
            BodyLimit::Body => timeouts.body,
            BodyLimit::Batch | BodyLimit::Export => timeouts.operation,
        }
    }

    /// How long the handler may take.
    pub fn time(self, timeouts: &Timeouts) -> Duration {
        match self.time {
            TimeLimit::Request => timeouts.request,
            TimeLimit::Operation => timeouts.operation,
        }
    }
}
