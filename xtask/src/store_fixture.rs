//! `cargo xtask store-fixture`: makes a store with a released binary and packs it, so that every
//! later release can be tested on it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{run, workspace_root};

pub const HELP: &str = "\
cargo xtask store-fixture --binary FILE --name NAME

Makes a store with the binary FILE from the export in tests/fixtures/tracker, and packs it as
tests/fixtures/stores/NAME.tar.gz. Do this once for each release, with the released binary. Later
releases must open the store; tests/end_to_end/stores.rs says what must hold. An existing archive
is never replaced. Needs GNU tar.";

/// Instants that the golden views are of.
const INSTANTS: [&str; 2] = ["2026-02-20T10:00:00Z", "2026-03-29T01:30:00Z"];

/// When everything happened that the store records, except for the times of record.
const NOW: &str = "2026-02-20T10:00:00Z";

/// The client who is erased.
const ERASED: &str = "JibaZUPgHV7iB3m03nbqnsGpWLuq";

/// Requests that are recorded under an idempotency key. All kinds of commands occur.
const REQUESTS: [(&str, &[&str]); 13] = [
    ("switch", &["switch", "precreated", "--percent", "10", "--reason", "first tenth"]),
    (
        "assign",
        &[
            "assign",
            "--client",
            "SQedUStPKR0CsTy4Qwb8DwkNhFdn",
            "--form",
            "form-1765694943359-csbtgpvrn",
            "--coach",
            "u8jzPde0IgxLd6GncfBAepfJBd0K",
            "--weeks",
            "4",
            "--start",
            "2026-03-02",
        ],
    ),
    (
        "respond-answers",
        &[
            "respond",
            "assignment-1767334620000-uxcmlzkru_week_7",
            "--answers",
            r#"[{"questionId":"q1","answer":"slept well","weight":5,"score":8}]"#,
        ],
    ),
    ("respond-score", &["respond", "assignment-1767335640000-jrzqad9w2_week_7", "--score", "80"]),
    ("miss-sick", &["miss", "assignment-1767336660000-8447ab1ot_week_6", "--reason", "sick"]),
    (
        "miss-other",
        &[
            "miss",
            "assignment-1767336660000-8447ab1ot_week_5",
            "--reason",
            "other",
            "--comment",
            "power cut",
        ],
    ),
    (
        "extend",
        &[
            "extend",
            "assignment-1767337680000-nhccfs4gi_week_8",
            "--reason",
            "moving house this week",
        ],
    ),
    ("reopen", &["reopen", "assignment-1767337680000-nhccfs4gi_week_3"]),
    (
        "pause",
        &[
            "pause",
            "series/EN5N1aE6PwZPf1Qh6yYTWmE4lBYO/form-1765694942359-dssugldrw",
            "--weeks",
            "2",
        ],
    ),
    (
        "pause-resumed",
        &[
            "pause",
            "series/ZjljENUhJduRHHJEYXg4JdpmrcXg/form-1765694942359-dssugldrw",
            "--weeks",
            "1",
        ],
    ),
    ("resume", &["resume", "series/ZjljENUhJduRHHJEYXg4JdpmrcXg/form-1765694942359-dssugldrw"]),
    (
        "withdraw",
        &[
            "withdraw",
            "series/xV5EbOApZOXzcycDeZ6dqmVe5Mvx/form-1765694942359-dssugldrw",
            "--reason",
            "left the programme",
        ],
    ),
    (
        "feedback",
        &[
            "feedback",
            "YFJEeAgYzQJjOIfPkzSr",
            "--coach",
            "h8oOOL8dKLzdocJ2isAjIhKtJ0Rl",
            "--text",
            "well done",
        ],
    ),
];

pub fn command(arguments: &[String]) -> Result<()> {
    let (binary, name) = match arguments {
        [first, binary, second, name] if first == "--binary" && second == "--name" => {
            (std::path::absolute(binary)?, name)
        }
        _ => bail!("store-fixture does not accept {:?}\n\n{HELP}", arguments.join(" ")),
    };
    let stores = workspace_root().join("tests/fixtures/stores");
    let archive = stores.join(format!("{name}.tar.gz"));
    if archive.exists() {
        bail!("{} exists; a stored fixture is never replaced", archive.display());
    }
    std::fs::create_dir_all(&stores)?;
    let home = workspace_root().join("target").join(format!("store-fixture-{name}"));
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    for directory in ["files", "views"] {
        std::fs::create_dir_all(home.join(directory))?;
    }
    let maker = Maker { binary, home };
    maker.make()?;
    maker.pack(&archive)?;
    std::fs::remove_dir_all(&maker.home)?;
    Ok(())
}

