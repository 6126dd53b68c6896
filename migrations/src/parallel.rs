//! Work on many clients, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of threads.
const THREADS: usize = 2;

/// Calls `work` for every item, and returns one accumulated value for each thread. The threads stop at
/// the first error.
///
/// # Errors
/// The first error of `work`.
///
/// # Panics
/// If `work` panics.
pub(crate) fn fold<I: Sync, T: Default + Send, E: Send>(
    items: &[I],
    work: impl Fn(&mut T, &I) -> Result<(), E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut all = T::default();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = work(&mut all, item) {
                next.store(items.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(all)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect()
    })
}
