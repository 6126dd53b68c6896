//! The rights that a caller can hold.

/// A right that a caller holds. Grants are tried in this order, the narrowest first: the first that
/// allows a request is the role in which it is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// One client, by any id.
    Client(String),
    /// The clients of one coach.
    Coach(String),
    /// The metrics.
    Metrics,
    /// The state of the store, and the switch.
    Status,
    /// Changing the switch.
    Switch,
    /// Planning, applying and validating migrations.
    Migrations,
    /// Everything.
    Admin,
}

impl Grant {
    /// The role of its holder.
    pub(super) fn role(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Coach(_) => "coach",
            Self::Metrics | Self::Status | Self::Switch | Self::Migrations => "operator",
            Self::Admin => "admin",
        }
    }
}
