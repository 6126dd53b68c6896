//! The handle that everything reading an open log shares. When the last handle is dropped, the
//! writer writes what was submitted and the store is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use event_listener::EventListener;
use rollbook_domain::event::Position;

use crate::queue::Queue;
use crate::store::Store;

/// The number of logs that this process has opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A handle of an open log. Clones keep the same log open.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Open>);

struct Open {
    number: u64,
    store: Arc<Store>,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has dropped its answers, so every waiting caller got an error.
            let _panicked = writer.join();
        }
    }
}

impl Handle {
    /// The first handle of a log.
    pub(crate) fn new(store: Arc<Store>, queue: Arc<Queue>, writer: JoinHandle<()>) -> Self {
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Open { number, store, queue, writer: Some(writer) }))
    }

    /// Distinguishes this opening of a store from every other in this process.
    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    /// The open store.
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// The queue to the writer.
    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// The position of the last event, 0 if there is none.
    pub(crate) fn head(&self) -> Position {
        self.store().head()
    }

    /// Waits for the next move of the head. Call this before reading the head, so that no move is
    /// missed.
    pub(crate) fn listen(&self) -> EventListener {
        self.store().listen()
    }
}