/// Makes one fixture in a directory of its own.
struct Maker {
    binary: PathBuf,
    home: PathBuf,
}

impl Maker {
    fn make(&self) -> Result<()> {
        let export = workspace_root().join("tests/fixtures/tracker/export");
        let export = export.to_str().context("the path of the workspace is not UTF-8")?;
        self.rollbook(&["import", export])?;
        self.rollbook(&["checkpoint", "--out", "files/before.checkpoint"])?;
        // Now, because the store is smallest now.
        self.rollbook(&["backup", "create", "--name", "imported", "--at", NOW])?;
        self.rollbook(&["migrate", "plan", "--out", "files/batch.ndjson"])?;
        self.rollbook(&["migrate", "apply", "files/batch.ndjson", "--at", NOW])?;
        self.rollbook(&["migrate", "validate"])?;
        self.rollbook(&["migrate", "certificate", "--out", "files/certificate.json"])?;
        self.requests()?;
        let key = ["key", "create", "--name", "kiosk", "--scope", "admin"];
        let key = self.rollbook(&[&key[..], &["--expires-in", "never", "--json"]].concat())?;
        std::fs::write(self.home.join("files/api-key.json"), key)?;
        self.rollbook(&["erase", "--client", ERASED, "--reason", "request 4711", "--yes"])?;
        self.rollbook(&["checkpoint", "--out", "files/last.checkpoint"])?;
        self.rollbook(&["prove", "event", "300", "--out", "files/event.tlog-proof"])?;
        self.rollbook(&["prove", "consistency", "--from", "300", "--out", "files/grown.txt"])?;
        self.rollbook(&["dump", "--sealed", "files/sealed.dump.ndjson"])?;
        for at in INSTANTS {
            for view in ["legacy", "precreated", "live"] {
                let bodies = self.rollbook(&["view", view, "--all", "--at", at])?;
                let file = format!("views/{view}@{}.ndjson", at.replace(':', ""));
                std::fs::write(self.home.join(file), bodies)?;
            }
        }
        self.rollbook(&["verify"])?;
        Ok(())
    }

    /// Sends every request under its key, and records the arguments and the answers.
    fn requests(&self) -> Result<()> {
        let mut recorded = String::from("[");
        for (number, (key, arguments)) in REQUESTS.iter().enumerate() {
            let common = ["--as", "admin:robin", "--at", NOW, "--key", key, "--json"];
            let arguments = [*arguments, &common].concat();
            let answer = self.rollbook(&arguments)?;
            let comma = if number == 0 { "" } else { "," };
            // All arguments are ASCII without control characters: Rust quotes them as JSON does.
            write!(recorded, "{comma}\n{{\"arguments\": {arguments:?}, \"answer\": {answer}}}")?;
        }
        recorded.push_str("\n]\n");
        std::fs::write(self.home.join("requests.json"), recorded)?;
        Ok(())
    }

    /// Runs a command on the store; what it printed.
    fn rollbook(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        command.args(["--data", "store"]).args(arguments).current_dir(&self.home);
        command.env("USER", "robin").stdin(Stdio::null()).stderr(Stdio::inherit());
        let line = format!("rollbook {}", arguments.join(" "));
        eprintln!("$ {line}");
        let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
        if !output.status.success() {
            bail!("`{line}` failed ({})", output.status);
        }
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned() + "\n")
    }

    /// Packs the directory. RocksDB's text logs are left out: they hold paths of this machine and
    /// no data.
    fn pack(&self, archive: &Path) -> Result<()> {
        let entries = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner"];
        let mut tar = Command::new("tar");
        tar.args(entries).args(["--exclude=LOG", "--exclude=LOG.old.*", "--use-compress-program"]);
        run(tar.args(["gzip -9n", "-cf"]).arg(archive).arg("-C").arg(&self.home).arg("."))
    }
}
