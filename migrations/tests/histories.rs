//! Random histories of one series that lives in two systems: the old application, whose later
//! exports are imported, and this one, with migrations, commands, switches and erasures. No
//! response is ever in no view without a record that says why, or a finding that names it.
//!
//! `ROLLBOOK_HISTORIES` sets the number of histories, `ROLLBOOK_FIRST_HISTORY` the first one. They
//! run in memory, on the folds and the functions that the store uses.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::{MissedReason, Origin, View};
use rollbook_domain::series::decide::{Allocation, Decider, Decision, Rejection};
use rollbook_domain::series::items::{Item, terms_of};
use rollbook_domain::status::Clock;
use rollbook_domain::{Collection, Document, Event, JsonText, Personal, StreamId, Timestamp};
use rollbook_migrations::definition::Definition;
use rollbook_migrations::hidden::{Reason, Trail};
use rollbook_migrations::import::adopt::adoptions;
use rollbook_migrations::precreate::Precreate;
use rollbook_migrations::realign::Realign;
use rollbook_migrations::rules::{DueRule, Realignment};
use rollbook_projections::entry::Answer;
use rollbook_projections::{legacy, precreated};
use serde_json::json;

const MIGRATION: Precreate = Precreate { due: DueRule::Monday, zone: Zone::UTC };
const DAY: i64 = 86_400_000;
const WEEKS: u32 = 5;
const FIRST_DUE: &str = "2026-01-05T09:00:00Z";

/// SplitMix64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn in_a_hundred(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn week(&mut self) -> u32 {
        self.below(WEEKS as usize + 1) as u32 + 1
    }
}

/// One document of the old application.
#[derive(Clone, Debug, PartialEq)]
struct OldWeek {
    week: u32,
    total: u32,
    days: i64,
    response: Option<String>,
    title: usize,
}

impl OldWeek {
    fn body(&self, id: &str) -> Personal<JsonText> {
        let due = at(FIRST_DUE).plus_milliseconds((7 * i64::from(self.week - 1) + self.days) * DAY);
        let mut body = json!({"id": format!("legacy-{id}"), "clientId": "c", "formId": "f",
            "formTitle": format!("Weekly {}", self.title), "isRecurring": true, "totalWeeks": self.total,
            "recurringWeek": self.week, "dueDate": due.to_string(), "assignedAt": "2026-01-01T10:00:00Z",
            "status": "active"});
        if let Some(response) = &self.response {
            body["responseId"] = json!(response);
            body["status"] = json!("completed");
            body["completedAt"] = json!(due.plus_milliseconds(DAY).to_string());
            body["score"] = json!(70);
        }
        Personal::new(JsonText::from_value(&body))
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What a history may contain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A week is answered in one system only, and no week has two documents.
    Orderly,
    /// Weeks are also answered in both systems.
    BothSystems,
    /// Everything, also duplicates and documents that move.
    Wild,
}

struct World {
    random: Random,
    kind: Kind,
    stream: StreamId,
    trail: Trail,
    events: Vec<Event>,
    origins: BTreeMap<uuid::Uuid, Origin>,
    /// The old application now, and as it was imported last.
    old: BTreeMap<String, OldWeek>,
    imported: BTreeMap<String, OldWeek>,
    /// The responses that were imported.
    responses: BTreeSet<String>,
    answers: usize,
    /// A planned batch that is not applied yet.
    batch: Option<Vec<Event>>,
    served: View,
    /// What the test itself knows: the given responses, and those with a record of their leaving.
    given: BTreeSet<String>,
    recorded: BTreeSet<String>,
    /// The weeks that were cleared or withdrawn here.
    decided: BTreeSet<u32>,
    now: Timestamp,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let kind = [Kind::Orderly, Kind::BothSystems, Kind::Wild][random.below(3)];
        let base = OldWeek { week: 1, total: WEEKS, days: 0, response: None, title: 0 };
        Self {
            random,
            kind,
            stream: StreamId::series("c", "f"),
            trail: Trail::default(),
            events: Vec::new(),
            origins: BTreeMap::new(),
            old: BTreeMap::from([("a1".to_owned(), base)]),
            imported: BTreeMap::new(),
            responses: BTreeSet::new(),
            answers: 0,
            batch: None,
            served: View::Legacy,
            given: BTreeSet::new(),
            recorded: BTreeSet::new(),
            decided: BTreeSet::new(),
            now: at("2026-01-20T12:00:00Z"),
        }
    }

