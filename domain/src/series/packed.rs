//! The encoding of a series' weeks as part of a row.
//!
//! Most weeks of a run differ only in id, due date and response, so fields that equal those of the
//! previous week are left out.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::items::{Alias, Item, Items, Overrides};
use crate::document::{Field, SharedFields, StoredAssignment};
use crate::number::Number;
use crate::time::Timestamp;

#[derive(Serialize, Deserialize)]
struct PackedItem<'a> {
    /// `None` if equal to the previous item's.
    shared: Option<Cow<'a, SharedFields>>,
    run: u32,
    imported: bool,
    #[serde(borrow)]
    document: Cow<'a, str>,
    #[serde(borrow)]
    legacy_id: Cow<'a, str>,
    due: Field<Timestamp>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    completed_at: Option<Timestamp>,
    response: Cow<'a, Field<String>>,
    score: Option<Number>,
    stored_week: Option<u32>,
    paused_until: Option<Timestamp>,
    coach_responded: bool,
    extension_granted: bool,
    opened: bool,
    total_weeks_capped: bool,
    covered: Overrides,
    alias: Option<Cow<'a, Alias>>,
}

#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    #[serde(borrow)]
    held: Vec<PackedItem<'a>>,
    withdrawn: Cow<'a, BTreeSet<String>>,
    #[serde(borrow)]
    parked: Vec<PackedItem<'a>>,
}

fn pack(items: &[Item]) -> Vec<PackedItem<'_>> {
    let before = std::iter::once(None).chain(items.iter().map(Some));
    items.iter().zip(before).map(|(item, before)| PackedItem::of(item, before)).collect()
}

fn unpack<E: serde::de::Error>(packed: Vec<PackedItem<'_>>) -> Result<Vec<Item>, E> {
    let mut items: Vec<Item> = Vec::with_capacity(packed.len());
    for item in packed {
        let item = item
            .unpack(items.last())
            .ok_or_else(|| E::custom("the first week has no previous week to share fields with"))?;
        items.push(item);
    }
    Ok(items)
}

impl<'a> PackedItem<'a> {
    fn of(item: &'a Item, before: Option<&Item>) -> Self {
        let Item { run, imported, stored, covered, alias } = item;
        let is_new = before.is_none_or(|before| before.stored.shared != stored.shared);
        Self {
            shared: is_new.then(|| Cow::Borrowed(stored.shared.as_ref())),
            run: *run,
            imported: *imported,
            document: Cow::Borrowed(&stored.document),
            legacy_id: Cow::Borrowed(&stored.legacy_id),
            due: stored.due.clone(),
            status: Cow::Borrowed(&stored.status),
            completed_at: stored.completed_at,
            response: Cow::Borrowed(&stored.response),
            score: stored.score,
            stored_week: stored.stored_week,
            paused_until: stored.paused_until,
            coach_responded: stored.coach_responded,
            extension_granted: stored.extension_granted,
            opened: stored.opened,
            total_weeks_capped: stored.total_weeks_capped,
            covered: *covered,
            alias: alias.as_ref().map(Cow::Borrowed),
        }
    }

    fn unpack(self, before: Option<&Item>) -> Option<Item> {
        let shared = match self.shared {
            Some(shared) => Arc::new(shared.into_owned()),
            None => before?.stored.shared.clone(),
        };
        let stored = StoredAssignment {
            document: self.document.into_owned(),
            legacy_id: self.legacy_id.into_owned(),
            due: self.due,
            status: self.status.into_owned(),
            completed_at: self.completed_at,
            response: self.response.into_owned(),
            score: self.score,
            stored_week: self.stored_week,
            paused_until: self.paused_until,
            coach_responded: self.coach_responded,
            extension_granted: self.extension_granted,
            opened: self.opened,
            total_weeks_capped: self.total_weeks_capped,
            shared,
        };
        let alias = self.alias.map(Cow::into_owned);
        Some(Item { run: self.run, imported: self.imported, stored, covered: self.covered, alias })
    }
}

impl Serialize for Items {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Packed {
            held: pack(&self.held),
            withdrawn: Cow::Borrowed(&self.withdrawn),
            parked: pack(&self.parked),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let packed = Packed::deserialize(deserializer)?;
        Ok(Self {
            held: unpack(packed.held)?,
            withdrawn: packed.withdrawn.into_owned(),
            parked: unpack(packed.parked)?,
        })
    }
}
