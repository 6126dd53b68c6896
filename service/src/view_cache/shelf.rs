//! Where kept answers stand. Owns the budget: two boards, of which the older is cleared when the newer is full; what is asked for
//! moves to the newer one.

use std::collections::HashMap;

use bytes::Bytes;
use rollbook_domain::Position;
use rollbook_domain::event::View;

use super::lasting::Lasting;

/// A kept answer.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The ids of the client whose series it is made of.
    pub(super) ids: Vec<String>,
    /// The position of its rows.
    pub(super) at: Position,
    /// When it is right.
    pub(super) lasting: Lasting,
    /// The body.
    pub(super) body: Bytes,
}

/// Whom an id means.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    /// The id that switches know the client by.
    pub(super) canonical: String,
    /// The position at which that was so.
    pub(super) at: Position,
}

struct Client {
    whose: Whose,
    legacy: Option<Kept>,
    precreated: Option<Kept>,
}

impl Client {
    fn of(&mut self, view: View) -> &mut Option<Kept> {
        match view {
            View::Legacy => &mut self.legacy,
            View::Precreated => &mut self.precreated,
        }
    }

    fn bytes(&self) -> usize {
        let of =
            |kept: &Option<Kept>| kept.as_ref().map_or(0, |kept| kept.body.len() + OVERHEAD_BYTES);
        of(&self.legacy) + of(&self.precreated) + OVERHEAD_BYTES
    }
}

/// About what an entry takes besides its body.
const OVERHEAD_BYTES: usize = 256;

#[derive(Default)]
struct Board {
    clients: HashMap<String, Client>,
    bytes: usize,
}

pub(super) struct Shelf {
    budget_bytes: usize,
    newer: Board,
    older: Board,
}

impl Shelf {
    pub(super) fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, newer: Board::default(), older: Board::default() }
    }

    /// Whom an id means, as it was when its answer was kept. On the newer board only: see [`Shelf::fetch`].
    pub(super) fn whose(&self, client: &str) -> Option<&Whose> {
        self.newer.clients.get(client).map(|held| &held.whose)
    }

    /// The kept answer. On the newer board only: see [`Shelf::fetch`].
    pub(super) fn get(&self, client: &str, view: View) -> Option<&Kept> {
        let held = self.newer.clients.get(client)?;
        match view {
            View::Legacy => held.legacy.as_ref(),
            View::Precreated => held.precreated.as_ref(),
        }
    }

    /// Ids that were asked for, some of those on the newer board.
    pub(super) fn newest(&self, most: usize) -> Vec<String> {
        self.newer.clients.keys().take(most).cloned().collect()
    }

    /// Moves what is held of a client to the newer board.
    pub(super) fn fetch(&mut self, client: &str) {
        self.find(client);
    }

    pub(super) fn keep(&mut self, client: &str, canonical: &str, view: View, kept: Kept) {
        let whose = Whose { canonical: canonical.to_owned(), at: kept.at };
        let before = self.find(client).map_or(0, |held| held.bytes());
        let held = self.newer.clients.entry(client.to_owned());
        let held =
            held.or_insert_with(|| Client { whose: whose.clone(), legacy: None, precreated: None });
        held.whose = whose;
        *held.of(view) = Some(kept);
        self.newer.bytes = self.newer.bytes + held.bytes() - before;
        self.turn();
    }

    /// What is held of a client, on the newer board from now on.
    fn find(&mut self, client: &str) -> Option<&mut Client> {
        if !self.newer.clients.contains_key(client) {
            let held = self.older.clients.remove(client)?;
            self.older.bytes = self.older.bytes.saturating_sub(held.bytes());
            self.newer.bytes += held.bytes();
            self.newer.clients.insert(client.to_owned(), held);
        }
        self.newer.clients.get_mut(client)
    }

    fn turn(&mut self) {
        if self.newer.bytes > self.budget_bytes / 2 {
            self.older = std::mem::take(&mut self.newer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Kept {
        Kept {
            ids: Vec::new(),
            at: 1,
            lasting: Lasting::ALWAYS,
            body: Bytes::from(text.to_owned()),
        }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten_within_the_budget() {
        let mut shelf = Shelf::new(100_000);
        let body = "x".repeat(1_000);
        for number in 0..1_000 {
            shelf.keep(&format!("c{number}"), "c", View::Legacy, kept(&body));
            assert!(
                shelf.newer.bytes + shelf.older.bytes <= 110_000,
                "{} bytes",
                shelf.newer.bytes + shelf.older.bytes
            );
            shelf.fetch("c0");
            assert!(
                shelf.get("c0", View::Legacy).is_some(),
                "asked for every time, and gone after {number}"
            );
        }
        shelf.fetch("c1");
        assert!(shelf.get("c1", View::Legacy).is_none());
        shelf.fetch("c999");
        assert!(shelf.get("c999", View::Legacy).is_some());
        assert!(shelf.get("c999", View::Precreated).is_none());
        let counted: usize = shelf.newer.clients.values().map(Client::bytes).sum();
        assert_eq!(counted, shelf.newer.bytes);
    }
}
