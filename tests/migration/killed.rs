//! Applying, cut off by SIGKILL at random moments, ends where an undisturbed run ends.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rollbook::sample::{SampleOptions, SampleSize, write_export};

use crate::binary::{Store, start};

/// Everything that must not depend on when a run was cut off: every event but its times of record.
fn state(store: &Store) -> Vec<(u64, String, String, String)> {
    let log =
        rollbook_log::Log::open(&store.directory, rollbook_log::OpenOptions::default()).unwrap();
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

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            std::fs::copy(&path, &target).map(|_| ()).unwrap()
        }
    }
}

/// A small generator, seeded by the clock; the seed is printed with every failure.
pub struct Draw(pub u64);

impl Draw {
    pub fn seeded() -> Self {
        Self(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
            as u64)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

#[test]
fn killed_at_twenty_random_moments_it_ends_as_if_undisturbed() {
    let home = tempfile::tempdir().unwrap();
    let export = home.path().join("export");
    let size = SampleSize::Scaled { clients: 120, series_per_client: 2, total_weeks: 52 };
    write_export(&export, &SampleOptions { seed: 3, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    let undisturbed = Store::new(home.path(), "undisturbed");
    undisturbed.ok(&["import", export.to_str().unwrap()]);
    let killed = Store::new(home.path(), "killed");
    copy(&undisturbed.directory, &killed.directory);
    let key_beside = |store: &Store| store.directory.with_extension("master-key");
    std::fs::copy(key_beside(&undisturbed), key_beside(&killed)).unwrap();
    let batch = home.path().join("batch.ndjson");
    undisturbed.plan(&batch);
    let file = batch.to_str().unwrap();
    let arguments = ["migrate", "apply", file, "--at", "2026-01-05T12:00:00Z"];
    let began = Instant::now();
    undisturbed.ok(&arguments);
    let whole = began.elapsed();

    let mut draw = Draw::seeded();
    let seed = draw.0;
    println!("seed {seed}");
    for _ in 0..20 {
        let mut child =
            start(killed.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()));
        std::thread::sleep(Duration::from_micros(
            draw.below(u64::try_from(whole.as_micros()).unwrap()),
        ));
        child.kill().unwrap();
        child.wait().unwrap();
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
    let store = Store::new(home.path(), "store");
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
        let signalled =
            start(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]))
                .wait()
                .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(130) => {
                assert!(said.contains("interrupted"), "{said}");
                assert!(output.stdout.is_empty(), "no report of what was not finished");
                interrupted = true;
            }
            // The signal came before the handler stood, or after the end.
            None => {}
            Some(0) => break,
            code => panic!("{code:?} {signalled}: {said}"),
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
