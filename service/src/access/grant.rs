//! The grants of callers.

/// A grant of a caller. Grants are tried in this order, the narrowest first. The first one that
/// allows a request determines the role of the caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// One client, by any id.
    Client(String),
    /// The clients of one coach.
    Coach(String),
    /// The metrics.
    Metrics,
    /// Reading the status and the switch.
    Status,
    /// Changing the switch.
    Switch,
    /// Planning, applying and validating migrations.
    Migrations,
    /// Everything.
    Admin,
}

impl Grant {
    /// Returns the role of a caller with this grant.
    pub(super) fn role(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Coach(_) => "coach",
            Self::Metrics | Self::Status | Self::Switch | Self::Migrations => "operator",
            Self::Admin => "admin",
        }
    }
}
