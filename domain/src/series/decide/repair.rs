//! Corrections of what is stored wrongly: placing a response in the week that it belongs to, and
//! undoing a correction.

use uuid::Uuid;

use super::{Decider, Rejection};
use crate::event::{Event, Origin, Placement, RunTerms, WeekOfRun};
use crate::limits::{REASON_BYTES, check_text};
use crate::number::Number;
use crate::personal::Personal;
use crate::series::corrections::{Corrected, CorrectionState};
use crate::series::ids::{assignment_id, event_id};
use crate::series::items::{Item, terms_of};
use crate::stream::StreamId;
use crate::time::Timestamp;

/// A correction of what is stored wrongly, or the undoing of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Move a response to another week.
    MoveResponse {
        /// The response.
        response: String,
        /// The run of the week.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: String,
    },
    /// Bind a response that no week holds to a week.
    AdoptResponse {
        /// The response.
        response: String,
        /// The run of the week.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: String,
    },
    /// Set the number of a stored document's week.
    SetWeek {
        /// The document.
        document: String,
        /// The week.
        week: u32,
        /// Why.
        reason: String,
    },
    /// Undo a correction.
    Undo {
        /// The id of the correction.
        correction: Uuid,
        /// Why.
        reason: String,
    },
}

impl Decider<'_> {
    /// Decides a correction.
    ///
    /// # Errors
    /// The errors of [`Decider::move_response`], [`Decider::adopt_response`],
    /// [`Decider::set_week`] and [`Decider::undo`].
    pub fn repair(&self, repair: &Repair) -> Result<Vec<Event>, Rejection> {
        match repair {
            Repair::MoveResponse { response, run, week, reason } => {
                self.move_response(response, *run, *week, reason.clone())
            }
            Repair::AdoptResponse { response, run, week, reason } => {
                self.adopt_response(response, *run, *week, reason.clone())
            }
            Repair::SetWeek { document, week, reason } => {
                self.set_week(document, *week, reason.clone())
            }
            Repair::Undo { correction, reason } => self.undo(*correction, reason.clone()),
        }
    }

    /// Moves a response from the weeks that hold it to another week. A response that this week
    /// alone holds appends nothing, unless its document names another week or none.
    ///
    /// # Errors
    /// If the series has no such response, no week holds it, or it was cleared; if there is no such
    /// week, or the week has another response; if the reason is empty or too long.
    pub fn move_response(
        &self,
        response: &str,
        run: u32,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Rejection> {
        let reason = given(reason)?;
        let holders = self.holders(response)?;
        if holders.is_empty() {
            return Err(Rejection::ResponseNotHeld(response.to_owned()));
        }
        self.place(response, &holders, run, week, reason)
    }

    /// Binds a response that no week holds to a week.
    ///
    /// # Errors
    /// If the series has no such response, a week holds it, or it was cleared; if there is no such
    /// week, or the week has a response; if the reason is empty or too long.
    pub fn adopt_response(
        &self,
        response: &str,
        run: u32,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Rejection> {
        let reason = given(reason)?;
        let holders = self.holders(response)?;
        match holders.first() {
            None => self.place(response, &holders, run, week, reason),
            Some(item) if (item.run, item.week()) == (run, week) && holders.len() == 1 => {
                self.place(response, &holders, run, week, reason)
            }
            Some(item) => Err(Rejection::ResponseHeld {
                response: response.to_owned(),
                run: item.run,
                week: item.week(),
            }),
        }
    }

    /// The weeks that hold a response.
    fn holders(&self, response: &str) -> Result<Vec<&Item>, Rejection> {
        let series = self.series;
        let holders: Vec<&Item> = series
            .items
            .iter()
            .filter(|item| item.stored.response_id() == Some(response))
            .collect();
        if holders.is_empty() && series.corrections.is_cleared(response) {
            return Err(Rejection::ResponseWasCleared(response.to_owned()));
        }
        if holders.is_empty() && !series.responses.contains_key(response) {
            return Err(Rejection::NoSuchResponse {
                series: self.name(),
                response: response.to_owned(),
            });
        }
        Ok(holders)
    }

    fn place(
        &self,
        response: &str,
        holders: &[&Item],
        run: u32,
        week: u32,
        reason: Personal<String>,
    ) -> Result<Vec<Event>, Rejection> {
        let (_, creates) = self.week(run, week)?;
        let other = self
            .series
            .items
            .of_week(run, week)
            .find_map(|item| item.stored.response_id().filter(|held| *held != response));
        if let Some(held) = other {
            return Err(Rejection::WeekHasResponse { run, week, response: held.to_owned() });
        }
        let left: Vec<WeekOfRun> = holders
            .iter()
            .map(|item| WeekOfRun { run: item.run, week: item.week() })
            .filter(|left| (left.run, left.week) != (run, week))
            .collect();
        let is_there = holders.len() > left.len();
        if is_there && left.is_empty() && self.is_settled(response, run, week) {
            return Ok(Vec::new());
        }
        let base = &self.base(run)?.stored;
        let (completed_at, score) = self.completion(response, holders);
        Ok(vec![Event::ResponsePlaced(Placement {
            correction: self.next_correction(),
            response: response.to_owned(),
            assignment: assignment_id(self.client, self.form, run, week),
            run,
            week,
            left,
            completed_at,
            score,
            legacy_due: self.legacy_due(base, week),
            terms: (!creates.is_empty()).then(|| RunTerms::from(terms_of(base))),
            reason,
        })])
    }

    /// Whether a response's document names the week that holds it, by the week and by the document
    /// id, or a correction placed it there. Any other is settled by a correction.
    fn is_settled(&self, response: &str, run: u32, week: u32) -> bool {
        let series = self.series;
        if let Some(placed) = series.corrections.of_response(response) {
            return placed.to == WeekOfRun { run, week };
        }
        series.responses.get(response).is_none_or(|stored| {
            let mut of_week = series.items.of_week(run, week);
            stored.week == Some(week) && of_week.any(|item| item.stored.document == stored.named)
        })
    }

    /// The completion time and the score of a response, as a week that holds it shows them, or as
    /// the response itself says.
    fn completion(&self, response: &str, holders: &[&Item]) -> (Option<Timestamp>, Option<Number>) {
        let held = holders.iter().find(|item| item.stored.completed_at.is_some());
        let held = held.or_else(|| holders.first());
        let imported = self.series.responses.get(response);
        match (held, imported) {
            (Some(item), imported) => (
                item.stored.completed_at.or_else(|| imported?.submitted_at),
                item.stored.score.or_else(|| imported?.score),
            ),
            (None, Some(imported)) => (imported.submitted_at, imported.score),
            (None, None) => (None, None),
        }
    }

    pub(super) fn next_correction(&self) -> Uuid {
        let ordinal = (self.series.corrections.made + 1).to_string();
        event_id(&StreamId::series(self.client, self.form), &["corrected", &ordinal])
    }

    /// Undoes a correction: what it changed is as without it.
    ///
    /// If the correction created the week, and every other week of the run was stored since, the
    /// week is stored without its response.
    ///
    /// # Errors
    /// If the correction does not hold, a later one builds on it, or the weeks have changed since;
    /// if the reason is empty or too long.
    pub fn undo(&self, correction: Uuid, reason: String) -> Result<Vec<Event>, Rejection> {
        let reason = given(reason)?;
        let corrections = &self.series.corrections;
        let held = corrections
            .get(correction)
            .ok_or_else(|| Rejection::NotHolding { series: self.name(), correction })?;
        if let Some(later) = corrections.later_than(held) {
            return Err(Rejection::LaterCorrection { correction, later: later.id });
        }
        if held.corrected == Corrected::Number {
            return self.undo_number(held, reason);
        }
        self.check_unchanged(held)?;
        let mut events = vec![Event::CorrectionUndone { correction, reason }];
        events.extend(self.stored_since(held));
        Ok(events)
    }

    /// Whether the weeks still have the answers that the correction gave them.
    fn check_unchanged(&self, held: &CorrectionState) -> Result<(), Rejection> {
        let items = &self.series.items;
        let last = held.documents.len().saturating_sub(1);
        for (at, document) in held.documents.iter().enumerate() {
            let expected = (at == last).then_some(held.response.as_str());
            let changed = match items.document(document) {
                Some(item) if item.stored.response_id() == expected => None,
                Some(item) => Some(item.week()),
                None if at == last || items.is_withdrawn(document) => Some(held.to.week),
                None => None,
            };
            if let Some(week) = changed {
                return Err(Rejection::ChangedSince { correction: held.id, week });
            }
        }
        Ok(())
    }

    /// The event that stores the week again that the correction created, if all other weeks of its
    /// run are stored.
    fn stored_since(&self, held: &CorrectionState) -> Option<Event> {
        let WeekOfRun { run, week } = held.to;
        let document = held.documents.last().filter(|document| held.made(document))?;
        let items = &self.series.items;
        let made = items.document(document)?;
        let is_stored = |other: u32| {
            other == week
                || items.of_week(run, other).next().is_some()
                || self.series.is_withdrawn(run, other)
        };
        // An open week that neither an import nor a correction stored.
        let has_made = items.iter().any(|item| {
            item.run == run
                && !item.imported
                && !item.is_completed()
                && !self.series.corrections.iter().any(|held| held.made(&item.stored.document))
        });
        let terms = terms_of(&made.stored);
        if !has_made || !(1..=terms.total_weeks).all(is_stored) {
            return None;
        }
        Some(Event::AssignmentCreated {
            assignment: assignment_id(self.client, self.form, run, week),
            run,
            week,
            due: made.stored.due.value().copied().unwrap_or(self.now),
            origin: Origin::Migration,
            terms: RunTerms::from(terms),
        })
    }
}

/// The reason of a correction. There must be one.
pub(super) fn given(reason: String) -> Result<Personal<String>, Rejection> {
    if reason.trim().is_empty() {
        return Err(Rejection::ShortReason { least: 1, has: 0 });
    }
    check_text("the reason", &reason, REASON_BYTES)?;
    Ok(Personal::new(reason))
}
