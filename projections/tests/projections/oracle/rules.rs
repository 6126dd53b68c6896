//! The rules of `docs/spec/legacy-view.md`, read a second time. This file shares no code with the
//! product: it reads JSON documents and writes a JSON body. Numbers in comments are rules.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::calendar::{DAY, HOUR, from_local, instant, local_day, monday, plus_local_days, text};

/// The documents of an export.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub clients: Vec<Value>,
    pub coaches: Vec<Value>,
    pub assignments: Vec<Value>,
    pub feedback: Vec<Value>,
}

/// The old server: its documents and its zone.
pub struct OldServer<'a> {
    pub documents: &'a Documents,
    pub zone: Tz,
}

/// An entry of a list, with what later rules need to know about it.
#[derive(Clone)]
struct Entry {
    body: Map<String, Value>,
    due: i64,
    assigned: i64,
    week: u64,
}

fn string<'a>(document: &'a Value, field: &str) -> &'a str {
    document[field].as_str().unwrap_or("")
}

fn or<'a>(value: &'a str, default: &'a str) -> &'a str {
    if value.is_empty() { default } else { value }
}

fn time(document: &Value, field: &str) -> Option<i64> {
    document[field].as_str().map(instant)
}

fn is_recurring(document: &Value) -> bool {
    document["isRecurring"] == json!(true)
}

fn total_weeks(document: &Value) -> u64 {
    document["totalWeeks"].as_u64().unwrap_or(1)
}

impl Entry {
    fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or("")
    }

    fn has_response(&self) -> bool {
        !self.text("responseId").is_empty()
    }

    fn is_completed(&self) -> bool {
        self.text("status") == "completed"
    }

    fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.body.insert(field.to_owned(), value.into());
    }
}

