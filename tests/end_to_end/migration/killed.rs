//! A migration that SIGKILL cuts off at random moments ends in the same state as one that ran
//! undisturbed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rollbook::sample::{SampleOptions, SampleSize, write_export};
use testkit::{Exclusive, Store, copy_store, kill_after, moment, random, start};

/// Everything that must not depend on when a run was cut off: every event but its times of record.
fn state(store: &Store) -> Vec<(u64, String, String, String)> {
    let options = rollbook_log::OpenOptions::default();
    let log = Exclusive::new(rollbook_log::Log::open(&store.path(), options).unwrap());
    let commits = log.commits_after(0).map(Result::unwrap);
    let events =
        commits.flatten().filter(|recorded| !recorded.event.name().starts_with("BatchPlanned"));
    events
        .map(|event| {
            (
                event.position,
                event.stream.to_string(),
                event.id.to_string(),
                serde_json::to_string(&event.event).unwrap(),
            )
        })
        .collect()
}

#[test]
fn killed_at_twenty_random_moments_it_ends_as_if_undisturbed() {
    let home = tempfile::tempdir().unwrap();
    let export = home.path().join("export");
    let size = SampleSize::Scaled { clients: 120, series_per_client: 2, total_weeks: 52 };
    write_export(&export, &SampleOptions { seed: 3, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    let undisturbed = Store::at(home.path().join("undisturbed"));
    undisturbed.ok(&["import", export.to_str().unwrap()]);
    let killed = Store::at(home.path().join("killed"));
    copy_store(&undisturbed.path(), &killed.path());
    let batch = home.path().join("batch.ndjson");
    undisturbed.plan(&batch);
    let file = batch.to_str().unwrap();
    let arguments = ["migrate", "apply", file, "--at", "2026-01-05T12:00:00Z"];
    let began = Instant::now();
    undisturbed.ok(&arguments);
    let whole = began.elapsed();

    let (seed, mut random) = random();
    for _ in 0..20 {
        kill_after(moment(&mut random, whole), &mut killed.command(&arguments));
    }
    killed.ok(&arguments);
    assert_eq!(state(&killed), state(&undisturbed), "seed {seed}");
    for view in ["legacy", "precreated"] {
        let now = "2026-02-20T10:00:00Z";
        assert_eq!(killed.all(view, now), undisturbed.all(view, now), "seed {seed}");
    }
    assert_eq!(killed.validate()["all_green"], true, "seed {seed}");
}

#[test]
fn interrupted_it_says_so_leaves_whole_series_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let export = home.path().join("export");
    let size = SampleSize::Scaled { clients: 300, series_per_client: 4, total_weeks: 52 };
    write_export(&export, &SampleOptions { seed: 5, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    let store = Store::at(home.path().join("store"));
    store.ok(&["import", export.to_str().unwrap()]);
    let batch = home.path().join("batch.ndjson");
    let planned = store.plan(&batch);
    let file = batch.to_str().unwrap();
    let mut interrupted = false;
    for wait_milliseconds in [60, 90, 130, 180, 250, 350, 500] {
        let child = start(
            store
                .command(&["migrate", "apply", file, "--json"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        );
        std::thread::sleep(Duration::from_millis(wait_milliseconds));
        child.signal("INT");
        let ran = child.finish();
        match ran.code {
            130 => {
                assert!(ran.stderr.contains("interrupted"), "{ran:?}");
                assert!(ran.stdout.is_empty(), "no report of what was not finished");
                interrupted = true;
            }
            // The signal came before there was a handler, or after the end.
            -1 => {}
            0 => break,
            _ => panic!("{ran:?}"),
        }
    }
    let applied = store.apply(&batch);
    assert_eq!(
        applied["created"].as_u64().unwrap()
            + applied["linked"].as_u64().unwrap()
            + applied["skipped"].as_u64().unwrap(),
        planned["events"]
    );
    assert!(
        interrupted || applied["skipped"] == planned["events"],
        "neither interrupted nor through"
    );
    assert_eq!(store.validate()["all_green"], true);
}
