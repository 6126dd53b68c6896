//! Threads that work while a test does something else.

use std::sync::atomic::{AtomicBool, Ordering};

/// Says that the work may stop, also when a test fails: the test does not wait for threads that
/// never stop.
struct StopAtEnd<'f>(&'f AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Does something while this many threads work. Each has a number from 0 on, and must stop once the
/// flag is set. Returns what was done and what each thread returned.
pub fn under_load<W: Send, R>(
    threads: usize,
    work: impl Fn(usize, &AtomicBool) -> W + Sync,
    run: impl FnOnce() -> R,
) -> (R, Vec<W>) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (work, stop) = (&work, &stop);
        let threads: Vec<_> =
            (0..threads).map(|number| scope.spawn(move || work(number, stop))).collect();
        let done = {
            let _stop_at_end = StopAtEnd(stop);
            run()
        };
        (done, threads.into_iter().map(|thread| thread.join().unwrap()).collect())
    })
}
