//! The view switch: which view serves which client.
//!
//! A share of the clients is a range of buckets. The clients of the pre-created view have the low
//! buckets and those of the legacy view the high ones, whichever view a command names, so a new
//! percentage moves only the clients between the old and the new one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{Audience, View};

/// Which view serves which client: a default, a percentage, and exceptions for single clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The view of every client without an exception.
    pub default: View,
    /// The percentage of all clients, chosen by hash, that get the other view.
    pub other_percent: u8,
    /// The exceptions: the view of single clients, by document id.
    pub clients: BTreeMap<String, View>,
    /// The number of switches so far.
    pub switched: u64,
}

impl Default for Switch {
    fn default() -> Self {
        Self { default: View::Legacy, other_percent: 0, clients: BTreeMap::new(), switched: 0 }
    }
}

/// The clients that a switch moves from one view to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedClients {
    /// Clients that newly get the pre-created view.
    pub to_precreated: usize,
    /// Clients that newly get the legacy view.
    pub to_legacy: usize,
}

impl MovedClients {
    /// The clients that get another view than before.
    pub fn total(self) -> usize {
        self.to_precreated + self.to_legacy
    }
}

/// Counts the clients, by document id, whose view differs between two switches.
pub fn moved<'a>(
    before: &Switch,
    after: &Switch,
    clients: impl IntoIterator<Item = &'a str>,
) -> MovedClients {
    let mut moved = MovedClients::default();
    for client in clients {
        match (before.view_for(client), after.view_for(client)) {
            (View::Legacy, View::Precreated) => moved.to_precreated += 1,
            (View::Precreated, View::Legacy) => moved.to_legacy += 1,
            _ => {}
        }
    }
    moved
}

/// Returns the bucket of a client, 0 to 99: the first eight bytes of the SHA-256 of the client's
/// document id, modulo 100.
pub fn bucket(client: &str) -> u8 {
    let digest = Sha256::digest(client.as_bytes());
    let eight = digest.iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    // The modulus keeps it below 100.
    #[allow(clippy::cast_possible_truncation)]
    let bucket = (eight % 100) as u8;
    bucket
}

impl Switch {
    /// Returns the view that serves a client, by document id.
    pub fn view_for(&self, client: &str) -> View {
        match self.clients.get(client) {
            Some(view) => *view,
            // Without a percentage the bucket does not matter, so it is not computed.
            None if self.other_percent == 0 => self.default,
            None => self.view_of_bucket(bucket(client)),
        }
    }

    pub(super) fn view_of_bucket(&self, bucket: u8) -> View {
        if bucket < self.other_percent { self.default.other() } else { self.default }
    }

    /// Returns the view and percentage to record for a share of the clients, so that clients
    /// who already have the view keep it. `percent` is at most 100.
    ///
    /// A recorded percentage gives the low buckets to its view. It is recorded from the side of the
    /// pre-created view, unless an earlier record gave a part of the low buckets to the legacy
    /// view.
    pub fn share(&self, view: View, percent: u8) -> (View, u8) {
        let is_reversed =
            self.default == View::Precreated && (1..=99).contains(&self.other_percent);
        let low = if is_reversed { View::Legacy } else { View::Precreated };
        let percent = percent.min(100);
        (low, if view == low { percent } else { 100 - percent })
    }

    /// Returns the switch after a `ViewSwitched` event. A percentage gives its view the low
    /// buckets.
    pub fn switched_to(&self, view: View, audience: &Audience) -> Self {
        let mut next = Self { switched: self.switched + 1, ..self.clone() };
        match audience {
            Audience::Everyone => {
                next.default = view;
                next.other_percent = 0;
                next.clients.clear();
            }
            Audience::Percent(percent) => {
                next.default = view.other();
                next.other_percent = *percent;
            }
            Audience::Clients(clients) => {
                next.clients.extend(clients.iter().map(|client| (client.clone(), view)))
            }
        }
        next
    }

    /// Whether `next` gives the pre-created view to any client that does not have it now.
    pub(super) fn widens_precreated(&self, next: &Self) -> bool {
        let widened =
            |before: View, after: View| before == View::Legacy && after == View::Precreated;
        (0..100).any(|bucket| widened(self.view_of_bucket(bucket), next.view_of_bucket(bucket)))
            || self
                .clients
                .keys()
                .chain(next.clients.keys())
                .any(|client| widened(self.view_for(client), next.view_for(client)))
    }
}
