//! The state that every handler receives: the store, access control, the clock, and whether the
//! service is shutting down.
//!
//! **Invariant: nothing that blocks runs on a thread that drives connections.** See
//! [`Service::blocking`].

use std::sync::Arc;
use std::time::Duration;

use rollbook_application::operations::import::Imports;
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_projections::entry::ListParameters;
use tokio::sync::watch;

use super::admission::{Admission, Permits};
use super::error::ApiError;
use crate::access::Access;
use crate::configuration::Settings;
use crate::telemetry::request::carried;
use crate::telemetry::targets;
use crate::telemetry::{Metrics, Telemetry, Traces};
use crate::view_cache::ViewCache;

/// The source of the current time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// Always this instant, for tests.
    Fixed(Timestamp),
}

/// The state of the service. Clones share it.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<Store>,
    view_cache: ViewCache,
    access: Arc<Access>,
    clock: Clock,
    settings: Settings,
    telemetry: Telemetry,
    admission: Admission,
    permits: Permits,
    imports: Arc<Imports>,
    draining: watch::Sender<bool>,
}

impl Service {
    /// A service over an open store.
    pub fn new(
        store: Arc<Store>,
        access: Arc<Access>,
        clock: Clock,
        settings: Settings,
        telemetry: Telemetry,
    ) -> Self {
        let admission = Admission::new(&settings.limits);
        let permits = Permits::new(settings.limits.subscribers);
        let (imports, unreadable) = Imports::of(store.directory());
        if let Some(error) = unreadable {
            tracing::warn!(target: targets::HTTP, %error, "the records of earlier imports cannot be read");
        }
        let draining = watch::Sender::new(false);
        let view_cache = ViewCache::new(settings.overdue_after_milliseconds());
        Self {
            shared: Arc::new(Shared {
                store,
                view_cache,
                access,
                clock,
                settings,
                telemetry,
                admission,
                permits,
                imports: Arc::new(imports),
                draining,
            }),
        }
    }

    /// The store. Its calls block: see [`Service::blocking`].
    pub fn store(&self) -> &Arc<Store> {
        &self.shared.store
    }

    /// The cache of rendered view bodies.
    pub fn view_cache(&self) -> &ViewCache {
        &self.shared.view_cache
    }

    /// The settings of the service.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The metrics.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.telemetry.metrics
    }

    /// The exporter of traces, if it is configured.
    pub fn traces(&self) -> Option<&Traces> {
        self.shared.telemetry.traces.as_deref()
    }

    /// Admission control.
    pub fn admission(&self) -> &Admission {
        &self.shared.admission
    }

    /// Permits for subscribers of live events and for long operations.
    pub fn permits(&self) -> &Permits {
        &self.shared.permits
    }

    /// The imports into this store.
    pub fn imports(&self) -> &Arc<Imports> {
        &self.shared.imports
    }

    /// Access control.
    pub fn access(&self) -> &Access {
        &self.shared.access
    }

    /// The current time for responses.
    pub fn now(&self) -> Timestamp {
        match self.shared.clock {
            Clock::System => Store::now(),
            Clock::Fixed(now) => now,
        }
    }

    /// The parameters of a list for the current time.
    pub fn asked(&self) -> ListParameters {
        ListParameters {
            now: self.now(),
            overdue_after_milliseconds: self.shared.settings.overdue_after_milliseconds(),
        }
    }

    /// Runs work on the store on a blocking thread, because reads may fold and read the disk, and
    /// writes wait for the disk.
    ///
    /// # Errors
    /// The error of `work`; [`ApiError::mistake`] if it panics.
    pub async fn blocking<T, E>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError> + Send + 'static,
    {
        let store = self.shared.store.clone();
        match tokio::task::spawn_blocking(carried(move || work(&store))).await {
            Ok(outcome) => outcome.map_err(Into::into),
            // The message of the panic may contain input of a caller. The panic hook has logged the
            // location.
            Err(_panicked) => Err(ApiError::mistake()),
        }
    }

    /// Flushes the log and the traces at the end.
    pub fn end(&self) {
        self.shared.telemetry.end();
    }

    /// Tells long-lived work, such as a stream of live events, that the service is shutting down.
    pub fn drain(&self) {
        self.shared.draining.send_replace(true);
    }

    /// Whether the service is shutting down.
    pub fn is_draining(&self) -> bool {
        *self.shared.draining.borrow()
    }

    /// Waits until the service shuts down.
    pub async fn drained(&self) {
        let mut draining = self.shared.draining.subscribe();
        // The sender lives as long as this handle, so waiting cannot fail.
        let _ended = draining.wait_for(|draining| *draining).await;
    }
}

/// Once a minute, frees the rate limiter's state of idle addresses.
pub async fn keep_forgetting(service: Service) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        service.admission().evict_idle();
    }
}

/// Reports new commits to the view cache and folds them soon after they are appended, so that reads
/// have little to fold. A failure is retried with the next commit and by the next read.
pub async fn keep_folding(service: Service) {
    let mut folded = 0;
    loop {
        let log = service.store().log().clone();
        let head = log.head_beyond(folded).await;
        let answers = service.clone();
        let fold = move |store: &Store| {
            answers.view_cache().advance(store).and_then(|()| store.catch_up(&|_, _| {}))
        };
        if let Err(refusal) = service.blocking(fold).await {
            tracing::error!(target: targets::HTTP, code = refusal.code().name(), "projections could not be folded");
        }
        folded = head;
    }
}
