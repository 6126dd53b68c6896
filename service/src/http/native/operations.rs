//! Turns: how many may follow live events, and an operator's long operations, one at a time, to their end whoever goes away.

use std::sync::Arc;

use rollbook_application::store::Store;
use rollbook_migrations::monitor::Monitor;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::error::Refusal;
use crate::http::service::Service;

/// Who may follow live events, and whose long operation is next.
#[derive(Debug)]
pub struct Turns {
    subscribers: Arc<Semaphore>,
    places: usize,
    operation: Arc<Semaphore>,
}

impl Turns {
    /// So many subscribers at once, and one operation.
    pub fn new(subscribers: usize) -> Self {
        let places = subscribers.min(Semaphore::MAX_PERMITS);
        Self {
            subscribers: Arc::new(Semaphore::new(places)),
            places,
            operation: Arc::new(Semaphore::new(1)),
        }
    }

    /// How many follow live events now.
    pub fn subscribed(&self) -> usize {
        self.places - self.subscribers.available_permits()
    }

    /// A subscriber's place, if there is one left.
    pub fn subscribe(&self) -> Option<OwnedSemaphorePermit> {
        self.subscribers.clone().try_acquire_owned().ok()
    }
}

/// Carries a long operation out on a thread that may block, when those before are through. Whoever asked may go away meanwhile:
/// what has begun goes on to its end, or to a commit boundary when the service ends.
///
/// # Errors
/// What the operation refuses or fails with.
pub async fn operate<T, E>(
    service: &Service,
    work: impl FnOnce(&Store, &Monitor<'_>) -> Result<T, E> + Send + 'static,
) -> Result<T, Refusal>
where
    T: Send + 'static,
    E: Into<Refusal> + Send + 'static,
{
    // The semaphore is never closed.
    let turn = service
        .turns()
        .operation
        .clone()
        .acquire_owned()
        .await
        .map_err(|_closed| Refusal::mistake())?;
    let draining = service.clone();
    service
        .blocking(move |store| {
            let _turn = turn;
            work(store, &Monitor { progress: &|_, _| {}, interrupted: &|| draining.is_draining() })
        })
        .await
}
