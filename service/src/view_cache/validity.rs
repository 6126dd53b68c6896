//! The validity of a cached body while its rows do not change: the interval of *now* around the
//! instant that it was rendered for.

use rollbook_domain::Timestamp;
use rollbook_domain::document::Field;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::Clock;
use rollbook_projections::turning_points::turning_points;
use rollbook_projections::views::ClientRows;

/// From one instant (inclusive) to another (exclusive); `None` for no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValidityInterval {
    from: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl ValidityInterval {
    /// Always: the body does not depend on *now*.
    pub(super) const ALWAYS: Self = Self { from: None, before: None };
    /// Never: the body shows *now* itself.
    const NEVER: Self = Self { from: Some(Timestamp::EPOCH), before: Some(Timestamp::EPOCH) };

    /// Whether the body is the same at `now`.
    pub(super) fn contains(self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.before.is_none_or(|before| now < before)
    }

    /// The interval around `clock.now` in which a body rendered from these rows does not change.
    pub(super) fn of(rows: &ClientRows, clock: &Clock) -> Self {
        // A missing due or assigned time is shown as now.
        if rows
            .stored()
            .any(|stored| !matches!(stored.due, Field::Is(_)) || stored.assigned_at.is_none())
        {
            return Self::NEVER;
        }
        let turns = |legacy: &[LegacySeries], precreated: &[Series]| {
            turning_points(legacy, precreated, clock.zone, clock.overdue_after_milliseconds)
        };
        let turns = match rows {
            ClientRows::Legacy(rows) => turns(rows, &[]),
            ClientRows::Precreated(rows) => turns(&[], rows),
        };
        // Turning points do not cover `pausedUntil`, which the body shows.
        let pauses = rows.pauses();
        let mut interval = Self::ALWAYS;
        for turn in turns.into_iter().chain(pauses) {
            if turn <= clock.now {
                interval.from = interval.from.max(Some(turn));
            } else {
                interval.before = Some(interval.before.map_or(turn, |before| before.min(turn)));
            }
        }
        interval
    }
}