    /// Appends events, and notes what they say about responses.
    fn append(&mut self, events: Vec<Event>) {
        for event in events {
            if let Event::AssignmentCreated { assignment, origin, .. } = &event {
                let before = self.origins.insert(*assignment, *origin);
                assert_eq!(before, None, "the log would refuse {event:?}\n{:#?}", self.events);
            }
            let (held, documents) = (self.held(), self.stored_documents());
            let position = self.events.len() as u64 + 1;
            self.trail.follow(&self.stream, position, &event);
            if let Event::ResponseCleared { week, .. }
            | Event::DuplicateCleared { week, .. }
            | Event::AssignmentWithdrawn { week, .. }
            | Event::DuplicateWithdrawn { week, .. } = &event
            {
                self.decided.insert(*week);
            }
            if let Event::ResponsePlaced(placed) = &event {
                self.decided.extend(placed.left.iter().map(|left| left.week));
                self.decided.insert(placed.week);
            }
            match &event {
                Event::ResponseSubmitted { response, .. } => {
                    self.given.insert(response.clone());
                }
                Event::ResponseCleared { response, .. }
                | Event::DuplicateCleared { response, .. } => {
                    self.recorded.insert(response.clone());
                }
                Event::SeriesWithdrawn { .. }
                | Event::AssignmentWithdrawn { .. }
                | Event::DuplicateWithdrawn { .. } => {
                    let now = self.held();
                    self.recorded.extend(held.difference(&now).cloned());
                    // A response that its document named, and another hid, goes with it.
                    let stored = self.stored_documents();
                    let gone = documents.difference(&stored);
                    let named = gone.filter_map(|id| self.imported.get(id)?.response.clone());
                    self.recorded.extend(named);
                }
                _ => {}
            }
            self.events.push(event);
        }
    }

    /// The responses that any stored week holds in either fold.
    fn held(&self) -> BTreeSet<String> {
        let items = self.trail.series().items.iter();
        let items = items.chain(self.trail.legacy().stored.items.iter());
        items.filter_map(|item| item.stored.response_id()).map(str::to_owned).collect()
    }

    /// The imported documents that either fold stores.
    fn stored_documents(&self) -> BTreeSet<String> {
        let (new, old) = (&self.trail.series().items, &self.trail.legacy().stored.items);
        let is_stored = |id: &&String| new.document(id).is_some() || old.document(id).is_some();
        self.imported.keys().filter(is_stored).cloned().collect()
    }

