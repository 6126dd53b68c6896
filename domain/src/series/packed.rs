//! The encoding of a series' weeks as part of a row.
//!
//! Most weeks of a run differ only in id, due date and response, so fields that equal those of the
//! previous week are left out.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::items::{Alias, Item, Items, Overrides};
use crate::document::{Field, SharedFields, StoredAssignment};
use crate::limits::MOST_WEEKS;
use crate::number::Number;
use crate::time::Timestamp;

/// One week. Its flags and [`Overrides`] share one number.
#[derive(Serialize, Deserialize)]
struct PackedItem<'a> {
    /// `None` if equal to the previous item's.
    shared: Option<Cow<'a, SharedFields>>,
    run: u32,
    flags: u16,
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
    alias: Option<Cow<'a, Alias>>,
}

/// The bits of [`PackedItem::flags`]. [`Overrides`] has the bits from 5 on.
mod flag {
    pub(super) const IMPORTED: u16 = 1;
    pub(super) const COACH_RESPONDED: u16 = 1 << 1;
    pub(super) const EXTENSION_GRANTED: u16 = 1 << 2;
    pub(super) const OPENED: u16 = 1 << 3;
    pub(super) const TOTAL_WEEKS_CAPPED: u16 = 1 << 4;
    pub(super) const OVERRIDES: u32 = 5;
}

impl<'a> PackedItem<'a> {
    fn of(item: &'a Item, before: Option<&Item>) -> Self {
        let Item { run, imported, stored, covered, alias } = item;
        let is_new = before.is_none_or(|before| {
            !Arc::ptr_eq(&before.stored.shared, &stored.shared)
                && before.stored.shared != stored.shared
        });
        let flags = [
            (*imported, flag::IMPORTED),
            (stored.coach_responded, flag::COACH_RESPONDED),
            (stored.extension_granted, flag::EXTENSION_GRANTED),
            (stored.opened, flag::OPENED),
            (stored.total_weeks_capped, flag::TOTAL_WEEKS_CAPPED),
        ];
        let set = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag);
        Self {
            shared: is_new.then(|| Cow::Borrowed(stored.shared.as_ref())),
            run: *run,
            flags: set.fold(covered.to_bits() << flag::OVERRIDES, |flags, flag| flags | flag),
            document: Cow::Borrowed(&stored.document),
            legacy_id: Cow::Borrowed(&stored.legacy_id),
            due: stored.due.clone(),
            status: Cow::Borrowed(&stored.status),
            completed_at: stored.completed_at,
            response: Cow::Borrowed(&stored.response),
            score: stored.score,
            stored_week: stored.stored_week,
            paused_until: stored.paused_until,
            alias: alias.as_ref().map(Cow::Borrowed),
        }
    }

    fn unpack(self, before: Option<&Item>) -> Option<Item> {
        let shared = match self.shared {
            Some(shared) => Arc::new(shared.into_owned()),
            None => before?.stored.shared.clone(),
        };
        let has = |flag: u16| self.flags & flag != 0;
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
            coach_responded: has(flag::COACH_RESPONDED),
            extension_granted: has(flag::EXTENSION_GRANTED),
            opened: has(flag::OPENED),
            total_weeks_capped: has(flag::TOTAL_WEEKS_CAPPED),
            shared,
        };
        Some(Item {
            run: self.run,
            imported: has(flag::IMPORTED),
            stored,
            covered: Overrides::from_bits(self.flags >> flag::OVERRIDES)?,
            alias: self.alias.map(Cow::into_owned),
        })
    }
}

/// Weeks in the packed form.
struct Weeks<I>(I);

impl Serialize for Weeks<&[Item]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let before = std::iter::once(None).chain(self.0.iter().map(Some));
        let packed = self.0.iter().zip(before).map(|(item, before)| PackedItem::of(item, before));
        serializer.collect_seq(packed)
    }
}

impl<'de> Deserialize<'de> for Weeks<Vec<Item>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unpack;

        impl<'de> Visitor<'de> for Unpack {
            type Value = Vec<Item>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the weeks of a series")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut packed: A) -> Result<Vec<Item>, A::Error> {
                // The length is a claim of the row.
                let claimed = packed.size_hint().unwrap_or_default();
                let mut items: Vec<Item> = Vec::with_capacity(claimed.min(MOST_WEEKS as usize));
                while let Some(week) = packed.next_element::<PackedItem<'_>>()? {
                    let item = week.unpack(items.last()).ok_or_else(|| {
                        A::Error::custom("a week has unknown flags, or shares fields with none")
                    })?;
                    items.push(item);
                }
                Ok(items)
            }
        }

        deserializer.deserialize_seq(Unpack).map(Self)
    }
}

#[derive(Serialize)]
struct PackedItems<'a> {
    held: Weeks<&'a [Item]>,
    withdrawn: &'a BTreeSet<String>,
    parked: Weeks<&'a [Item]>,
}

#[derive(Deserialize)]
struct Unpacked {
    held: Weeks<Vec<Item>>,
    withdrawn: BTreeSet<String>,
    parked: Weeks<Vec<Item>>,
}

impl Serialize for Items {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { held, withdrawn, parked } = self;
        PackedItems { held: Weeks(held), withdrawn, parked: Weeks(parked) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Unpacked { held, withdrawn, parked } = Unpacked::deserialize(deserializer)?;
        Ok(Self { held: held.0, withdrawn, parked: parked.0 })
    }
}
