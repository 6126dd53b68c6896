//! Finds the decision that causes a difference: with the decision the views differ, without it and
//! without later decisions they do not.
//!
//! A batch is planned from the decisions before it. So the search first keeps the events of batches as
//! they were applied, and for what is then still open it plans them again without the decision.
//!
//! Two things are never explained: a difference that remains without any decision, and a
//! difference between rows that are not what their events make, which are damaged.

use std::collections::{BTreeSet, HashMap, HashSet};

use rollbook_domain::Timestamp;
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::Identity;
use rollbook_projections::turning_points::turning_points;

use super::decision::Cause;
use super::difference::Difference;
use super::past::{Batches, ClientState, Past};
use super::tally::Unresolved;
use super::{BothRows, ParityRules, tally_of};

/// The causes of differences that no other class explains, one for each.
pub(super) fn causes(
    rows: &BothRows<'_>,
    rules: &ParityRules,
    identity: &Identity,
    stored: &ClientState,
    unresolved: &[Unresolved],
) -> Result<Vec<Cause>, ProjectionError> {
    let past = Past::read(rows, identity)?;
    if past.whole() != *stored {
        let damaged = "the stored rows are not what their events make";
        return Ok(unresolved.iter().map(|_| Cause::Unknown(damaged)).collect());
    }
    let mut found = vec![None; unresolved.len()];
    for batches in [Batches::AsApplied, Batches::PlannedAgain] {
        let whole = HashMap::new();
        let mut search = Search { past: &past, rules, ids: &identity.ids, batches, whole };
        let is_open = |(_, cause): &(usize, &Option<usize>)| cause.is_none();
        let open: Vec<usize> = found.iter().enumerate().filter(is_open).map(|(at, _)| at).collect();
        let still: Vec<&Unresolved> = open.iter().filter_map(|at| unresolved.get(*at)).collect();
        for (at, cause) in open.into_iter().zip(search.run(&still)) {
            if let Some(found) = found.get_mut(at) {
                *found = cause;
            }
        }
    }
    let cause = |found: Option<usize>| match found.and_then(|at| past.decisions.get(at)) {
        Some(decision) => Cause::Decision(Box::new(decision.clone())),
        None => Cause::Unknown(""),
    };
    Ok(found.into_iter().map(cause).collect())
}

struct Search<'a> {
    past: &'a Past,
    rules: &'a ParityRules,
    ids: &'a [String],
    batches: Batches,
    /// The differences at every instant, by the number of decisions that are kept.
    whole: HashMap<usize, HashSet<Difference>>,
}

impl Search<'_> {
    /// The index of the decision that causes each difference. Goes back from the last decision, so
    /// the latest of several causes is found.
    fn run(&mut self, unresolved: &[&Unresolved]) -> Vec<Option<usize>> {
        let mut found = vec![None; unresolved.len()];
        let all = self.past.decisions.len();
        // What the migration has not made yet is not caused by a decision.
        let now = self.at_instants(all, unresolved.iter().copied());
        let mut open: Vec<(usize, &Unresolved)> = unresolved
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, open)| now.contains(&open.difference))
            .collect();
        for kept in (0..all).rev() {
            if open.is_empty() {
                break;
            }
            let without = self.at_instants(kept, open.iter().map(|(_, open)| *open));
            open.retain(|(at, unresolved)| {
                let difference = &unresolved.difference;
                let is_cause =
                    !without.contains(difference) && !self.at_all(kept).contains(difference);
                if let (true, Some(cause)) = (is_cause, found.get_mut(*at)) {
                    *cause = Some(kept);
                }
                !is_cause
            });
        }
        found
    }

    /// The differences with the first decisions only, at the instants of some differences.
    fn at_instants<'u>(
        &self,
        kept: usize,
        unresolved: impl Iterator<Item = &'u Unresolved>,
    ) -> HashSet<Difference> {
        let instants: BTreeSet<Timestamp> = unresolved.map(|open| open.at).collect();
        let state = self.past.with_decisions(kept, self.batches, self.rules);
        self.differences(&state, instants)
    }

    /// The differences with the first decisions only, at every instant.
    fn at_all(&mut self, kept: usize) -> &HashSet<Difference> {
        if !self.whole.contains_key(&kept) {
            let state = self.past.with_decisions(kept, self.batches, self.rules);
            let grace = self.rules.overdue_after_milliseconds;
            let instants = turning_points(&state.legacy, &state.precreated, self.rules.zone, grace);
            let differences = self.differences(&state, instants);
            self.whole.insert(kept, differences);
        }
        self.whole.entry(kept).or_default()
    }

    fn differences(
        &self,
        state: &ClientState,
        instants: impl IntoIterator<Item = Timestamp>,
    ) -> HashSet<Difference> {
        let (_, unresolved) = tally_of("", self.ids, state, self.rules, instants).into_parts();
        unresolved.into_iter().map(|open| open.difference).collect()
    }
}
