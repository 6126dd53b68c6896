//! `/metrics`: the metrics follow what happens, and the manual lists exactly those that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use testkit::{Store, eventually};

use super::running::{Running, answer_path, list_path};

const MANUAL: &str = include_str!("../../../../docs/metrics.md");

fn figures(service: &Running) -> BTreeMap<String, f64> {
    let answered = service.get("/metrics", "");
    assert_eq!(answered.status, 200, "{answered:?}");
    assert!(
        answered
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    assert!(answered.body.ends_with("# EOF\n"));
    let samples = answered.body.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            line.rsplit_once(' ')
                .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
                .unwrap()
        })
        .collect()
}

#[test]
fn reads_writes_refusals_and_switches_move_the_figures_that_say_so() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    let before = figures(&service);
    for _ in 0..7 {
        assert_eq!(service.get(&list_path(), "").status, 200);
    }
    for _ in 0..3 {
        assert_eq!(
            service.get(&list_path().replace("check-ins", "check-ins-precreated"), "").status,
            200
        );
    }
    assert_eq!(service.post(&answer_path(), "", r#"{"responses": []}"#).status, 200);
    assert_eq!(service.get("/nothing/here", "").status, 404);
    let after = figures(&service);
    let grew = |name: &str| {
        after.get(name).unwrap_or_else(|| panic!("{name}: {after:?}"))
            - before.get(name).copied().unwrap_or_default()
    };
    assert_eq!(grew("rollbook_view_reads_total{view=\"legacy\"}"), 7.0);
    assert_eq!(grew("rollbook_view_reads_total{view=\"precreated\"}"), 3.0);
    let requests = "rollbook_http_request_duration_seconds_count{method=\"GET\",route=\"/api/client-portal/check-ins\",status=\"2xx\"}";
    assert_eq!(grew(requests), 7.0);
    assert_eq!(grew("rollbook_refusals_total{code=\"no_path\"}"), 1.0);
    assert_eq!(
        (grew("rollbook_commits_total"), grew("rollbook_append_duration_seconds_count")),
        (1.0, 1.0)
    );
    assert_eq!(
        grew("rollbook_group_commits_count"),
        grew("rollbook_group_write_duration_seconds_count")
    );
    let events = grew("rollbook_events_total");
    assert!(events >= 1.0 && grew("rollbook_head_position") == events, "{events}");
    assert_eq!((after["rollbook_store_available"], after["rollbook_store_poisoned"]), (1.0, 0.0));
    assert_eq!(after["rollbook_switch_default{view=\"legacy\"}"], 1.0);
    assert!(after["process_resident_memory_bytes"] > 1e6 && after["process_open_fds"] > 5.0);
    assert_eq!(after["rollbook_http_requests_in_flight"], 1.0);
    let lag = || figures(&service)["rollbook_projection_lag_positions{projection=\"legacy\"}"];
    eventually("the projections have folded it", || (lag() == 0.0).then_some(()));
    let position = figures(&service)["rollbook_projection_position{projection=\"legacy\"}"];
    assert_eq!(position, after["rollbook_head_position"]);
    drop(service);
    store.migrate();
    store.ok(&["switch", "precreated", "--percent", "10", "--reason", "trial"]);
    let service = Running::new(&store, &[], &[]);
    assert_eq!(figures(&service)["rollbook_switch_other_percent"], 10.0);
}

#[test]
fn a_subscriber_is_counted_while_it_listens() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    assert_eq!(figures(&service)["rollbook_event_subscribers"], 0.0);
    let mut listening = service.connect();
    listening.write_all(b"GET /v1/events/live HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    eventually("it is counted", || {
        (figures(&service)["rollbook_event_subscribers"] == 1.0).then_some(())
    });
    drop(listening);
    eventually("it is gone", || {
        (figures(&service)["rollbook_event_subscribers"] == 0.0).then_some(())
    });
}

#[test]
fn what_a_caller_makes_up_is_no_label() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    for number in 0..20 {
        service.send(format!("BREW{number} /made/up/{number} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes());
    }
    let names: Vec<String> = figures(&service)
        .into_keys()
        .filter(|name| name.starts_with("rollbook_http_request_duration_seconds_count"))
        .collect();
    assert_eq!(
        names,
        [
            "rollbook_http_request_duration_seconds_count{method=\"other\",route=\"none\",status=\"4xx\"}"
        ]
    );
}

#[test]
fn the_manual_names_every_metric_and_no_other() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    // So that every family has a member.
    service.get(&list_path(), "");
    service.get("/nothing", "");
    let text = service.get("/metrics", "").body;
    let there: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let named = MANUAL.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let named: BTreeSet<&str> =
        named.map(|name| name.trim_end_matches("_total").trim_end_matches("_info")).collect();
    assert_eq!(there, named);
    assert!(there.len() > 20);
}

#[test]
fn metrics_can_be_switched_off() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &["--metrics-enabled", "false"], &[]);
    assert_eq!(service.get("/metrics", "").json()["code"], "no_metrics");
}
