//! Metrics that are looked up when `/metrics` is read: the state of the store and of the process.
//! As with any read, this may fold projections; it changes nothing else.

use rollbook_application::store::Store;
use rollbook_application::store::StoreError;
use rollbook_domain::event::View;
use rollbook_projections::tracker::{self, Tracker};
use rustix::time::{ClockId, clock_gettime};

use super::metrics::{Metrics, ProcessMetrics, ProjectionLabel, StoreMetrics, ViewLabel};
use super::targets;

/// Everything that `/metrics` answers. If the store cannot be read, one metric says so and the
/// others keep their last values.
pub fn exposition(metrics: &Metrics, store: &Store) -> String {
    let figures = &metrics.store;
    let sound = store.log().require_sound();
    figures.poisoned.set(i64::from(matches!(sound, Err(rollbook_log::LogError::Poisoned(_)))));
    let looked = projections(figures, store).and_then(|()| switch(figures, store));
    if let Err(error) = &looked {
        tracing::warn!(target: targets::TELEMETRY, %error, "the store could not be looked at");
    }
    let available = looked.is_ok() && !matches!(sound, Err(rollbook_log::LogError::Lost { .. }));
    figures.available.set(i64::from(available));
    process(&metrics.process);
    metrics.encoded()
}

/// How far each projection is, before anything is folded for the sake of looking.
fn projections(figures: &StoreMetrics, store: &Store) -> Result<(), StoreError> {
    // The head is read last: a projection is never ahead of it.
    let checkpoints = store.runtime().checkpoints()?;
    let head = store.log().head();
    figures.head.set(saturated(head));
    for (projection, position) in checkpoints {
        let label = ProjectionLabel { projection: projection.as_str() };
        let lag = head.saturating_sub(position);
        let waiting = if lag > 0 { store.log().at(position + 1)? } else { None };
        let seconds = waiting.map_or(0, |oldest| {
            (Store::now().milliseconds() - oldest.recorded_at.milliseconds()).max(0)
        }) as f64
            / 1000.0;
        figures.projection.get_or_create(&label).set(saturated(position));
        figures.lag_positions.get_or_create(&label).set(saturated(lag));
        figures.lag_seconds.get_or_create(&label).set(seconds);
    }
    Ok(())
}

/// The switch.
fn switch(figures: &StoreMetrics, store: &Store) -> Result<(), StoreError> {
    let snapshot = store.snapshot()?;
    let control = snapshot.rows::<Tracker>().and_then(|(rows, _)| tracker::control(&rows))?;
    for view in [View::Legacy, View::Precreated] {
        let label = ViewLabel { view: view.name() };
        let named = control.switch.clients.values().filter(|served| **served == view).count();
        figures.switch_default.get_or_create(&label).set(i64::from(control.switch.default == view));
        figures.switch_clients.get_or_create(&label).set(saturated(named as u64));
    }
    figures.switch_percent.set(i64::from(control.switch.other_percent));
    Ok(())
}

/// Memory, files and processor time. A metric that the system does not provide keeps its last
/// value.
fn process(figures: &ProcessMetrics) {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(kilobytes) = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<i64>().ok()
        })
    {
        figures.memory.set(kilobytes << 10);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the directory that is being read.
        figures.files.set(saturated(files.count().saturating_sub(1) as u64));
    }
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
    figures.cpu.inc_by((seconds - figures.cpu.get()).max(0.0));
}

fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
