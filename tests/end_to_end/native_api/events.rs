//! Pages of events, streams and histories have the events that the command line prints, all of them
//! and in order.

use serde_json::Value;
use testkit::{Server, Store, escaped};

#[test]
fn pages_of_any_size_are_the_whole_log_in_order() {
    let store = Store::imported("dirty");
    store.migrate();
    let server = Server::on(&store);
    let whole = server.get("/v1/events");
    let head = whole.position();
    let positions: Vec<u64> =
        whole.lines().iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    for limit in [1, 7, 500] {
        let (mut after, mut text) = (0, String::new());
        // Pages of one event only over the last few.
        if limit == 1 {
            after = head - 20;
            text = whole
                .text
                .lines()
                .take(usize::try_from(after).unwrap())
                .map(|line| format!("{line}\n"))
                .collect();
        }
        loop {
            let page = server.get(&format!("/v1/events?after={after}&limit={limit}"));
            text.push_str(&page.text);
            let Some(next) = page.headers.get("x-rollbook-next") else { break };
            after = next.parse().unwrap();
        }
        assert_eq!(text, whole.text, "limit {limit}");
    }
}

#[test]
fn a_stream_is_paged_by_version_and_its_history_says_the_same() {
    let store = Store::imported("tracker");
    store.migrate();
    let history = |id: &str, more: &[&str]| store.ok(&[&["history", id, "--json"], more].concat());
    let names: Vec<String> = {
        let events: Vec<Value> = history("control", &[])
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(events.len() > 3);
        vec!["control".to_owned()]
    };
    let listed = store.ok(&["view", "legacy", "--all"]);
    let client: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let client = client["clientId"].as_str().unwrap();
    let of_client = history(client, &[]);
    let series: Vec<String> = of_client
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["stream"].as_str().unwrap().to_owned()
        })
        .filter(|stream| stream.starts_with("series/"))
        .collect();
    let names: Vec<String> = names
        .into_iter()
        .chain(series)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(names.len() > 1);
    let told: Vec<(String, String, String)> = names
        .iter()
        .map(|name| (name.clone(), history(name, &[]), history(name, &["--with-answers"])))
        .collect();
    let server = Server::on(&store);
    assert_eq!(server.get(&format!("/v1/history/{client}")).text, of_client);
    for (name, plain, with_answers) in told {
        // As it is, and as one segment.
        for path in [name.clone(), escaped(&name)] {
            assert_eq!(server.get(&format!("/v1/history/{path}")).text, plain);
            assert_eq!(
                server.get(&format!("/v1/history/{path}?with_answers=true")).text,
                with_answers
            );
            let (mut events, mut after) = (String::new(), 0);
            loop {
                let page = server.get(&format!("/v1/streams/{path}?limit=7&after={after}")).json();
                assert_eq!(page["stream"], *name);
                let some = page["events"].as_array().unwrap();
                assert!(!some.is_empty() && some.len() <= 7);
                some.iter().for_each(|event| events.push_str(&format!("{event}\n")));
                let Some(next) = page["next"].as_u64() else { break };
                after = next;
            }
            let same = |text: &str| {
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
            };
            assert_eq!(same(&events), same(&plain), "{name}");
        }
        let of_stream = server.get(&format!("/v1/events?stream={}", escaped(&name))).text;
        assert_eq!(of_stream, plain, "{name}");
        let (mut paged, mut after) = (String::new(), 0);
        loop {
            let page =
                server.get(&format!("/v1/events?stream={}&limit=3&after={after}", escaped(&name)));
            paged.push_str(&page.text);
            let Some(next) = page.headers.get("x-rollbook-next") else { break };
            after = next.parse().unwrap();
        }
        assert_eq!(paged, plain, "{name}");
    }
}
