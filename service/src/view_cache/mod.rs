//! Answers that are kept: a view's body as it was written, for as long as it would be written again just so. Owns that a kept answer is
//! never stale.
//!
//! An answer is a pure function of rows and *now*. Its rows change only by events that `touched` knows to concern the client, and with
//! *now* it changes only at the turning points that `lasting` finds in those rows. So a kept body is right while no such event came and
//! no such point passed; both are looked up in memory, and every commit up to the head is looked at before the answer is given.
//!
//! Kept bodies stay within a budget: what was not asked for since half of it was filled is forgotten (`shelf`).

mod lasting;
mod shelf;
mod touched;

use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::RwLock;
use rollbook_application::store::StoreError;
use rollbook_application::store::{Store, ViewChoice};
use rollbook_domain::control::Switch;
use rollbook_domain::event::View;
use rollbook_domain::{Position, StreamId, Timestamp};
use rollbook_projections::directory;
use rollbook_projections::directory::Identity;
use rollbook_projections::entry::{Answer, Asked};
use rollbook_projections::rows::RowSource;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{ClientRows, legacy_streams};

use self::lasting::Lasting;
use self::shelf::{Kept, Shelf};
use self::touched::Touched;

/// The most bytes of kept bodies.
const BUDGET_BYTES: usize = 64 << 20;
/// Whoever looks at a great many events holds the lock for long; an answer can be made without it.
const SHORTLY: Duration = Duration::from_micros(500);
/// So many events are looked at on the spot; when there are more, whoever may block does it.
const FEW_EVENTS: u64 = 256;
/// The most clients whose answers are prepared.
const MOST_PREPARED: usize = 64;

/// A view's answer. Clones share the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The view that answered.
    pub view: View,
    /// The position it is of.
    pub position: Position,
    /// The body, as JSON text.
    pub body: Bytes,
}

/// The answers of one store, for one grace before overdue.
pub struct Answers {
    overdue_after_milliseconds: i64,
    state: RwLock<State>,
}

struct State {
    /// `None` until the first answer.
    known: Option<Known>,
    shelf: Shelf,
}

impl State {
    /// A kept answer that is right at `now` and at the position that was looked at.
    fn kept(&self, asking: ViewChoice, client: &str, now: Timestamp) -> Option<Shared> {
        let known = self.known.as_ref()?;
        let view = match asking {
            ViewChoice::View(view) => view,
            ViewChoice::Live => {
                let whose = self
                    .shelf
                    .whose(client)
                    .filter(|whose| known.touched.is_unchanged(&[], whose.at))?;
                known.switch.view_for(&whose.canonical)
            }
        };
        let kept = self.shelf.get(client, view)?;
        let is_right = kept.lasting.holds(now) && known.touched.is_unchanged(&kept.ids, kept.at);
        is_right.then(|| Shared {
            view,
            position: known.touched.position(),
            body: kept.body.clone(),
        })
    }
}

/// What is known of the log up to a position.
struct Known {
    touched: Touched,
    switch: Switch,
}

impl Answers {
    /// Nothing kept yet. `overdue_after_milliseconds` is the pre-created view's grace.
    pub fn new(overdue_after_milliseconds: i64) -> Self {
        Self {
            overdue_after_milliseconds,
            state: RwLock::new(State { known: None, shelf: Shelf::new(BUDGET_BYTES) }),
        }
    }

    /// The same with another budget, in bytes.
    pub fn with_budget(self, budget_bytes: usize) -> Self {
        self.state.write().shelf = Shelf::new(budget_bytes);
        self
    }