    fn decide(
        &mut self,
        decide: impl FnOnce(&Decider<'_>, &mut Random) -> Result<Vec<Event>, Rejection>,
    ) {
        let (zone, now) = (Zone::UTC, self.now);
        let decider = Decider { client: "c", form: "f", series: self.trail.series(), now, zone };
        let events = decide(&decider, &mut self.random).unwrap_or_default();
        self.append(events);
    }

    /// One thing that happens in the old application.
    fn old_application(&mut self) {
        let week = self.random.week();
        let of_week: Vec<String> = self
            .old
            .iter()
            .filter(|(_, document)| document.week == week)
            .map(|(id, _)| id.clone())
            .collect();
        // Answered, cleared or withdrawn here: an answer there is one in both systems.
        let is_decided_here = self.decided.contains(&week)
            || self.trail.series().items.of_week(1, week).any(|item| item.is_completed());
        match self.random.below(if self.kind == Kind::Wild { 8 } else { 4 }) {
            // The client answers. The week becomes a document if it is none.
            0..=2 if self.kind != Kind::Orderly || !is_decided_here => {
                self.answers += 1;
                let response = format!("old-{}", self.answers);
                let id =
                    of_week.first().cloned().unwrap_or_else(|| format!("w{week}-{}", self.answers));
                let (days, title) = (self.random.below(4) as i64, self.random.below(3));
                let document = self.old.entry(id).or_insert(OldWeek {
                    week,
                    total: WEEKS.max(week),
                    days,
                    response: None,
                    title,
                });
                // The old application answers a week once; a wild one overwrites.
                if document.response.is_none() || self.kind == Kind::Wild {
                    document.response = Some(response);
                }
            }
            3 => {
                if let Some(document) = of_week.first().and_then(|id| self.old.get_mut(id)) {
                    document.title += 1;
                }
            }
            4 => {
                let id = format!("d{week}-{}", self.random.below(2));
                let document = OldWeek { week, total: WEEKS, days: 0, response: None, title: 0 };
                self.old.insert(id, document);
            }
            5 => {
                if let Some(id) = of_week.last() {
                    self.old.remove(id);
                }
            }
            6 => {
                if let Some(document) = of_week.first().and_then(|id| self.old.get_mut(id)) {
                    document.response = None;
                }
            }
            7 => {
                let to = self.random.week();
                if let Some(document) = of_week.first().and_then(|id| self.old.get_mut(id)) {
                    document.week = to;
                }
            }
            _ => {}
        }
    }

    /// Imports an export of the old application as it is now.
    fn import(&mut self) {
        let mut events = Vec::new();
        let new = |id: &str, document: &OldWeek| {
            let collection = Collection::CheckInAssignments;
            Document::new(collection, id.to_owned(), 0, document.body(id))
        };
        let before = std::mem::replace(&mut self.imported, self.old.clone());
        for (id, document) in &self.old {
            let earlier = before.get(id);
            if earlier == Some(document) {
                continue;
            }
            if let Some(given) = &document.response {
                self.given.insert(given.clone());
                // What an import removed it gives again.
                if earlier.and_then(|earlier| earlier.response.as_ref()) != Some(given)
                    && self.trail.reason(given) == Some(Reason::Removed)
                {
                    self.recorded.remove(given);
                }
            }
            if let Some(gone) = earlier.and_then(|earlier| earlier.response.clone())
                && document.response.as_ref() != Some(&gone)
            {
                self.recorded.insert(gone);
            }
            let document = new(id, document);
            events.push(match earlier {
                Some(_) => Event::DocumentChanged(document),
                None => Event::DocumentImported(document),
            });
        }
        for (id, document) in &before {
            if !self.old.contains_key(id) {
                self.recorded.extend(document.response.clone());
                let (collection, id) = (Collection::CheckInAssignments, id.clone());
                events.push(Event::DocumentRemoved { collection, id });
            }
        }
        for document in self.old.values() {
            let Some(id) = &document.response else { continue };
            if self.responses.insert(id.clone()) {
                let body = json!({"clientId": "c", "formId": "f", "recurringWeek": document.week,
                    "assignmentId": "a1", "submittedAt": "2026-01-19T08:00:00Z"});
                let body = Personal::new(JsonText::from_value(&body));
                let collection = Collection::FormResponses;
                let response = Document::new(collection, id.clone(), 0, body);
                events.push(Event::DocumentImported(response));
            }
        }
        // As `import` does it: the adoptions follow from the series with the planned events.
        let mut series = self.trail.series().clone();
        events.iter().for_each(|event| series.apply(&self.stream, event));
        let origins = &self.origins;
        let origin = |assignment| Ok(origins.get(&assignment).copied());
        events.extend(adoptions(&series, &origin).unwrap());
        self.append(events);
    }

    fn plan(&mut self) -> Vec<Event> {
        let plan = MIGRATION.plan_series(&self.stream, self.trail.series());
        plan.events.into_iter().map(|event| event.event).collect()
    }

    /// Applies a batch as `apply` does: what drifted is refused, and what is there is left out.
    fn apply(&mut self, batch: Vec<Event>) {
        let now = self.plan();
        let left: Vec<Event> = batch
            .into_iter()
            .filter(|event| !MIGRATION.is_present(self.trail.series(), event))
            .collect();
        if left == now {
            self.append(left);
        }
    }

    fn command(&mut self) {
        let week = self.random.week();
        let is_in_old = self.old.values().any(|old| old.week == week && old.response.is_some());
        // The client answered there, and no import has brought it yet.
        let is_under_way = self.old.values().any(|old| {
            let answer = old.response.as_ref().filter(|_| old.week == week);
            answer.is_some_and(|answer| !self.given.contains(answer))
        });
        let text = || "as agreed with the client".to_owned();
        let what = self.random.below(if self.kind == Kind::Wild { 13 } else { 10 });
        match what {
            0..=3 if self.kind != Kind::Orderly || !is_in_old => self.decide(|decider, _| {
                let answers = JsonText::from_value(&json!([]));
                Ok(match decider.respond(1, week, answers, Some(60))? {
                    Decision::Append(events) => events,
                    Decision::AlreadyAnswered { .. } => Vec::new(),
                })
            }),
            4 => self.decide(|decider, _| decider.miss(1, week, MissedReason::Sick, None)),
            5 => self.decide(|decider, random| {
                let days = random.below(30) as i64;
                decider.reschedule(1, week, at(FIRST_DUE).plus_milliseconds(days * DAY))
            }),
            6 => self.decide(|decider, random| decider.pause(1 + random.below(2) as u32)),
            7 => self.decide(|decider, _| decider.resume()),
            8 if self.kind != Kind::Orderly || !is_under_way => self.decide(|decider, random| {
                let of_week = decider.series.items.of_week(1, week);
                let ids: Vec<String> = of_week.map(|item| item.document_id().to_owned()).collect();
                match ids.len() {
                    0 => decider.withdraw_week(1, week, text()),
                    several => {
                        decider.withdraw_assignment(1, week, &ids[random.below(several)], text())
                    }
                }
            }),
            9 => self.decide(|decider, _| decider.extend(1, week, text())),
            10 => self.decide(|decider, random| decider.withdraw(random.in_a_hundred(50), text())),
            11 => self.decide(|decider, _| {
                let base = decider.series.items.base(1).map(|base| terms_of(&base.stored));
                let Some(terms) = base else { return Ok(Vec::new()) };
                let first_due = at(FIRST_DUE);
                decider.allocate(&Allocation {
                    terms: rollbook_domain::event::Terms { total_weeks: 1, ..terms },
                    first_due,
                    status: None,
                    extend: true,
                })
            }),
            12 => self.decide(|decider, _| decider.withdraw_week(1, week, text())),
            _ => {}
        }
    }

    /// A correction by hand, or its end.
    fn correct(&mut self) {
        let week = self.random.week();
        if self.kind == Kind::Orderly
            && self.old.values().any(|old| old.week == week && old.response.is_some())
        {
            return;
        }
        let what = self.random.below(6);
        self.decide(|decider, random| {
            let reason = "the client said so".to_owned();
            let series = decider.series;
            let mut known: Vec<&str> = series.responses.keys().map(String::as_str).collect();
            known.extend(series.items.iter().filter_map(|item| item.stored.response_id()));
            let holding: Vec<_> =
                series.corrections.iter().map(|correction| correction.id).collect();
            let imported = series.items.iter().filter(|item| item.imported);
            let documents: Vec<&str> = imported.map(Item::document_id).collect();
            match what {
                4 if !documents.is_empty() => {
                    decider.set_week(documents[random.below(documents.len())], week, reason)
                }
                3 if !holding.is_empty() => {
                    decider.undo(holding[random.below(holding.len())], reason)
                }
                _ if known.is_empty() => Ok(Vec::new()),
                0 => decider.adopt_response(known[random.below(known.len())], 1, week, reason),
                _ => decider.move_response(known[random.below(known.len())], 1, week, reason),
            }
        });
    }

    /// A batch that moves the due dates of the open weeks.
    fn realign(&mut self) {
        let weekdays = ["monday", "thursday", "sunday"];
        let weekday = weekdays[self.random.below(weekdays.len())].parse().unwrap();
        let options = Realignment { weekday, time: None, clients: BTreeSet::new(), at: self.now };
        let realign = Realign { options, zone: Zone::UTC };
        let plan = realign.plan_series(&self.stream, self.trail.series());
        self.append(plan.events.into_iter().map(|event| event.event).collect());
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=29 => self.old_application(),
            30..=49 => self.import(),
            50..=56 => {
                let batch = self.plan();
                self.apply(batch);
            }
            57..=60 => self.batch = Some(self.plan()),
            61..=64 => {
                if let Some(batch) = self.batch.take() {
                    self.apply(batch);
                }
            }
            // A switch, and its rollback.
            65..=67 => self.served = self.served.other(),
            68..=72 => self.correct(),
            73..=74 => self.realign(),
            _ => self.command(),
        }
    }