impl OldServer<'_> {
    /// The body for a client id at an instant.
    pub fn answer(&self, client: &str, now: i64) -> Value {
        let empty = json!({"success": true, "data": {"checkins": [],
            "summary": {"total": 0, "pending": 0, "completed": 0, "overdue": 0}}});
        let Some(ids) = self.onboarded_ids(client) else { return empty };
        // 8: singles first, then the series in order of first appearance.
        let (mut singles, mut series) = (Vec::new(), Vec::<Vec<&Value>>::new());
        for document in self.in_due_order(&ids) {
            if !is_recurring(document) || total_weeks(document) <= 1 {
                singles.push(self.entry(document, now));
                continue;
            }
            let same = |other: &Vec<&Value>| {
                string(other[0], "formId") == string(document, "formId")
                    && string(other[0], "clientId") == string(document, "clientId")
            };
            match series.iter().position(same) {
                Some(at) => series[at].push(document),
                None => series.push(vec![document]),
            }
        }
        let mut list = singles;
        for group in series {
            list.extend(self.series(&group, now));
        }
        self.body(self.one_a_day(list), now)
    }

    /// 1 and 2.
    fn onboarded_ids(&self, client: &str) -> Option<Vec<String>> {
        let clients = &self.documents.clients;
        let mut ids = vec![client.to_owned()];
        let document = match clients.iter().find(|document| string(document, "_id") == client) {
            Some(document) => {
                ids.push(string(document, "authUid").to_owned());
                document
            }
            None => {
                let mut named: Vec<&Value> = clients
                    .iter()
                    .filter(|document| string(document, "authUid") == client)
                    .collect();
                named.sort_by_key(|document| string(document, "_id"));
                ids.insert(0, string(named.first()?, "_id").to_owned());
                named[0]
            }
        };
        let stage = string(document, "onboardingStatus");
        let may = stage == "completed"
            || stage == "submitted"
            || document["canStartCheckIns"] == json!(true);
        let mut unique: Vec<String> = Vec::new();
        for id in ids {
            if !id.is_empty() && !unique.contains(&id) {
                unique.push(id);
            }
        }
        may.then_some(unique)
    }

    /// 4.
    fn in_due_order(&self, ids: &[String]) -> Vec<&Value> {
        let mut all = Vec::new();
        for id in ids {
            let mut of_id: Vec<&Value> = (self.documents.assignments.iter())
                .filter(|document| string(document, "clientId") == id)
                .filter(|document| document.as_object().unwrap().contains_key("dueDate"))
                .collect();
            of_id.sort_by_key(|document| {
                (time(document, "dueDate").unwrap_or(i64::MIN), string(document, "_id"))
            });
            all.extend(of_id);
        }
        all.sort_by_key(|document| time(document, "dueDate").unwrap_or(0));
        all
    }

    /// 5 to 7, with the client, the pause and the coach's feedback.
    fn entry(&self, document: &Value, now: i64) -> Entry {
        let mut entry = self.plain_entry(document, now);
        entry.set("clientId", string(document, "clientId"));
        let until = time(document, "pausedUntil");
        let is_over = string(document, "status") == "inactive" && until.is_some_and(|at| at <= now);
        if let Some(until) = until.filter(|_| !is_over) {
            entry.set("pausedUntil", text(until));
        }
        let response = string(document, "responseId");
        let answered = !response.is_empty()
            && self.documents.feedback.iter().any(|one| string(one, "responseId") == response);
        entry.set("coachResponded", answered || document["coachResponded"] == json!(true));
        entry
    }

    /// 5 and 7 alone, as rule 11 wants them.
    fn plain_entry(&self, document: &Value, now: i64) -> Entry {
        let due = time(document, "dueDate").unwrap_or(now);
        let assigned = time(document, "assignedAt").unwrap_or(now);
        let week = document["recurringWeek"].as_u64().unwrap_or(1);
        let mut entry = Entry { body: Map::new(), due, assigned, week };
        entry.set("id", or(string(document, "id"), string(document, "_id")));
        entry.set("documentId", string(document, "_id"));
        entry.set("title", or(string(document, "formTitle"), "Check-in Assignment"));
        let description = or(string(document, "description"), "Complete your assigned check-in");
        entry.set("description", description);
        entry.set("dueDate", text(due));
        entry.set("assignedAt", text(assigned));
        entry.set("formId", string(document, "formId"));
        entry.set("assignedBy", or(string(document, "assignedBy"), "Coach"));
        entry.set("isRecurring", is_recurring(document));
        entry.set("recurringWeek", week);
        entry.set("totalWeeks", total_weeks(document));
        entry.set("checkInWindow", document["checkInWindow"].clone());
        entry.set("extensionGranted", document["extensionGranted"] == json!(true));
        entry.set("coachResponded", false);
        if let Some(at) = time(document, "completedAt") {
            entry.set("completedAt", text(at));
        }
        if document["score"].as_u64().is_some_and(|score| score != 0) {
            entry.set("score", document["score"].clone());
        }
        if let Some(response) = document.get("responseId") {
            entry.set("responseId", response.clone());
        }
        let done = string(document, "status") == "completed"
            || entry.body.contains_key("completedAt")
            || entry.has_response();
        let status = match string(document, "status") {
            _ if done => "completed",
            "missed" => "missed",
            _ => self.open_status(due, now),
        };
        entry.set("status", status);
        entry
    }

    /// 7, the last three cases.
    fn open_status(&self, due: i64, now: i64) -> &'static str {
        let friday = monday(local_day(self.zone, due)) + 4;
        if now >= from_local(self.zone, friday * DAY + 10 * HOUR) {
            "missed"
        } else if (now - due).div_euclid(DAY) >= 3 {
            "overdue"
        } else {
            "pending"
        }
    }

    /// 9 to 13.
    fn series(&self, group: &[&Value], now: i64) -> Vec<Entry> {
        let mut weeks: BTreeMap<u64, Entry> = BTreeMap::new();
        for document in group {
            let new = self.entry(document, now);
            let wins = weeks.get(&new.week).is_none_or(|held| {
                if new.is_completed() != held.is_completed() {
                    return new.is_completed();
                }
                new.due < held.due || (new.due == held.due && new.assigned > held.assigned)
            });
            if wins {
                weeks.insert(new.week, new);
            }
        }
        let base = weeks.get(&1).or_else(|| weeks.values().next()).unwrap().clone();
        if base.text("formId").is_empty() {
            return weeks.into_values().collect();
        }
        let mut again: Vec<&Value> = (self.documents.assignments.iter())
            .filter(|document| is_recurring(document))
            .filter(|document| string(document, "clientId") == base.text("clientId"))
            .filter(|document| string(document, "formId") == base.text("formId"))
            .collect();
        again.sort_by_key(|document| string(document, "_id"));
        let more: Vec<Entry> = (again.into_iter().map(|document| self.plain_entry(document, now)))
            .filter(|entry| {
                weeks
                    .get(&entry.week)
                    .is_none_or(|held| held.text("documentId") != entry.text("documentId"))
            })
            .collect();
        let mut list: Vec<Entry> = weeks.into_values().collect();
        for new in more {
            match list.iter_mut().find(|held| held.week == new.week) {
                None => list.push(new),
                Some(held) => {
                    let wins = match (new.has_response(), held.has_response()) {
                        (true, false) => true,
                        (false, true) => false,
                        _ => new.due < held.due,
                    };
                    if wins {
                        *held = new;
                    }
                }
            }
        }
        self.generate(&base, &mut list, now);
        list
    }

    /// 13.
    fn generate(&self, base: &Entry, list: &mut Vec<Entry>, now: i64) {
        let greatest = list.iter().map(|entry| entry.week).max().unwrap();
        for week in greatest + 1..=base.body["totalWeeks"].as_u64().unwrap() {
            let day = monday(local_day(self.zone, base.due)) + 7 * (week as i64 - 1);
            let due = from_local(self.zone, day * DAY + 9 * HOUR);
            let is_near = if due >= now {
                due - now <= 6 * 7 * 24 * HOUR
            } else {
                now - due <= 3 * 7 * 24 * HOUR
            };
            if !is_near {
                continue;
            }
            let mut entry = Entry { due, week, ..base.clone() };
            entry.set("id", format!("{}_week_{week}", base.text("id")));
            entry.set("recurringWeek", week);
            entry.set("dueDate", text(due));
            entry.set("coachResponded", false);
            entry.set("status", self.open_status(due, now));
            for field in ["responseId", "completedAt", "score"] {
                entry.body.remove(field);
            }
            list.push(entry);
        }
    }

    /// 14.
    fn one_a_day(&self, list: Vec<Entry>) -> Vec<Entry> {
        let day = |entry: &Entry| {
            from_local(self.zone, local_day(self.zone, entry.due) * DAY).div_euclid(DAY)
        };
        let recurs = |entry: &Entry| entry.body["isRecurring"] == json!(true);
        let is_document = |entry: &Entry| !entry.text("id").contains("_week_");
        let mut kept: Vec<Entry> = Vec::new();
        for new in list {
            let same = |held: &&mut Entry| match (recurs(held), recurs(&new)) {
                (true, true) => held.week == new.week && day(held) == day(&new),
                (false, false) => held.text("id") == new.text("id"),
                _ => false,
            };
            let Some(held) = kept.iter_mut().find(same) else {
                kept.push(new);
                continue;
            };
            let wins = if new.has_response() != held.has_response() {
                new.has_response()
            } else if is_document(&new) != is_document(held) {
                is_document(&new)
            } else {
                new.assigned > held.assigned
            };
            if recurs(&new) && wins {
                *held = new;
            }
        }
        kept
    }

    /// 15 to 18.
    fn body(&self, mut list: Vec<Entry>, now: i64) -> Value {
        list.sort_by_key(|entry| entry.due);
        let from = plus_local_days(self.zone, now, -21);
        let to = plus_local_days(self.zone, now, 42);
        list.retain(|entry| {
            ["completed", "missed"].contains(&entry.text("status"))
                || (from <= entry.due && entry.due <= to)
        });
        for entry in &mut list {
            let by = entry.text("assignedBy").to_owned();
            let coach = self.documents.coaches.iter().find(|coach| string(coach, "_id") == by);
            if let Some(profile) = coach.map(|coach| &coach["profile"]) {
                let name =
                    format!("{} {}", string(profile, "firstName"), string(profile, "lastName"));
                entry.set("assignedBy", or(name.trim(), "Unknown Coach"));
            }
        }
        let count =
            |status: &str| list.iter().filter(|entry| entry.text("status") == status).count();
        let late = list.iter().filter(|entry| !entry.is_completed() && entry.due < now).count();
        let summary = json!({"total": list.len(), "pending": count("pending"),
            "completed": count("completed"), "overdue": late});
        let checkins: Vec<Value> = list.into_iter().map(|entry| entry.body.into()).collect();
        json!({"success": true, "data": {"checkins": checkins, "summary": summary}})
    }
}
