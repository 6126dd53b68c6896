//! Bodies nested deeper than the limit: a caller without any right is refused before the body is
//! parsed, everybody else with `too_deep`, and no other request waits.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::town::{Town, token};
use super::wire::Ask;

/// Far above what a refusal takes on a busy machine. Work that is quadratic in the depth took longer.
const QUICK: Duration = Duration::from_secs(10);

/// 36,000 levels in 72 KB, in the field that each endpoint keeps as JSON or does not know.
fn deep() -> Vec<Ask> {
    let nested = format!("{}{}", "[".repeat(36_000), "]".repeat(36_000));
    let ask = |method: &str, target: &str, field: &str| Ask {
        method: method.to_owned(),
        target: target.to_owned(),
        body: Some(format!("{{\"{field}\":{nested}}}")),
    };
    vec![
        ask("POST", "/api/check-in-assignments", "checkInWindow"),
        ask("POST", "/api/client-portal/check-in/nothing", "responses"),
        ask("PUT", "/v1/switch", "unknown"),
        ask("POST", "/v1/backups", "unknown"),
    ]
}

/// The status and code of each answer to these four at once, while another caller reads.
fn at_once(town: &Town, bearer: &str) -> Vec<(u16, String)> {
    let quickly = |bearer: Option<&str>, ask: &Ask| {
        let start = Instant::now();
        let answer = town.ask(bearer, ask);
        assert!(start.elapsed() < QUICK, "{} {}: {:?}", ask.method, ask.target, start.elapsed());
        answer
    };
    thread::scope(|scope| {
        let asked: Vec<_> = deep()
            .into_iter()
            .map(|ask| scope.spawn(move || quickly(Some(bearer), &ask)))
            .collect();
        let other = Ask::new("GET", "/v1/switch", None);
        assert_eq!(quickly(Some(&token("boss", Some("admin"))), &other).status, 200);
        asked
            .into_iter()
            .map(|answer| {
                let answer = answer.join().unwrap();
                let body: Value = serde_json::from_str(answer.body()).unwrap();
                (answer.status, body["code"].as_str().unwrap_or_default().to_owned())
            })
            .collect()
    })
}

#[test]
fn a_body_nested_too_deep_is_refused_quickly_and_after_the_permission() {
    let town = Town::start();
    // Neither the documents nor the claims give these two any right.
    for nobody in [token("nobody", None), token("nobody", Some("visitor"))] {
        for (status, _) in at_once(&town, &nobody) {
            assert_eq!(status, 403);
        }
    }
    let answers = at_once(&town, &token("boss", Some("admin")));
    assert!(answers.iter().all(|(status, _)| *status == 400), "{answers:?}");
    // The code of the drop-in paths is in their logs, not in their answers.
    assert!(answers[2..].iter().all(|(_, code)| code == "too_deep"), "{answers:?}");
    assert_eq!(town.admin(&Ask::new("GET", "/readyz", None)).status, 200);
}