    /// A kept answer, where there is one that is right at `now` and at the head of the log as it is on this call. Does not fold, and
    /// reads of the log only what came since the last call, where that is little.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn kept(
        &self,
        store: &Store,
        asking: ViewChoice,
        client: &str,
        now: Timestamp,
    ) -> Result<Option<Shared>, StoreError> {
        let head = store.log().head();
        // Most of the time nothing came, and readers do not wait for each other.
        if let Some(state) = self.state.try_read_for(SHORTLY)
            && state.known.as_ref().is_some_and(|known| known.touched.position() >= head)
            && let Some(kept) = state.kept(asking, client, now)
        {
            return Ok(Some(kept));
        }
        let Some(mut state) = self.state.try_write_for(SHORTLY) else { return Ok(None) };
        let State { known: Some(known), shelf } = &mut *state else { return Ok(None) };
        if head.saturating_sub(known.touched.position()) > FEW_EVENTS {
            return Ok(None);
        }
        known.look(store)?;
        shelf.fetch(client);
        Ok(state.kept(asking, client, now))
    }

    /// The answer, kept or made anew. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn answer(
        &self,
        store: &Store,
        asking: ViewChoice,
        client: &str,
        now: Timestamp,
    ) -> Result<Shared, StoreError> {
        self.look(store)?;
        match self.kept(store, asking, client, now)? {
            Some(kept) => Ok(kept),
            None => self.anew(store, asking, client, now),
        }
    }

    /// Looks at what came since, however much it is, so that the next answer has little to look at. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn look(&self, store: &Store) -> Result<(), StoreError> {
        if let Some(known) = &mut self.state.write().known {
            return known.look(store);
        }
        let snapshot = store.snapshot()?;
        let (rows, position) = snapshot.rows::<Tracker>()?;
        let known =
            Known { touched: Touched::since(position), switch: tracker::control(&rows)?.switch };
        self.state.write().known.get_or_insert(known);
        Ok(())
    }

    /// Makes answers for those who asked lately, as the switch serves them now, until there are none to make or `limit` is over: who
    /// asks first after a switch does not wait for what nobody has read yet. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn prepare(
        &self,
        store: &Store,
        now: Timestamp,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let until = Instant::now() + limit;
        let asked = self.state.read().shelf.newest(MOST_PREPARED);
        for client in asked {
            if Instant::now() >= until {
                break;
            }
            self.answer(store, ViewChoice::Live, &client, now)?;
        }
        Ok(())
    }

    fn anew(
        &self,
        store: &Store,
        asking: ViewChoice,
        client: &str,
        now: Timestamp,
    ) -> Result<Shared, StoreError> {
        let asked = Asked { now, overdue_after_milliseconds: self.overdue_after_milliseconds };
        let snapshot = store.snapshot()?;
        let view = store.view_in(&snapshot, asking, client, None)?;
        let (rows, position) = snapshot.view(view)?;
        let identity = directory::identify(&rows.directory, client)?;
        let clock = asked.clock(directory::zone(&rows.directory)?);
        let (body, lasting): (Bytes, Lasting) = if identity.onboarded {
            let made_of = ClientRows::read(&rows, &identity)?;
            let body =
                made_of.answer(&rows.directory, &identity, &clock, |answer| answer.to_json())?;
            (body.into(), Lasting::of(&made_of, &clock))
        } else {
            (Answer::default().to_json().into(), Lasting::ALWAYS)
        };
        // Whoever nobody knows is not kept: of such ids there is no end.
        if identity.document.is_some() && lasting.holds(now) {
            let canonical = identity.canonical().to_owned();
            let kept = Kept {
                ids: made_of_ids(&rows.directory, view, &identity)?,
                at: position,
                lasting,
                body: body.clone(),
            };
            self.state.write().shelf.keep(client, &canonical, view, kept);
        }
        Ok(Shared { view, position, body })
    }
}

/// The clients whose streams an answer is made of. A document may be stored under one client's id in another one's series.
fn made_of_ids(
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

impl Known {
    fn look(&mut self, store: &Store) -> Result<(), StoreError> {
        let Self { touched, switch } = self;
        touched.look(store.log(), |view, audience| *switch = switch.switched_to(view, audience))
    }
}
