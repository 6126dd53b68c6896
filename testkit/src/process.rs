//! Child processes: started one at a time, always ended and reaped.

use std::fs::File;
use std::io::{Read, Seek};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest time that anything may take before a test says that it never happens. Nothing takes
/// nearly as long, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The time between two looks at something that cannot be waited for otherwise. It is no
/// synchronisation: a test that looks too early only looks again.
const POLL: Duration = Duration::from_millis(1);

/// Held while a process is being started. From its fork to its exec, a child holds copies of this
/// process's file locks and pipes. So no store that is open in this process may be closed
/// meanwhile: its lock would outlive it.
static STARTING: Mutex<()> = Mutex::new(());

fn nothing_starts() -> MutexGuard<'static, ()> {
    // A test that failed leaves nothing half done here.
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that holds a file lock and is open in this process, such as a store. When it is
/// dropped, it is closed while no process is being started.
pub struct Exclusive<T>(Option<T>);

impl<T> Exclusive<T> {
    /// Guards what is open.
    pub fn new(open: T) -> Self {
        Self(Some(open))
    }
}

impl<T> Deref for Exclusive<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> Drop for Exclusive<T> {
    fn drop(&mut self) {
        let _until_it_is_closed = nothing_starts();
        drop(self.0.take());
    }
}

/// The binary that cargo builds for the integration tests of the root package: beside the directory
/// of the running test.
///
/// `env!("CARGO_BIN_EXE_rollbook")` exists only while those tests are compiled, and so not here. A
/// test of theirs asserts that both name the same file.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().unwrap();
    let directory = match directory.ends_with("deps") {
        true => directory.parent().unwrap(),
        false => directory,
    };
    let binary = directory.join(format!("rollbook{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "build it first: there is no {}", binary.display());
    binary
}

/// The built binary, without any of the environment's settings for it, and with an empty stdin.
pub fn rollbook() -> Command {
    let mut command = Command::new(binary());
    let settings = std::env::vars_os().map(|(name, _)| name);
    for name in settings.filter(|name| name.to_string_lossy().starts_with("ROLLBOOK_")) {
        command.env_remove(name);
    }
    command.env("USER", "tester").stdin(Stdio::null());
    command
}

/// What a process gave back.
#[derive(Debug)]
pub struct ProcessOutput {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Everything it wrote to stdout.
    pub stdout: String,
    /// Everything it wrote to stderr.
    pub stderr: String,
}

impl ProcessOutput {
    /// The error that a command with `--json` reports on the last line of stderr.
    pub fn error(&self) -> serde_json::Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        let object: serde_json::Value =
            serde_json::from_str(last).unwrap_or_else(|_| panic!("no error object: {self:?}"));
        object["error"].clone()
    }
}

/// Starts a process. Tests start every process by this function.
pub fn start(command: &mut Command) -> Process {
    let _until_it_runs = nothing_starts();
    Process(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Runs a process to its end. One that does not end is killed, and the test fails.
pub fn run(command: &mut Command) -> ProcessOutput {
    // Not pipes: nothing reads them before the end, and a full pipe would block the process.
    let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
    let mut process = start(command);
    let status = process.ended();
    ProcessOutput {
        code: status.code().unwrap_or(-1),
        stdout: content(stdout),
        stderr: content(stderr),
    }
}

/// Everything that was written to a file, from its start.
fn content(mut file: File) -> String {
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

/// A process that runs. It is killed and reaped when this is dropped.
pub struct Process(Child);

impl Process {
    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(name, self.0.id());
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self) -> ExitStatus {
        eventually("the process ends", || self.0.try_wait().unwrap())
    }

    /// Whether the process still runs.
    pub fn is_up(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Closes the process's stdin, reads its output to the end, and waits for its end. Only of
    /// those streams that are pipes and were not taken is anything read.
    pub fn finish(mut self) -> ProcessOutput {
        drop(self.0.stdin.take());
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        let read = |from: &mut dyn Read| {
            let mut text = String::new();
            from.read_to_string(&mut text).unwrap();
            text
        };
        let (stdout, stderr) = std::thread::scope(|scope| {
            let stderr = scope.spawn(|| stderr.map(|mut from| read(&mut from)));
            (stdout.map(|mut from| read(&mut from)), stderr.join().unwrap())
        });
        let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
        ProcessOutput { code: self.ended().code().unwrap_or(-1), stdout, stderr }
    }
}

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already needs no end.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Sends a signal by its name, such as `TERM`, to a process.
pub fn signal(signal: &str, process: u32) {
    let sent = run(Command::new("kill").args([format!("-{signal}"), process.to_string()]));
    assert_eq!(sent.code, 0, "{sent:?}");
}

/// Looks for something again and again until it is there.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(POLL);
    }
}

/// Looks at a condition again and again until it holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, || holds().then_some(()));
}

/// Starts a process and kills it after this time, whatever it is doing then. Returns whether it had
/// ended successfully before. The time is no synchronisation: every moment must be a good one.
pub fn kill_after(time: Duration, command: &mut Command) -> bool {
    let mut process = start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    std::thread::sleep(time);
    process.kill().unwrap();
    process.wait().unwrap().success()
}
