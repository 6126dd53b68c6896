//! The state of a series, folded from its stream.
//!
//! Deciders, the migration planner and the pre-created view read this state. This module defines
//! what every series event means for the stored weeks. It reads no clock.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::corrections::Corrections;
use super::ids::assignment_id;
use super::items::{Item, Items, Keeps, made_week};
use super::overlay::{Overlays, WeekChange};
use crate::collection::Collection;
use crate::document::StoredResponse;
use crate::event::{AssignedStatus, Event, LinkKind, Placement, WeekMove};
use crate::imported::{Content, Document};
use crate::json::JsonText;
use crate::stream::StreamId;
use crate::time::Timestamp;

/// The state of one run apart from its weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whether the run was withdrawn from the client.
    pub withdrawn: bool,
    /// Weeks that were withdrawn one by one; checks do not count them as missing.
    pub withdrawn_weeks: Vec<u32>,
    /// The number of weeks after the last extension.
    pub extended_to: Option<u32>,
    /// The moves of every active pause, the latest last.
    pub pauses: Vec<Vec<WeekMove>>,
}

/// The state of a series: its weeks, its responses and their feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The stored weeks.
    pub items: Items,
    /// Imported responses of this series, by document id.
    pub responses: BTreeMap<String, StoredResponse>,
    /// Responses that a migration linked, with their run, week and kind of link.
    pub linked: BTreeMap<String, (u32, u32, LinkKind)>,
    /// The response that each feedback belongs to, by feedback.
    feedback: BTreeMap<String, String>,
    /// The number of responses submitted to Rollbook, so that each gets its own id.
    pub submitted: u32,
    /// The state of runs that were paused, extended or withdrawn, by run.
    pub runs: BTreeMap<u32, Run>,
    /// The (run, week) pairs that the client asked to reopen and that have not changed since.
    pub asked_to_reopen: BTreeSet<(u32, u32)>,
    /// Changes of weeks that are not stored.
    pub overlays: Overlays,
    /// The corrections that hold.
    pub corrections: Corrections,
}

