//! Random numbers that can be drawn again.

use std::time::Duration;

use fastrand::Rng;

/// Random numbers from the seed in `ROLLBOOK_SEED`, or from a seed that differs with every run. The
/// seed is printed, and returned for the messages of assertions.
pub fn random() -> (u64, Rng) {
    random_from(fastrand::u64(..))
}

/// Random numbers from the seed in `ROLLBOOK_SEED`, or from this one. The seed is printed and
/// returned.
pub fn random_from(seed: u64) -> (u64, Rng) {
    let given = std::env::var("ROLLBOOK_SEED").ok();
    let seed = given.map_or(seed, |given| given.parse().expect("ROLLBOOK_SEED is a number"));
    println!("ROLLBOOK_SEED={seed}");
    (seed, Rng::with_seed(seed))
}

/// A random moment within this time.
pub fn moment(random: &mut Rng, within: Duration) -> Duration {
    Duration::from_micros(random.u64(..u64::try_from(within.as_micros()).unwrap().max(1)))
}
