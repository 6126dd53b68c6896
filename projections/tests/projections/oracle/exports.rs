//! Random exports whose due dates lie near clock changes, and the instants at which lists change.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::calendar::{
    DAY, HOUR, clock_changes, from_local, instant, local_day, monday, plus_local_days, text,
};
use super::rules::Documents;

/// A generator of pseudo-random numbers (SplitMix64): the same numbers for the same seed, for ever.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as usize) as i64
    }

    fn in_a_hundred(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }
}

/// An export in the making. All of its ids begin with `name`.
pub struct Export<'a> {
    pub name: &'a str,
    pub zone: Tz,
    pub random: &'a mut Random,
    pub documents: Documents,
}

impl Export<'_> {
    /// Two or three clients with up to three series each, and single check-ins.
    pub fn fill(&mut self) {
        let name = self.name;
        self.documents.coaches = vec![
            json!({"_id": format!("{name}-k1"), "profile": {"firstName": "Robin", "lastName": "Hart"}}),
            json!({"_id": format!("{name}-k2"), "profile": {"firstName": " ", "lastName": ""}}),
        ];
        for client in 0..2 + self.random.below(2) {
            let id = format!("{name}-c{client}");
            let stage = self.random.one_of(&["completed", "completed", "submitted", "invited"]);
            let mut document = json!({"_id": id, "onboardingStatus": stage});
            if self.random.in_a_hundred(70) {
                document["authUid"] = json!(format!("{id}-auth"));
            }
            if self.random.in_a_hundred(50) {
                document["canStartCheckIns"] = self.random.one_of(&[json!(true), json!(1)]);
            }
            self.documents.clients.push(document);
            for _ in 0..1 + self.random.below(3) {
                self.series(&id);
            }
        }
    }

    /// A Monday at 09:00 such that a horizon ends near a clock change, or any time of that week.
    fn base_due(&mut self) -> i64 {
        let changes = clock_changes(self.zone);
        let change = match changes.len() {
            0 => instant("2026-03-29T01:00:00Z"),
            count => changes[self.random.below(count)],
        };
        let day = monday(local_day(self.zone, change)) + 7 * self.random.between(-14, 8);
        match self.random.below(4) {
            0 => change + DAY * self.random.between(-70, 70) + HOUR * self.random.between(-3, 3),
            1 => {
                from_local(self.zone, (day + self.random.between(0, 6)) * DAY)
                    + HOUR * self.random.between(0, 23)
            }
            _ => from_local(self.zone, day * DAY + 9 * HOUR),
        }
    }

    fn series(&mut self, client: &str) {
        let form = format!("{}-f{}", self.name, self.random.below(3));
        let form = if self.random.in_a_hundred(4) { String::new() } else { form };
        let (due, weeks) = (self.base_due(), 1 + self.random.below(14) as i64);
        let mut week = if self.random.in_a_hundred(90) { 1 } else { 2 };
        while week <= weeks {
            self.week(client, &form, week, weeks, due);
            if self.random.in_a_hundred(10) {
                self.week(client, &form, week, weeks, due);
            }
            if self.random.in_a_hundred(65) {
                break;
            }
            week += self.random.one_of(&[1, 1, 1, 2, 5]);
        }
    }

    fn week(&mut self, client: &str, form: &str, week: i64, weeks: i64, base: i64) {
        let number = self.documents.assignments.len();
        let (id, name) = (format!("{}-a{number:03}", self.name), self.name);
        let random = &mut *self.random;
        let identity = if random.in_a_hundred(15) { "-auth" } else { "" };
        let monday = monday(local_day(self.zone, base)) + 7 * (week - 1);
        let due = if week == 1 { base } else { from_local(self.zone, monday * DAY + 9 * HOUR) };
        let assigned = base - DAY * random.between(1, 3);
        let mut document = json!({
            "_id": id, "id": format!("{name}-base{number}"), "clientId": format!("{client}{identity}"),
            "formId": form, "formTitle": random.one_of(&["Weekly", ""]), "dueDate": text(due),
            "assignedAt": text(assigned), "isRecurring": random.in_a_hundred(92),
            "recurringWeek": week, "totalWeeks": weeks, "completedAt": null, "score": 0,
            "status": random.one_of(&["active", "active", "overdue", "missed", "inactive", "completed"]),
        });
        let options: [(usize, &str, Value); 13] = [
            (6, "dueDate", Value::Null),
            (3, "assignedAt", Value::Null),
            (8, "id", json!("")),
            (6, "id", json!(format!("{name}-base0_week_{week}"))),
            (20, "assignedBy", json!(format!("{name}-k{}", 1 + random.below(3)))),
            (10, "description", json!("How was it?")),
            (10, "checkInWindow", json!({"enabled": true, "startDay": "friday"})),
            (10, "extensionGranted", json!(true)),
            (10, "coachResponded", json!(true)),
            (25, "pausedUntil", json!(text(due + DAY * random.between(-9, 30)))),
            (20, "score", json!(random.between(0, 100))),
            (8, "completedAt", json!(text(due + HOUR))),
            (15, "responseId", random.one_of(&[Value::Null, json!(""), json!(format!("{id}-r"))])),
        ];
        for (chance, field, value) in options {
            if random.in_a_hundred(chance) {
                document[field] = value;
            }
        }
        for (chance, field) in [(4, "dueDate"), (10, "recurringWeek"), (6, "status")] {
            if random.in_a_hundred(chance) {
                document.as_object_mut().unwrap().remove(field);
            }
        }
        if document["responseId"].as_str().is_some_and(|id| !id.is_empty())
            && random.in_a_hundred(50)
        {
            let feedback = json!({"_id": format!("{id}-b"), "responseId": document["responseId"]});
            self.documents.feedback.push(feedback);
        }
        self.documents.assignments.push(document);
    }

    /// The ids that a front end can ask for.
    pub fn ids(&self) -> Vec<String> {
        let of = |client: &Value| {
            let id = client["_id"].as_str().unwrap();
            let other = client["authUid"].as_str().map(str::to_owned);
            [Some(id.to_owned()), other].into_iter().flatten().collect::<Vec<_>>()
        };
        self.documents.clients.iter().flat_map(of).collect()
    }

    /// An instant on an edge of a due date, stored or generated, or beside the edge.
    pub fn edge(&mut self) -> i64 {
        let dues: Vec<(i64, i64)> = (self.documents.assignments.iter())
            .filter_map(|week| {
                Some((instant(week["dueDate"].as_str()?), week["totalWeeks"].as_i64()?))
            })
            .collect();
        let random = &mut *self.random;
        if dues.is_empty() {
            return instant("2026-03-29T01:00:00Z") + HOUR * random.between(-900, 900);
        }
        let (stored, weeks) = random.one_of(&dues);
        let day = monday(local_day(self.zone, stored)) + 7 * random.between(0, weeks - 1);
        let generated = from_local(self.zone, day * DAY + 9 * HOUR);
        let due = if random.in_a_hundred(75) { generated } else { stored };
        let friday = monday(local_day(self.zone, due)) + 4;
        let edge = match random.below(10) {
            0..3 => due - 42 * DAY,
            3..6 => due + 21 * DAY,
            6 => plus_local_days(self.zone, due, -42),
            7 => plus_local_days(self.zone, due, 21),
            8 => due + 3 * DAY * random.between(0, 1),
            _ => from_local(self.zone, friday * DAY + 10 * HOUR),
        };
        edge + random.one_of(&[-HOUR, -1, 0, 0, 1, HOUR / 2, HOUR])
    }
}