impl Series {
    /// Folds one event of this series' stream.
    pub fn apply(&mut self, stream: &StreamId, event: &Event) {
        let form = if let StreamId::Series { form, .. } = stream { form.as_str() } else { "" };
        match event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                self.store(document)
            }
            Event::DocumentRemoved { collection, id } => self.remove(*collection, id),
            Event::AssignmentCreated { assignment, run, week, due, terms, .. } => {
                let week = made_week(
                    assignment.to_string(),
                    form,
                    *week,
                    *due,
                    terms,
                    self.items.latest(),
                );
                let mut item = Item::made(*run, week);
                self.overlays.move_to(&mut item);
                self.items.insert(item);
            }
            Event::ResponseSubmitted { run, week, response, submitted_at, score, .. } => {
                self.submitted += 1;
                self.change_stored(*run, *week, |item| {
                    item.answer(response, Some(*submitted_at), score.map(Into::into))
                });
            }
            Event::ResponseLinked { response, run, week, kind, completed_at, score, .. } => {
                self.linked.insert(response.clone(), (*run, *week, *kind));
                if *kind == LinkKind::Linked {
                    self.change_stored(*run, *week, |item| {
                        item.link(response, *completed_at, *score)
                    });
                }
            }
            Event::FeedbackGiven { response, .. } => {
                self.feedback.insert(format!("given:{response}"), response.clone());
            }
            Event::SeriesPaused { .. }
            | Event::SeriesResumed { .. }
            | Event::SeriesExtended { .. }
            | Event::SeriesWithdrawn { .. }
            | Event::AssignmentWithdrawn { .. } => self.apply_to_run(event),
            Event::ResponsePlaced(placement) => {
                let Placement { assignment, run, week, legacy_due, terms, .. } = placement;
                self.place(placement, |series| {
                    let (id, near) = (assignment.to_string(), series.items.latest());
                    let terms = terms.as_ref()?;
                    Some(Item::made(*run, made_week(id, form, *week, *legacy_due, terms, near)))
                });
            }
            Event::CorrectionUndone { correction, .. } => self.undo(*correction),
            Event::DocumentAdopted { .. }
            | Event::DuplicateWithdrawn { .. }
            | Event::DuplicateCleared { .. } => self.apply_to_one(stream, event, Keeps::Assignment),
            _ => self.apply_to_week(event),
        }
    }

    /// Folds an event that changes a run or the set of its weeks.
    fn apply_to_run(&mut self, event: &Event) {
        match event {
            Event::SeriesPaused { run, until, moved, .. } => {
                let left = self.items.pause(*run, *until, moved);
                self.pause_not_stored(*run, *until, left);
                self.run_mut(*run).pauses.push(moved.clone());
            }
            Event::SeriesResumed { run, restored } => {
                let moved = self.run_mut(*run).pauses.pop().unwrap_or_default();
                let left = self.items.resume(*run, &moved, restored);
                self.resume_not_stored(*run, left);
            }
            Event::SeriesExtended { run, total_weeks } => {
                self.items.run_mut(*run).for_each(|item| item.set_total_weeks(*total_weeks));
                self.run_mut(*run).extended_to = Some(*total_weeks);
            }
            Event::SeriesWithdrawn { run, keep_answered, .. } => {
                self.items
                    .withdraw(|item| item.run == *run && !(*keep_answered && item.is_completed()));
                self.overlays.forget_run(*run);
                self.run_mut(*run).withdrawn = true;
            }
            Event::AssignmentWithdrawn { run, week, .. } => {
                self.items.withdraw(|item| (item.run, item.week()) == (*run, *week));
                self.overlays.forget(*run, *week);
                self.run_mut(*run).withdrawn_weeks.push(*week);
            }
            _ => {}
        }
    }

    /// Folds an event that changes one week.
    fn apply_to_week(&mut self, event: &Event) {
        match event {
            Event::AssignmentRescheduled { run, week, due } => {
                self.change(*run, *week, WeekChange::Due(*due))
            }
            Event::WindowChanged { run, week, window } => self.change_window(*run, *week, window),
            Event::AssignmentMissed { run, week, .. } => {
                self.change(*run, *week, WeekChange::Missed)
            }
            Event::StatusAssigned { run, week, status } => {
                self.change(*run, *week, WeekChange::Status(*status))
            }
            Event::ExtensionGranted { run, week, .. } => {
                self.change(*run, *week, WeekChange::Extended)
            }
            Event::AssignmentReopened { run, week } => {
                self.change(*run, *week, WeekChange::Reopened)
            }
            Event::ReopenRequested { run, week, .. } => {
                self.asked_to_reopen.insert((*run, *week));
            }
            Event::ResponseCleared { run, week, response, .. } => {
                self.asked_to_reopen.remove(&(*run, *week));
                self.corrections.cleared(response);
                if let Some(item) = self.items.answered_mut(*run, *week, response) {
                    item.clear();
                }
                self.clear_overlaid(*run, *week);
            }
            _ => {}
        }
    }

    /// Folds an event that concerns one of several stored assignments of a week.
    pub(super) fn apply_to_one(&mut self, stream: &StreamId, event: &Event, keeps: Keeps) {
        match event {
            Event::DocumentAdopted { assignment, run, week, document } => {
                self.asked_to_reopen.remove(&(*run, *week));
                let place = (*run, *week);
                let overlaid = self.overlaid(place, document);
                let assignment = assignment.to_string();
                let [made, imported] =
                    [&assignment, document].map(|id| self.items.document(id).cloned());
                let is_adopted =
                    self.items.adopt(place, &assignment, document, keeps, overlaid.as_ref());
                if let Some(imported) = imported.filter(|_| is_adopted) {
                    self.corrections.adopted(&assignment, keeps, made.as_ref(), &imported);
                }
            }
            Event::DuplicateWithdrawn { run, week, assignment, .. } => {
                self.asked_to_reopen.remove(&(*run, *week));
                self.items.withdraw(|item| {
                    (item.run, item.week()) == (*run, *week) && item.has_id(assignment)
                });
                // A created week is never created again, so the week is withdrawn if no document
                // stands for it any more.
                if let StreamId::Series { client, form } = stream
                    && assignment_id(client, form, *run, *week).to_string() == *assignment
                {
                    self.run_mut(*run).withdrawn_weeks.push(*week);
                }
            }
            Event::DuplicateCleared { run, week, assignment, response, .. } => {
                self.asked_to_reopen.remove(&(*run, *week));
                if self.items.with_id_mut(*run, *week, assignment).is_none() {
                    self.clear_overlaid(*run, *week);
                }
                let held = self.items.with_id_mut(*run, *week, assignment);
                let is_meant =
                    |item: &&mut Item| item.stored.response_id().unwrap_or_default() == response;
                if let Some(item) = held.filter(is_meant) {
                    item.clear();
                    self.corrections.cleared(response);
                }
            }
            _ => {}
        }
    }

    /// Changes a week, stored or not. A request to reopen it is over.
    fn change(&mut self, run: u32, week: u32, change: WeekChange) {
        if self.items.week(run, week).is_none() {
            self.overlays.add(run, week, change.clone());
        }
        self.change_stored(run, week, |item| change.apply(item));
    }

    /// Changes the window of a week, stored or not. A request to reopen it stays.
    fn change_window(&mut self, run: u32, week: u32, window: &Option<JsonText>) {
        match self.items.week_mut(run, week) {
            Some(item) => item.set_window(window.as_ref()),
            None => self.overlays.add(run, week, WeekChange::Window(window.clone())),
        }
    }

    /// Changes a stored week. A request to reopen it is over.
    fn change_stored(&mut self, run: u32, week: u32, change: impl FnOnce(&mut Item)) {
        self.asked_to_reopen.remove(&(run, week));
        if let Some(item) = self.items.week_mut(run, week) {
            change(item);
        }
    }

    /// Sets a week that is not stored back to pending, if it has changes.
    fn clear_overlaid(&mut self, run: u32, week: u32) {
        if self.overlays.contains(run, week) {
            self.overlays.add(run, week, WeekChange::Status(AssignedStatus::Pending));
        }
    }

    /// The week that a document stands for as it would be stored with its overlaid changes and
    /// nothing else; `None` if it has none.
    fn overlaid(&self, (run, week): (u32, u32), document: &str) -> Option<Item> {
        let stored = self.items.document(document).filter(|_| self.overlays.contains(run, week))?;
        let mut item = Item::made(run, stored.stored.unanswered());
        self.overlays.lay_over(&mut item);
        Some(item)
    }

    /// Keeps the moves that no stored week took. They are of weeks that only the other fold stores,
    /// or none does: a document may stand for the same week here.
    fn pause_not_stored(
        &mut self,
        run: u32,
        until: Timestamp,
        left: Vec<(u32, Option<Timestamp>)>,
    ) {
        for (week, due) in earliest(left) {
            self.overlays.add(run, week, WeekChange::Paused { until, due });
        }
    }

    /// Keeps the moves back of weeks that are not stored, or that have earlier changes: a document
    /// that an import stored for the week can be removed again.
    fn resume_not_stored(&mut self, run: u32, left: Vec<(u32, Option<Timestamp>)>) {
        for (week, due) in earliest(left) {
            if self.items.week(run, week).is_none() || self.overlays.contains(run, week) {
                self.overlays.add(run, week, WeekChange::Resumed { due });
            }
        }
    }

    /// Changes the state of a run. Every request to reopen one of its weeks is over.
    fn run_mut(&mut self, run: u32) -> &mut Run {
        self.asked_to_reopen.retain(|(asked, _)| *asked != run);
        self.runs.entry(run).or_default()
    }

    fn store(&mut self, document: &Document) {
        match document.content() {
            Content::Assignment(assignment) => {
                self.corrections.stored(assignment);
                self.items.store(assignment.clone());
                self.lengthen(&document.id);
            }
            Content::Response(response) => {
                let earlier = self.responses.insert(document.id.clone(), response.clone());
                if earlier.is_some_and(|earlier| earlier != *response) {
                    self.corrections.response_changed(&document.id);
                }
            }
            Content::Feedback(response) => {
                self.feedback.insert(document.id.clone(), response.clone());
            }
            // An erased document has no content, so it stores no week.
            Content::Client(_) | Content::Coach(_) | Content::Nothing => {}
        }
    }

    /// A document imported after its run was extended does not shorten the run.
    fn lengthen(&mut self, document: &str) {
        let run = self.items.document(document).map(|item| item.run);
        if let Some((run, total_weeks)) =
            run.and_then(|run| self.runs.get(&run)?.extended_to.map(|weeks| (run, weeks)))
        {
            let of_run = self.items.run_mut(run).filter(|item| {
                item.stored.document == document && item.stored.total_weeks < total_weeks
            });
            of_run.for_each(|item| item.set_total_weeks(total_weeks));
        }
    }

    fn remove(&mut self, collection: Collection, id: &str) {
        match collection {
            Collection::CheckInAssignments => {
                self.corrections.removed(id);
                self.items.remove(id);
            }
            Collection::FormResponses => {
                self.corrections.response_changed(id);
                self.responses.remove(id);
            }
            Collection::CoachFeedback => {
                self.feedback.remove(id);
            }
            _ => {}
        }
    }

    /// Iterates over the responses with feedback; a response may occur more than once.
    pub fn feedback_responses(&self) -> impl Iterator<Item = &str> {
        self.feedback.values().map(String::as_str)
    }

    /// Returns the latest run; 1 for a new series.
    pub fn latest_run(&self) -> u32 {
        let withdrawn = self.runs.keys().next_back().copied();
        self.items.iter().map(|item| item.run).max().max(withdrawn).unwrap_or(1)
    }

    /// Returns every run that has weeks, in order.
    pub fn run_numbers(&self) -> Vec<u32> {
        let mut runs: Vec<u32> = self.items.iter().map(|item| item.run).collect();
        runs.dedup();
        runs
    }

    /// Whether a week was withdrawn, alone or with its run.
    pub fn is_withdrawn(&self, run: u32, week: u32) -> bool {
        self.runs
            .get(&run)
            .is_some_and(|known| known.withdrawn || known.withdrawn_weeks.contains(&week))
    }
}

/// Each week with one due date: the earliest, if the week has duplicates elsewhere and so several.
fn earliest(dues: Vec<(u32, Option<Timestamp>)>) -> BTreeMap<u32, Option<Timestamp>> {
    let mut earliest = BTreeMap::new();
    for (week, due) in dues {
        let held = earliest.entry(week).or_insert(due);
        *held = due.min(*held);
    }
    earliest
}
