//! The view switch: which view serves which client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{Audience, View};

/// Which view serves whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Serves whoever no exception names.
    pub default: View,
    /// That part of all clients, by hash, has the other view.
    pub other_percent: u8,
    /// Clients by document id.
    pub clients: BTreeMap<String, View>,
    /// How often it was switched.
    pub switched: u64,
}

impl Default for Switch {
    fn default() -> Self {
        Self { default: View::Legacy, other_percent: 0, clients: BTreeMap::new(), switched: 0 }
    }
}

/// A client's place among a hundred: the first eight bytes of the SHA-256 of the client's document id, modulo 100.
pub fn bucket(client: &str) -> u8 {
    let digest = Sha256::digest(client.as_bytes());
    let eight = digest.iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    // Below 100 by the modulus.
    #[allow(clippy::cast_possible_truncation)]
    let bucket = (eight % 100) as u8;
    bucket
}

impl Switch {
    /// The view that serves a client, by document id.
    pub fn view_for(&self, client: &str) -> View {
        match self.clients.get(client) {
            Some(view) => *view,
            // Without a percentage nobody's place matters.
            None if self.other_percent == 0 => self.default,
            None => self.view_of_bucket(bucket(client)),
        }
    }

    fn view_of_bucket(&self, bucket: u8) -> View {
        if bucket < self.other_percent { self.default.other() } else { self.default }
    }

    /// The switch after a `ViewSwitched`.
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

    /// Whether `next` gives anybody the pre-created view who does not have it now.
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
