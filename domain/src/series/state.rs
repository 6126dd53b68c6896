//! A series folded from its stream: what deciders decide by, what the planner plans from, and the row behind the
//! pre-created view. Owns the meaning of every series event for stored weeks; it never looks at a clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::items::{Item, Items, made_week};
use crate::collection::Collection;
use crate::document::StoredResponse;
use crate::event::{Event, LinkKind, WeekMove};
use crate::imported::{Content, Document};
use crate::stream::StreamId;

/// What is known of one run beyond its weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Taken away from the client.
    pub withdrawn: bool,
    /// Weeks taken away one by one; they are not missing.
    pub withdrawn_weeks: Vec<u32>,
    /// How many weeks it was extended to.
    pub extended_to: Option<u32>,
    /// The moves of pauses not taken back yet, the latest last.
    pub pauses: Vec<Vec<WeekMove>>,
}

/// A series: the weeks, the responses that name it, and who gave feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The stored weeks.
    pub items: Items,
    /// Imported responses of this series, by document id.
    pub responses: BTreeMap<String, StoredResponse>,
    /// Responses that a migration linked: the week each belongs to, as (run, week), and how.
    pub linked: BTreeMap<String, (u32, u32, LinkKind)>,
    /// Responses that coaches answered here: how many feedbacks each has, by feedback.
    feedback: BTreeMap<String, String>,
    /// Responses ever given here, so that each has an id of its own.
    pub submitted: u32,
    /// What is known of runs that were paused or withdrawn, by run.
    pub runs: BTreeMap<u32, Run>,
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
                self.items.insert(Item::made(*run, week));
            }
            Event::ResponseSubmitted { run, week, response, submitted_at, score, .. } => {
                self.submitted += 1;
                self.change(*run, *week, |item| {
                    item.answer(response, Some(*submitted_at), score.map(Into::into))
                });
            }
            Event::ResponseLinked { response, run, week, kind, completed_at, score, .. } => {
                self.linked.insert(response.clone(), (*run, *week, *kind));
                if *kind == LinkKind::Linked {
                    self.change(*run, *week, |item| item.link(response, *completed_at, *score));
                }
            }
            Event::FeedbackGiven { response, .. } => {
                self.feedback.insert(format!("given:{response}"), response.clone());
            }
            Event::SeriesPaused { run, until, moved, .. } => {
                self.items.pause(*run, *until, moved);
                self.run_mut(*run).pauses.push(moved.clone());
            }
            Event::SeriesResumed { run, restored } => {
                let moved = self.run_mut(*run).pauses.pop().unwrap_or_default();
                self.items.resume(*run, &moved, restored);
            }
            Event::SeriesExtended { run, total_weeks } => {
                self.items.run_mut(*run).for_each(|item| item.set_total_weeks(*total_weeks));
                self.run_mut(*run).extended_to = Some(*total_weeks);
            }
            Event::SeriesWithdrawn { run, keep_answered, .. } => {
                self.items
                    .withdraw(|item| item.run == *run && !(*keep_answered && item.is_completed()));
                self.run_mut(*run).withdrawn = true;
            }
            Event::AssignmentWithdrawn { run, week, .. } => {
                self.items.withdraw(|item| (item.run, item.week()) == (*run, *week));
                self.run_mut(*run).withdrawn_weeks.push(*week);
            }
            Event::AssignmentRescheduled { run, week, due } => {
                self.change(*run, *week, |item| item.reschedule(Some(*due)))
            }
            Event::AssignmentMissed { run, week, .. } => {
                self.change(*run, *week, Item::mark_missed)
            }
            Event::StatusAssigned { run, week, status } => {
                self.change(*run, *week, |item| item.assign_status(*status))
            }
            Event::ExtensionGranted { run, week, .. } => self.change(*run, *week, Item::extend),
            Event::AssignmentReopened { run, week } => self.change(*run, *week, Item::reopen),
            Event::ResponseCleared { run, week, response, .. } => {
                if let Some(item) = self.items.answered_mut(*run, *week, response) {
                    item.clear();
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, run: u32, week: u32, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.week_mut(run, week) {
            change(item);
        }
    }

    fn run_mut(&mut self, run: u32) -> &mut Run {
        self.runs.entry(run).or_default()
    }

    fn store(&mut self, document: &Document) {
        match document.content() {
            Content::Assignment(assignment) => {
                self.items.store(assignment.clone());
                self.lengthen(&document.id);
            }
            Content::Response(response) => {
                self.responses.insert(document.id.clone(), response.clone());
            }
            Content::Feedback(response) => {
                self.feedback.insert(document.id.clone(), response.clone());
            }
            // What was erased leaves no week behind.
            Content::Client(_) | Content::Coach(_) | Content::Nothing => {}
        }
    }

    /// A document that comes after its run was extended does not make the run shorter again.
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
            Collection::CheckInAssignments => self.items.remove(id),
            Collection::FormResponses => {
                self.responses.remove(id);
            }
            Collection::CoachFeedback => {
                self.feedback.remove(id);
            }
            _ => {}
        }
    }

    /// The responses that coaches answered, with repeats.
    pub fn feedback_responses(&self) -> impl Iterator<Item = &str> {
        self.feedback.values().map(String::as_str)
    }

    /// The latest run; 1 when the series is new.
    pub fn latest_run(&self) -> u32 {
        let withdrawn = self.runs.keys().next_back().copied();
        self.items.iter().map(|item| item.run).max().max(withdrawn).unwrap_or(1)
    }

    /// Every run that has weeks, in order.
    pub fn run_numbers(&self) -> Vec<u32> {
        let mut runs: Vec<u32> = self.items.iter().map(|item| item.run).collect();
        runs.dedup();
        runs
    }

    /// Whether a week was taken away, alone or with its run.
    pub fn is_withdrawn(&self, run: u32, week: u32) -> bool {
        self.runs
            .get(&run)
            .is_some_and(|known| known.withdrawn || known.withdrawn_weeks.contains(&week))
    }
}
