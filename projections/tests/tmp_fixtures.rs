//! tmp
#![allow(clippy::unwrap_used, missing_docs, clippy::indexing_slicing)]
use rollbook_domain::document::*;
use rollbook_domain::event::*;
use rollbook_domain::series::*;
use rollbook_domain::status::Clock;
use rollbook_domain::*;
use rollbook_projections::*;
use std::collections::*;

fn docs(dir: &str, c: &str) -> Vec<(String, JsonText)> {
    let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(format!("{dir}/export/{c}.json")).unwrap()).unwrap();
    v["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            let mut d = d.clone();
            let id = d.as_object_mut().unwrap().remove("_id").unwrap();
            (id.as_str().unwrap().to_owned(), JsonText::from_value(&d))
        })
        .collect()
}

#[test]
fn legacy() {
    for (x, zone) in [("tracker", "UTC"), ("clean", "UTC"), ("dirty", "UTC"), ("dirty-london", "Europe/London")] {
        let dir = format!("/work/shared/fixtures/{x}");
        let clients: BTreeMap<String, StoredClient> = docs(&dir, "clients").into_iter().map(|(i, b)| (i, StoredClient::read(&b))).collect();
        let coaches: BTreeMap<String, String> = docs(&dir, "coaches").into_iter().map(|(i, b)| (i, coach_name(&b))).collect();
        let mut s = LegacySeries::default();
        let st = StreamId::series("x", "y");
        for (c, col) in [
            ("check_in_assignments", Collection::CheckInAssignments),
            ("formResponses", Collection::FormResponses),
            ("coachFeedback", Collection::CoachFeedback),
        ] {
            for (id, body) in docs(&dir, c) {
                s.apply(&st, &Event::DocumentImported(Document { collection: col, id, ordinal: 0, body: Personal::new(body) }));
            }
        }
        let rows = vec![s];
        for f in std::fs::read_dir(format!("{dir}/expected")).unwrap() {
            let f = f.unwrap().path();
            let name = f.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.starts_with("legacy@") {
                continue;
            }
            let t = &name[7..name.len() - 7];
            let now: Timestamp = format!("{}:{}:{}", &t[..13], &t[13..15], &t[15..]).parse().unwrap();
            let clock = Clock::new(now, zone.parse().unwrap());
            let mut bad = 0;
            let mut n = 0;
            for line in std::fs::read_to_string(&f).unwrap().lines() {
                let v: serde_json::Value = serde_json::from_str(line).unwrap();
                let c = v["clientId"].as_str().unwrap();
                let mut ids = vec![c.to_owned()];
                let doc = clients.get_key_value(c);
                let doc = if let Some((_, d)) = doc {
                    if !d.auth_uid.is_empty() && d.auth_uid != c {
                        ids.push(d.auth_uid.clone());
                    }
                    Some(d)
                } else {
                    let f = clients.iter().find(|(_, d)| d.auth_uid == c);
                    if let Some((id, _)) = f {
                        ids = vec![id.clone(), c.to_owned()];
                    }
                    f.map(|x| x.1)
                };
                let body = if doc.is_some_and(|d| d.onboarded) {
                    let mut a = rollbook_projections::legacy::answer(&ids, &rows, &clock);
                    entry::name_coaches(&mut a.entries, |id| Ok::<_, ()>(coaches.get(id).cloned())).unwrap();
                    a.to_json()
                } else {
                    entry::Answer::default().to_json()
                };
                let got: serde_json::Value = serde_json::from_str(&body).unwrap();
                n += 1;
                if got != v["body"] {
                    bad += 1;
                    if bad == 1 {
                        let (g, e) = (got["data"]["checkins"].as_array().unwrap(), v["body"]["data"]["checkins"].as_array().unwrap());
                        println!(
                            "{} {c} lens {} {} summary {} {}",
                            name,
                            g.len(),
                            e.len(),
                            got["data"]["summary"],
                            v["body"]["data"]["summary"]
                        );
                        for i in 0..g.len().max(e.len()) {
                            if g.get(i) != e.get(i) {
                                println!(" got {:?}\n exp {:?}", g.get(i).map(|x| x.to_string()), e.get(i).map(|x| x.to_string()));
                                break;
                            }
                        }
                    }
                }
            }
            println!("{x} {name}: {bad} of {n} differ");
        }
    }
}
