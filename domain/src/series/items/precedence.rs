//! The choice between several stored documents for the same week.

use super::item::Item;

/// Whether `candidate` takes the place of `held` for one week: rule 9 of `spec/legacy-view.md`. A missing due is later than any.
/// What an import brought stands before what was made here, so that the legacy view, which does not have every made week, and
/// the pre-created one agree on which of them an answer is for.
pub fn replaces(candidate: &Item, held: &Item) -> bool {
    let due = |item: &Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
    match (candidate.is_completed(), held.is_completed()) {
        (true, false) => true,
        (false, true) => false,
        _ if candidate.imported != held.imported => candidate.imported,
        _ => match due(candidate).cmp(&due(held)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => candidate.stored.assigned_at > held.stored.assigned_at,
        },
    }
}
