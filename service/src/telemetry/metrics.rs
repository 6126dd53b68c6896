//! Every metric: its name, labels and buckets. `docs/metrics.md` says which question each answers,
//! and a test compares that list with this file. The sources know nothing of metrics: the log calls
//! an [`Observer`], projections have checkpoints, and `store_metrics` reads the store.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::MatchedPath;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use rollbook_log::{GroupWritten, Observer};

/// The form that `/metrics` speaks.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A gauge of a fractional number.
pub(super) type Fraction = Gauge<f64, AtomicU64>;

/// Upper bounds of durations, in seconds: from a read out of memory to the longest operation.
const DURATION_BUCKETS_SECONDS: [f64; 17] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 60.0,
];
/// Upper bounds of a group, in commits.
const GROUP_BUCKETS: [f64; 11] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// The labels of a request. Each has few values: routes are templates, statuses are classes.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// The method; `other` for one that no route has.
    pub method: &'static str,
    /// The route.
    pub route: Route,
    /// The status' class, such as `2xx`.
    pub status: &'static str,
}

/// A route by its template; `none` where no route fits.
#[derive(Clone, Debug)]
pub struct Route(Option<MatchedPath>);

impl Route {
    /// The route that a request was matched to, if any.
    pub fn of(matched: Option<&MatchedPath>) -> Self {
        Self(matched.cloned())
    }

    /// The template.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("none", MatchedPath::as_str)
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

/// One label with a value out of a fixed list.
macro_rules! label {
    ($name:ident, $label:ident) => {
        #[doc = concat!("The label `", stringify!($label), "`.")]
        #[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
        pub struct $name {
            /// Its value.
            pub $label: &'static str,
        }
    };
}

label!(CodeLabel, code);
label!(ViewLabel, view);
label!(ProjectionLabel, projection);

#[derive(Clone, Debug)]
struct Durations;

impl MetricConstructor<Histogram> for Durations {
    fn new_metric(&self) -> Histogram {
        durations()
    }
}

fn durations() -> Histogram {
    Histogram::new(DURATION_BUCKETS_SECONDS)
}

/// Every metric of the service. Counting costs a lock or an atomic each.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    append: Histogram,
    group_write: Histogram,
    group: Histogram,
    commits: Counter,
    events: Counter,
    requests: Family<RequestLabels, Histogram, Durations>,
    refusals: Family<CodeLabel, Counter>,
    reads: Family<ViewLabel, Counter>,
    panics: Counter,
    /// Requests under way.
    pub in_flight: Gauge,
    /// Open connections.
    pub connections: Gauge,
    /// Subscribers of live events.
    pub subscribers: Gauge,
    pub(super) store: StoreMetrics,
    pub(super) process: ProcessMetrics,
}

/// Metrics of the store, as of the last look.
#[derive(Debug, Default)]
pub(super) struct StoreMetrics {
    pub(super) available: Gauge,
    pub(super) poisoned: Gauge,
    pub(super) head: Gauge,
    pub(super) projection: Family<ProjectionLabel, Gauge>,
    pub(super) lag_positions: Family<ProjectionLabel, Gauge>,
    pub(super) lag_seconds: Family<ProjectionLabel, Fraction>,
    pub(super) switch_default: Family<ViewLabel, Gauge>,
    pub(super) switch_percent: Gauge,
    pub(super) switch_clients: Family<ViewLabel, Gauge>,
}

/// Metrics of the process, as of the last look.
#[derive(Debug, Default)]
pub(super) struct ProcessMetrics {
    pub(super) memory: Gauge,
    pub(super) files: Gauge,
    pub(super) cpu: Counter<f64, AtomicU64>,
    pub(super) start: Fraction,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            append: durations(),
            group_write: durations(),
            group: Histogram::new(GROUP_BUCKETS),
            commits: Counter::default(),
            events: Counter::default(),
            requests: Family::new_with_constructor(Durations),
            refusals: Family::default(),
            reads: Family::default(),
            panics: Counter::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            subscribers: Gauge::default(),
            store: StoreMetrics::default(),
            process: ProcessMetrics::default(),
        };
        metrics.register();
        metrics.process.start.set(now_seconds());
        metrics
    }
}

