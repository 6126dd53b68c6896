//! A series as the old application would have stored it: the imported documents with the changes
//! that later events would have made to them.
//!
//! This module decides which events the old application would have known. The legacy view decides
//! which lists follow from the stored weeks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::items::{Item, Keeps, made_week, terms_of};
use super::state::Series;
use crate::collection::Collection;
use crate::event::{Event, Origin, Placement, Terms};
use crate::imported::Document;
use crate::number::Number;
use crate::stream::StreamId;
use crate::time::Timestamp;

/// The stored weeks of the legacy view. Source of the rules: `docs/spec/legacy-view.md`, "Events
/// after the import".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacySeries {
    /// The stored documents with later changes.
    pub stored: Series,
    /// By run: the terms of a removed base, for weeks that get a response later.
    lost_terms: BTreeMap<u32, Terms>,
}

impl LegacySeries {
    /// Whether the old application would have known such an event. Events that a migration adds
    /// change nothing here.
    pub fn concerns(event: &Event) -> bool {
        match event {
            // Only a new allocation stored a document, and only for week 1. Every other week was
            // stored on submission.
            Event::AssignmentCreated { origin, week, .. } => {
                *origin == Origin::Allocation && *week == 1
            }
            Event::ResponseLinked { .. } | Event::Erased(_) => false,
            // The legacy view reads responses from the stored weeks, never from response documents.
            Event::DocumentImported(Document { collection, .. })
            | Event::DocumentChanged(Document { collection, .. })
            | Event::DocumentRemoved { collection, .. } => *collection != Collection::FormResponses,
            _ => true,
        }
    }

    /// Folds one event of this series' stream.
    pub fn apply(&mut self, stream: &StreamId, event: &Event) {
        match event {
            unknown if !Self::concerns(unknown) => {}
            Event::ResponseSubmitted {
                assignment,
                run,
                week,
                response,
                submitted_at,
                score,
                legacy_due,
                ..
            } if self.stored.items.week(*run, *week).is_none() => {
                self.stored.submitted += 1;
                self.store_answered_week(
                    assignment,
                    stream,
                    (*run, *week),
                    *legacy_due,
                    (response, *submitted_at, score.map(Into::into)),
                );
            }
            Event::SeriesWithdrawn { run, .. } | Event::AssignmentWithdrawn { run, .. } => {
                self.remember_terms(*run);
                self.stored.apply(stream, event);
            }
            Event::DocumentRemoved { collection: Collection::CheckInAssignments, id } => {
                if let Some(run) = self.stored.items.document(id).map(|item| item.run) {
                    self.remember_terms(run);
                }
                self.stored.apply(stream, event);
            }
            Event::ResponsePlaced(placement) => {
                let Placement { assignment, run, week, legacy_due, .. } = placement;
                let made = self.unstored_week(assignment, stream, (*run, *week), *legacy_due);
                self.stored.place(placement, |_| made);
            }
            Event::CorrectionUndone { correction, .. } => {
                self.stored.undo(*correction, Keeps::Document);
            }
            Event::WeekNumberSet(setting) => self.stored.set_number(setting, Keeps::Document),
            Event::DuplicateWithdrawn { run, .. } => {
                self.remember_terms(*run);
                self.stored.apply_to_one(stream, event, Keeps::Document);
            }
            Event::DocumentAdopted { .. } | Event::DuplicateCleared { .. } => {
                self.stored.apply_to_one(stream, event, Keeps::Document);
            }
            Event::SeriesExtended { run, total_weeks } => {
                if let Some(terms) = self.lost_terms.get_mut(run) {
                    terms.total_weeks = *total_weeks;
                }
                self.stored.apply(stream, event);
            }
            _ => self.stored.apply(stream, event),
        }
    }

    fn remember_terms(&mut self, run: u32) {
        if let Some(base) = self.stored.items.base(run) {
            self.lost_terms.insert(run, terms_of(&base.stored));
        }
    }

    fn store_answered_week(
        &mut self,
        assignment: &Uuid,
        stream: &StreamId,
        place: (u32, u32),
        due: Timestamp,
        (response, submitted_at, score): (&str, Timestamp, Option<Number>),
    ) {
        if let Some(mut item) = self.unstored_week(assignment, stream, place, due) {
            item.answer(response, Some(submitted_at), score);
            self.stored.items.insert(item);
        }
    }

    /// The document that the old application would have stored for a week when it was answered;
    /// `None` if nothing tells the terms of the run.
    fn unstored_week(
        &self,
        assignment: &Uuid,
        stream: &StreamId,
        (run, week): (u32, u32),
        due: Timestamp,
    ) -> Option<Item> {
        let StreamId::Series { form, .. } = stream else { return None };
        let document = assignment.to_string();
        let base = self.stored.items.base(run);
        let base_id =
            base.map_or_else(|| document.clone(), |base| base.stored.public_id().to_owned());
        let terms =
            base.map(|base| terms_of(&base.stored)).or_else(|| self.lost_terms.get(&run).cloned());
        let mut stored = made_week(document, form, week, due, &terms?.into(), base);
        stored.legacy_id = format!("{base_id}_week_{week}");
        let mut item = Item::made(run, stored);
        self.stored.overlays.lay_over(&mut item);
        Some(item)
    }
}
