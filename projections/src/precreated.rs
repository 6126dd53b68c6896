//! The pre-created view's answer. Every week is stored as its own assignment, so no week is
//! generated here. Rules 3 to 6 of `docs/spec/precreated-view.md` are implemented here.

use foldhash::{HashMap, HashSet};
use rollbook_domain::series::items::replaces;
use rollbook_domain::series::{Item, Series};
use rollbook_domain::status::{Clock, Status};

use crate::entry::{Answer, Entry, keep_within_horizon, summarise};

/// The answer from the series rows of all of the client's identities. `assignedBy` stays as stored:
/// the new endpoint does not look up coaches' names.
pub fn answer<'a>(rows: &'a [Series], clock: &Clock) -> Answer<'a> {
    let feedback: HashSet<&str> = rows.iter().flat_map(Series::feedback_responses).collect();
    let mut entries: Vec<Entry<'a>> =
        shown(rows).into_iter().map(|item| entry(item, clock, &feedback)).collect();
    entries.sort_by(|a, b| (a.due, &a.stored.form, a.week).cmp(&(b.due, &b.stored.form, b.week)));
    keep_within_horizon(&mut entries, clock);
    let summary = summarise(&entries, |entry| entry.status == Status::Overdue);
    Answer { entries, summary }
}

fn entry<'a>(item: &'a Item, clock: &Clock, feedback: &HashSet<&str>) -> Entry<'a> {
    let stored = &item.stored;
    let responded =
        stored.coach_responded || stored.response_id().is_some_and(|id| feedback.contains(id));
    Entry::of(stored, &stored.document, clock, responded)
}

/// Rule 6. It also applies across two rows of one form: a series can be stored under two identities
/// that only later became one client.
fn shown(rows: &[Series]) -> Vec<&Item> {
    let mut items: Vec<&Item> = Vec::new();
    if let [series] = rows {
        items.extend(series.items.shown());
        return items;
    }
    let mut places: HashMap<(&str, u32, u32), usize> = HashMap::default();
    for item in rows.iter().flat_map(|series| series.items.shown()) {
        let key = (item.stored.form.as_str(), item.run, item.week());
        match places.get(&key).and_then(|at| items.get_mut(*at)) {
            None => {
                places.insert(key, items.len());
                items.push(item);
            }
            Some(held) => {
                if replaces(item, held) {
                    *held = item;
                }
            }
        }
    }
    items
}
