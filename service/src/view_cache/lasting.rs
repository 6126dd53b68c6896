//! For how long an answer stays as it is while its rows do. Owns the interval of *now* around the instant it was made for.

use rollbook_domain::Timestamp;
use rollbook_domain::document::Field;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::Clock;
use rollbook_projections::turning_points::turning_points;
use rollbook_projections::views::ClientRows;

/// From this instant, and before that one; `None` for no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lasting {
    from: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Lasting {
    /// An answer that no clock changes.
    pub(super) const ALWAYS: Self = Self { from: None, before: None };
    /// An answer that has *now* in it.
    const NEVER: Self = Self { from: Some(Timestamp::EPOCH), before: Some(Timestamp::EPOCH) };

    /// Whether the answer is the same at `now`.
    pub(super) fn holds(self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.before.is_none_or(|before| now < before)
    }

    /// The time around `clock.now` in which an answer made of these rows does not change.
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
        let pauses = rows.stored().filter_map(|stored| stored.paused_until);
        let mut lasting = Self::ALWAYS;
        for turn in turns.into_iter().chain(pauses) {
            if turn <= clock.now {
                lasting.from = lasting.from.max(Some(turn));
            } else {
                lasting.before = Some(lasting.before.map_or(turn, |before| before.min(turn)));
            }
        }
        lasting
    }
}
