//! A cache of rendered view bodies. An entry is valid as long as rendering it again would give the
//! same bytes.
//!
//! A body is a pure function of rows and *now*. The rows change only by events that `invalidation`
//! knows to concern the client, and the body changes with *now* only at the turning points that
//! `validity` finds in the rows. So a cached body is right while no such event was recorded and no
//! such point has passed. Both are checked in memory, against the head of the log at the time of
//! the request. `bodies` keeps the entries within their budget.
//!
//! **Invariant: [`ViewCache::cached`] does no I/O and waits for no other request.** It reads what
//! was published last and gives up if that is behind the head; [`ViewCache::answer`] and
//! [`ViewCache::advance`] block, and belong on threads that may.

mod bodies;
mod invalidation;
mod validity;

use std::time::{Duration, Instant};

use bytes::Bytes;
use rollbook_application::store::{Store, StoreError, ViewChoice};
use rollbook_domain::event::View;
use rollbook_domain::{Position, StreamId, Timestamp};
use rollbook_projections::directory;
use rollbook_projections::directory::Identity;
use rollbook_projections::entry::{Answer, ListParameters};
use rollbook_projections::rows::RowSource;
use rollbook_projections::views::{ClientRows, legacy_streams};

use self::bodies::{Bodies, CachedBody};
use self::invalidation::Invalidation;
use self::validity::ValidityInterval;

/// The most bytes of cached bodies.
const BUDGET_BYTES: usize = 64 << 20;
/// The most clients whose bodies are prepared.
const MOST_PREPARED: usize = 64;

/// A view's rendered body. Clones share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedView {
    /// The view that answered.
    pub view: View,
    /// The position it is valid at.
    pub position: Position,
    /// The body, as JSON text.
    pub body: Bytes,
}

/// The cached bodies of one store, for one grace before overdue.
pub struct ViewCache {
    overdue_after_milliseconds: i64,
    invalidation: Invalidation,
    bodies: Bodies,
}

impl ViewCache {
    /// An empty cache. `overdue_after_milliseconds` is the pre-created view's grace.
    pub fn new(overdue_after_milliseconds: i64) -> Self {
        let (invalidation, bodies) = (Invalidation::new(), Bodies::new(BUDGET_BYTES));
        Self { overdue_after_milliseconds, invalidation, bodies }
    }

    /// The same with another budget, in bytes.
    #[must_use]
    pub fn with_budget(self, budget_bytes: usize) -> Self {
        Self { bodies: Bodies::new(budget_bytes), ..self }
    }

    /// A cached body that is right at `now` and at the head of the log as it is on this call.
    /// `None` if there is none, or if [`ViewCache::advance`] has not reached the head yet. Does not
    /// block.
    pub fn cached(
        &self,
        store: &Store,
        asking: ViewChoice,
        client: &str,
        now: Timestamp,
    ) -> Option<RenderedView> {
        let head = store.log().head();
        let published = self.invalidation.published();
        let published = published.as_ref().filter(|published| published.position >= head)?;
        // Rows from before a change for all clients are out of date; rows newer than what was
        // published may come with a switch that was not.
        let is_known = |at| published.all_clients <= at && at <= published.position;
        let cached = self.bodies.get(client)?;
        let view = match asking {
            ViewChoice::View(view) => view,
            ViewChoice::Live if is_known(cached.identified_at) => {
                published.switch.view_for(&cached.canonical)
            }
            ViewChoice::Live => return None,
        };
        let body = cached.body(view)?;
        let is_right = is_known(body.at)
            && body.validity.contains(now)
            && self.invalidation.is_unchanged(&body.slots, body.at);
        let position = published.position;
        is_right.then(|| RenderedView { view, position, body: body.body.clone() })
    }

    /// The body, from the cache or rendered now. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn answer(
        &self,
        store: &Store,
        asking: ViewChoice,
        client: &str,
        now: Timestamp,
    ) -> Result<RenderedView, StoreError> {
        self.advance(store)?;
        match self.cached(store, asking, client, now) {
            Some(cached) => Ok(cached),
            None => self.render(store, asking, client, now),
        }
    }

    /// Learns which entries the commits up to the head invalidate. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn advance(&self, store: &Store) -> Result<(), StoreError> {
        self.invalidation.advance(store)
    }

    /// Renders bodies of up to 64 cached clients, as the switch serves them now, until `limit` is
    /// over. The first request after a switch then finds its body in the cache. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn prepare(
        &self,
        store: &Store,
        now: Timestamp,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let until = Instant::now() + limit;
        for client in self.bodies.clients(MOST_PREPARED) {
            if Instant::now() >= until {
                break;
            }
            self.answer(store, ViewChoice::Live, &client, now)?;
        }
        Ok(())
    }

    fn render(
        &self,
        store: &Store,
        asking: ViewChoice,
        client: &str,
        now: Timestamp,
    ) -> Result<RenderedView, StoreError> {
        let asked =
            ListParameters { now, overdue_after_milliseconds: self.overdue_after_milliseconds };
        let snapshot = store.snapshot()?;
        let view = store.view_in(&snapshot, asking, client, None)?;
        let (rows, position) = snapshot.view(view)?;
        let identity = directory::identify(&rows.directory, client)?;
        let clock = asked.clock(directory::zone(&rows.directory)?);
        let (body, validity): (Bytes, ValidityInterval) = if identity.onboarded {
            let made_of = ClientRows::read(&rows, &identity)?;
            let body =
                made_of.answer(&rows.directory, &identity, &clock, |answer| answer.to_json())?;
            (body.into(), ValidityInterval::of(&made_of, &clock))
        } else {
            (Answer::default().to_json().into(), ValidityInterval::ALWAYS)
        };
        // Unknown ids are not cached: a caller can make up any number of them.
        if identity.document.is_some() && validity.contains(now) {
            let ids = source_ids(&rows.directory, view, &identity)?;
            let slots = ids.iter().map(|id| self.invalidation.slot(id)).collect();
            let cached = CachedBody { slots, at: position, validity, body: body.clone() };
            self.bodies.insert(client, identity.canonical(), view, cached);
        }
        Ok(RenderedView { view, position, body })
    }
}

/// The clients whose streams a body is rendered from. A document may be stored under one client's
/// id in another client's series.
fn source_ids(
    directory: &dyn RowSource,
    view: View,
    identity: &Identity,
) -> Result<Vec<String>, StoreError> {
    let mut ids = identity.ids.clone();
    if view == View::Legacy {
        for stream in legacy_streams(directory, identity)? {
            if let StreamId::Series { client, .. } = stream
                && !ids.contains(&client)
            {
                ids.push(client);
            }
        }
    }
    Ok(ids)
}