    /// The responses by week that each view shows.
    fn shown(&self) -> [BTreeMap<(String, u32), String>; 2] {
        let clock = Clock::new(self.now, Zone::UTC);
        let by_week = |answer: &Answer<'_>| {
            let entries = answer.entries.iter().filter(|entry| entry.has_response());
            let pair = |entry: &rollbook_projections::entry::Entry<'_>| {
                let id = entry.response.value().copied().unwrap_or_default().to_owned();
                ((entry.stored.form.clone(), entry.week), id)
            };
            entries.map(pair).collect()
        };
        let (ids, old) = (["c".to_owned()], [self.trail.legacy().clone()]);
        let new = [self.trail.series().clone()];
        [by_week(&legacy::answer(&ids, &old, &clock)), by_week(&precreated::answer(&new, &clock))]
    }

    /// The laws.
    fn check(&self, seed: u64) {
        let [old, new] = self.shown();
        let in_view: BTreeSet<&String> = old.values().chain(new.values()).collect();
        let hidden = self.trail.hidden(|id| in_view.iter().any(|shown| *shown == id));
        let named: BTreeSet<&str> = hidden.iter().map(|found| found.response.as_str()).collect();
        let place = || format!("history {seed} ({:?}), {} events", self.kind, self.events.len());
        for given in &self.given {
            // In a view, on record, or named by the check.
            let is_told = self.recorded.contains(given);
            assert!(
                in_view.contains(given) || is_told || named.contains(given.as_str()),
                "{}: {given} is in no view, and nothing says so\n{:#?}",
                place(),
                self.events
            );
        }
        for found in &hidden {
            assert!(!in_view.contains(&found.response), "{}: {found:?}", place());
            assert!((1..=self.events.len() as u64).contains(&found.position), "{found:?}");
        }
        if self.kind == Kind::Orderly {
            assert!(hidden.is_empty(), "{}: {hidden:?}\n{:#?}", place(), self.events);
        }
        // Both views agree which response a week holds, unless only a migration linked it.
        let linked = &self.trail.series().linked;
        let has_doubles = |week: u32| self.trail.series().items.of_week(1, week).count() > 1;
        for (key, response) in &new {
            let other = old.get(key).filter(|other| *other != response);
            if self.kind != Kind::Wild && !linked.contains_key(response) && !has_doubles(key.1) {
                assert_eq!(other, None, "{}: week {}\n{:#?}", place(), key.1, self.events);
            }
        }
    }

    /// An erasure: every event is read without its personal content from now on.
    fn erase(&self, seed: u64) {
        let mut trail = Trail::default();
        for (event, position) in self.events.iter().zip(1..) {
            trail.follow(&self.stream, position, &Event::Erased(Box::new(event.clone())));
        }
        assert!(trail.hidden(|_| false).is_empty(), "history {seed}");
        for event in &self.events {
            if let Event::ResponseSubmitted { response, .. } = event {
                assert_eq!(trail.reason(response), Some(Reason::Erased), "history {seed}");
            }
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_response_is_in_no_view_without_a_record_or_a_finding() {
    let first = setting("ROLLBOOK_FIRST_HISTORY", 1);
    let count = setting("ROLLBOOK_HISTORIES", 4_000);
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in first..first + count {
        let mut world = World::new(seed);
        let steps = 4 + world.random.below(16);
        world.import();
        for _ in 0..steps {
            world.step();
            world.check(seed);
        }
        if world.random.in_a_hundred(5) {
            world.erase(seed);
        }
        for event in &world.events {
            *seen.entry(event.name()).or_default() += 1;
        }
        if (seed - first + 1).is_multiple_of(100_000) {
            println!("{} histories", seed - first + 1);
        }
    }
    println!("{count} histories: {seen:?}");
    for name in [
        "DocumentAdopted",
        "DuplicateWithdrawn",
        "DuplicateCleared",
        "ResponseCleared",
        "ResponsePlaced",
        "CorrectionUndone",
        "WeekNumberSet",
    ] {
        assert!(seen.contains_key(name), "no history has {name}");
    }
}