impl Metrics {
    #[rustfmt::skip]
    fn register(&mut self) {
        let registry = &mut self.registry;
        let mut own = |name: &str, help: &str, metric: &dyn NamedMetric| metric.register(registry, &format!("rollbook_{name}"), help);
        own("append_duration_seconds", "From submitting a commit to its answer", &self.append);
        own("group_write_duration_seconds", "Writing and syncing one group of commits", &self.group_write);
        own("group_commits", "Commits written with one sync", &self.group);
        own("commits", "Commits appended by this process", &self.commits);
        own("events", "Events appended by this process", &self.events);
        own("head_position", "Position of the last event", &self.store.head);
        own("store_available", "1 while the store's directory is there and can be read", &self.store.available);
        own("store_poisoned", "1 after a failed write: no commit is taken until the service is started again", &self.store.poisoned);
        own("projection_position", "Position up to which a projection is folded", &self.store.projection);
        own("projection_lag_positions", "Events that a projection has not folded yet", &self.store.lag_positions);
        own("projection_lag_seconds", "Age of the oldest event that a projection has not folded yet", &self.store.lag_seconds);
        own("view_reads", "Answers given by a view", &self.reads);
        own("switch_default", "1 for the view that serves clients by default", &self.store.switch_default);
        own("switch_other_percent", "Share of clients that the view which is not the default serves, in percent", &self.store.switch_percent);
        own("switch_named_clients", "Clients that are served a view by name", &self.store.switch_clients);
        own("http_request_duration_seconds", "From a request's headers to its answer's", &self.requests);
        own("http_requests_in_flight", "Requests under way", &self.in_flight);
        own("http_connections", "Open connections", &self.connections);
        own("http_panics", "Requests that met a mistake in the service itself", &self.panics);
        own("refusals", "Requests that were not done, by code", &self.refusals);
        own("event_subscribers", "Subscribers of live events", &self.subscribers);
        registry.register("rollbook_build", "The version that runs", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("process_resident_memory_bytes", "Memory in use", self.process.memory.clone());
        registry.register("process_open_fds", "Open files and sockets", self.process.files.clone());
        registry.register("process_cpu_seconds", "Processor time used", self.process.cpu.clone());
        registry.register("process_start_time_seconds", "When the process started, since 1970", self.process.start.clone());
    }

    /// Counts one request.
    pub fn request(&self, labels: &RequestLabels, duration_seconds: f64) {
        match self.requests.get(labels) {
            Some(requests) => requests.observe(duration_seconds),
            None => self.requests.get_or_create(labels).observe(duration_seconds),
        }
    }

    /// Counts one refusal.
    pub fn refusal(&self, code: &'static str) {
        self.refusals.get_or_create(&CodeLabel { code }).inc();
    }

    /// Counts one answer of a view.
    pub fn read(&self, view: &'static str) {
        self.reads.get_or_create(&ViewLabel { view }).inc();
    }

    /// Counts one panic.
    pub fn panic(&self) {
        self.panics.inc();
    }

    /// All of them as text.
    pub(super) fn encoded(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _infallible = encode(&mut text, &self.registry);
        text
    }
}

/// The time since 1970, in seconds.
fn now_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A metric that can be registered under a name: all kinds alike.
trait NamedMetric {
    fn register(&self, registry: &mut Registry, name: &str, help: &str);
}

impl<T: prometheus_client::registry::Metric + Clone> NamedMetric for T {
    fn register(&self, registry: &mut Registry, name: &str, help: &str) {
        registry.register(name, help, self.clone());
    }
}

impl Observer for Metrics {
    fn group_written(&self, group: &GroupWritten<'_>) {
        self.group_write.observe(group.write_duration.as_secs_f64());
        self.group.observe(group.waits.len() as f64);
        self.commits.inc_by(group.waits.len() as u64);
        self.events.inc_by(group.events);
        group.waits.iter().for_each(|wait| self.append.observe(wait.as_secs_f64()));
    }
}
