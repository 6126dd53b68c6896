//! Why an apply leaves events of a batch out, and how many.

use rollbook_domain::series::Series;
use rollbook_domain::{Event, NewEvent};
use serde::{Deserialize, Serialize};

use super::Run;

/// Events of a batch that a run did not append, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// An earlier run of the same batch appended them.
    pub already: u64,
    /// The week was stored, answered or marked as missed meanwhile, or has the due date or window
    /// already, or the response was linked meanwhile.
    pub taken: u64,
    /// The week or its series was withdrawn meanwhile.
    pub withdrawn: u64,
    /// The client was erased.
    pub erased: u64,
}

impl LeftOut {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.already + self.taken + self.withdrawn + self.erased
    }
}

/// Why one event is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Already,
    Taken,
    Withdrawn,
    Erased,
}

impl Run<'_> {
    /// Why an event is left out, if it is. `by_batch` tells whether this batch appended it; `None`
    /// means that the series does not have it.
    pub(super) fn reason(
        &self,
        series: &Series,
        event: &NewEvent,
        by_batch: Option<bool>,
        is_erased: bool,
    ) -> Option<Reason> {
        match by_batch {
            Some(true) => Some(Reason::Already),
            // Nothing can be appended for an erased client.
            None if is_erased => Some(Reason::Erased),
            None if !self.definition.is_present(series, &event.event) => None,
            _ if is_withdrawn(series, &event.event) => Some(Reason::Withdrawn),
            _ => Some(Reason::Taken),
        }
    }

    /// Counts an event that is left out.
    pub(super) fn leave_out(&mut self, event: &NewEvent, reason: Reason) {
        let left_out = &mut self.report.left_out;
        let count = match reason {
            Reason::Already => &mut left_out.already,
            Reason::Taken => &mut left_out.taken,
            Reason::Withdrawn => &mut left_out.withdrawn,
            Reason::Erased => &mut left_out.erased,
        };
        *count += 1;
        self.report.skipped += 1;
        if reason != Reason::Already {
            self.not_appended.add(&event.event);
        }
    }
}

/// Whether the week of an event was withdrawn. A withdrawn series may keep its answered weeks.
fn is_withdrawn(series: &Series, event: &Event) -> bool {
    match event {
        Event::AssignmentCreated { run, week, .. }
        | Event::ResponseLinked { run, week, .. }
        | Event::AssignmentRescheduled { run, week, .. }
        | Event::WindowChanged { run, week, .. } => {
            series.is_withdrawn(*run, *week) && series.items.week(*run, *week).is_none()
        }
        _ => false,
    }
}
