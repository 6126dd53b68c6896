//! Adjusts the counts in the backup summary when the export has more or fewer documents than the
//! import.

use std::collections::BTreeMap;

use rollbook_domain::event::ExportedCollection;
use rollbook_domain::{Collection, JsonText};

use super::documents::{json, members};

/// The summary with the counts of this export. It remains unchanged if the counts are the same, or
/// if it has another shape.
pub(super) fn with_counts(
    summary: &JsonText,
    before: &[ExportedCollection],
    counts: &BTreeMap<Collection, u64>,
) -> JsonText {
    let more = |collection: Collection| {
        let imported = before
            .iter()
            .find(|exported| exported.collection == collection)
            .map_or(0, |exported| i64::from(exported.documents));
        counts
            .get(&collection)
            .map_or(0, |count| i64::try_from(*count).unwrap_or(i64::MAX) - imported)
    };
    let total: i64 = Collection::ALL.into_iter().map(more).sum();
    let Some(mut fields) = members(summary) else { return summary.clone() };
    if Collection::ALL.into_iter().all(|collection| more(collection) == 0) {
        return summary.clone();
    }
    if let Some(collections) =
        fields.get("collections").and_then(|listed| listed.read::<Vec<JsonText>>().ok())
    {
        let moved: Vec<JsonText> =
            collections.into_iter().map(|listed| moved_entry(&listed, more)).collect();
        fields.insert("collections".to_owned(), json(&moved));
    }
    if let Some(totals) = fields.get("totals").map(|totals| moved(totals, "totalDocuments", total))
    {
        fields.insert("totals".to_owned(), totals);
    }
    json(&fields)
}

fn moved_entry(listed: &JsonText, more: impl Fn(Collection) -> i64) -> JsonText {
    let name = members(listed).and_then(|fields| fields.get("name")?.read::<String>().ok());
    match name.and_then(|name| Collection::from_name(&name)) {
        Some(collection) => moved(listed, "count", more(collection)),
        None => listed.clone(),
    }
}

/// A whole number in an object, moved; the object as it is when there is none.
fn moved(object: &JsonText, field: &str, by: i64) -> JsonText {
    let Some(mut fields) = members(object) else { return object.clone() };
    let Some(count) = fields.get(field).and_then(|count| count.read::<i64>().ok()) else {
        return object.clone();
    };
    fields.insert(field.to_owned(), json(&count.saturating_add(by)));
    json(&fields)
}
