//! The choice between several stored documents for the same week.

use super::item::Item;

/// Whether `candidate` represents a week instead of `held`: rule 9 of `docs/spec/legacy-view.md`. A
/// missing due date is later than any other.
///
/// An imported item takes precedence over a created one. The legacy view does not have every
/// created week, so this lets both views agree on the item that a response belongs to.
pub fn replaces(candidate: &Item, held: &Item) -> bool {
    let due = |item: &Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
    match (candidate.is_completed(), held.is_completed()) {
        (true, false) => true,
        (false, true) => false,
        _ if candidate.imported != held.imported => candidate.imported,
        _ => match due(candidate).cmp(&due(held)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => {
                let (ours, theirs) = (candidate.stored.assigned_at, held.stored.assigned_at);
                // Both views order documents by id.
                ours > theirs || (ours == theirs && candidate.document_id() < held.document_id())
            }
        },
    }
}
