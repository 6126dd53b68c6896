//! The cached bodies, by the client id that was asked for. They stay within a budget of bytes; the
//! cache evicts what was not asked for lately.

use std::sync::Arc;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rollbook_domain::Position;
use rollbook_domain::event::View;

use super::invalidation::Slot;
use super::validity::ValidityInterval;

/// About what an entry takes beside its bodies.
const OVERHEAD_BYTES: usize = 256;
/// The size that the cache is laid out for. It bounds the number of shards, so that a shard (the
/// largest thing that can be cached) has at least two megabytes of the usual budget.
const USUAL_BYTES: usize = 64 << 10;

/// A rendered body.
#[derive(Clone, Debug)]
pub(super) struct CachedBody {
    /// The clients whose series it was rendered from.
    pub(super) slots: Box<[Slot]>,
    /// The position of its rows.
    pub(super) at: Position,
    /// The instants at which it is right.
    pub(super) validity: ValidityInterval,
    /// The body.
    pub(super) body: Bytes,
}

/// What is cached for a client id.
#[derive(Clone, Debug)]
pub(super) struct CachedClient {
    /// The id that the switch knows the client by.
    pub(super) canonical: String,
    /// The position at which that was so.
    pub(super) identified_at: Position,
    legacy: Option<CachedBody>,
    precreated: Option<CachedBody>,
}

impl CachedClient {
    /// The body of a view.
    pub(super) fn body(&self, view: View) -> Option<&CachedBody> {
        match view {
            View::Legacy => self.legacy.as_ref(),
            View::Precreated => self.precreated.as_ref(),
        }
    }

    fn with(mut self, view: View, body: CachedBody) -> Self {
        match view {
            View::Legacy => self.legacy = Some(body),
            View::Precreated => self.precreated = Some(body),
        }
        self
    }
}

/// Weighs an entry in bytes.
#[derive(Clone, Debug)]
struct Bytewise;

impl Weighter<String, Arc<CachedClient>> for Bytewise {
    fn weight(&self, client: &String, cached: &Arc<CachedClient>) -> u64 {
        let of = |body: &Option<CachedBody>| {
            body.as_ref().map_or(0, |body| body.body.len() + OVERHEAD_BYTES)
        };
        (of(&cached.legacy) + of(&cached.precreated) + client.len() + OVERHEAD_BYTES) as u64
    }
}

/// The bodies within their budget.
pub(super) struct Bodies(Cache<String, Arc<CachedClient>, Bytewise>);

impl Bodies {
    /// Nothing yet.
    pub(super) fn new(budget_bytes: usize) -> Self {
        let entries = (budget_bytes / USUAL_BYTES).max(1);
        Self(Cache::with_weighter(entries, budget_bytes as u64, Bytewise))
    }

    /// What is cached for a client id.
    pub(super) fn get(&self, client: &str) -> Option<Arc<CachedClient>> {
        self.0.get(client)
    }

    /// Caches a body. The other view's body of the same client stays.
    pub(super) fn insert(&self, client: &str, canonical: &str, view: View, body: CachedBody) {
        let (legacy, precreated) = match self.0.peek(client) {
            Some(cached) => (cached.legacy.clone(), cached.precreated.clone()),
            None => (None, None),
        };
        let (canonical, identified_at) = (canonical.to_owned(), body.at);
        let cached = CachedClient { canonical, identified_at, legacy, precreated };
        self.0.insert(client.to_owned(), Arc::new(cached.with(view, body)));
    }

    /// Up to `most` client ids that are cached.
    pub(super) fn clients(&self, most: usize) -> Vec<String> {
        self.0.iter().take(most).map(|(client, _)| client).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> CachedBody {
        let body = Bytes::from(text.to_owned());
        CachedBody { slots: Box::new([]), at: 1, validity: ValidityInterval::ALWAYS, body }
    }

    #[test]
    fn the_budget_holds_and_what_is_asked_for_again_and_again_stays() {
        let bodies = Bodies::new(100_000);
        let text = "x".repeat(1_000);
        bodies.insert("c0", "c", View::Legacy, body(&text));
        for number in 1..1_000 {
            assert!(bodies.get("c0").is_some(), "asked for every time, and gone at {number}");
            bodies.insert(&format!("c{number}"), "c", View::Legacy, body(&text));
            assert!(bodies.0.weight() <= 100_000, "{} bytes", bodies.0.weight());
        }
        let left = bodies.clients(1_000);
        assert!((40..=66).contains(&left.len()), "{} of 66 that fit", left.len());
        let weights = bodies.0.iter().map(|(client, cached)| Bytewise.weight(&client, &cached));
        assert_eq!(weights.sum::<u64>(), bodies.0.weight());
    }

    #[test]
    fn both_views_of_a_client_are_cached_side_by_side() {
        let bodies = Bodies::new(100_000);
        bodies.insert("a", "a", View::Legacy, body("1"));
        bodies.insert("a", "a", View::Precreated, body("2"));
        let cached = bodies.get("a").unwrap();
        let text = |view| cached.body(view).map(|cached| cached.body.clone());
        assert_eq!(text(View::Legacy), Some(Bytes::from("1")));
        assert_eq!(text(View::Precreated), Some(Bytes::from("2")));
        assert!(bodies.get("b").is_none());
    }
}
