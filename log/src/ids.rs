//! New ids and the time of the system clock. Neither panics, whatever the clock says: a clock
//! before 1970 reads as 1970.

use std::time::{SystemTime, UNIX_EPOCH};

use rollbook_domain::Timestamp;
use uuid::{NoContext, Uuid};

/// The time of the system clock. A clock before 1970 or beyond the calendar reads as 1970.
pub fn system_clock() -> Timestamp {
    of_system_time(SystemTime::now())
}

fn of_system_time(now: SystemTime) -> Timestamp {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    Timestamp::from_parts(seconds, since.subsec_nanos()).unwrap_or(Timestamp::EPOCH)
}

/// A new UUIDv7 of an instant. `Uuid::now_v7` panics when the clock is before 1970.
pub fn new_id(at: Timestamp) -> Uuid {
    let (seconds, nanoseconds) = match u64::try_from(at.seconds()) {
        Ok(seconds) => (seconds, at.nanoseconds()),
        Err(_before_1970) => (0, 0),
    };
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_clock_before_1970_reads_as_1970() {
        for before in [1, 86_400, u64::from(u32::MAX)] {
            let clock = UNIX_EPOCH - Duration::from_secs(before);
            assert_eq!(of_system_time(clock), Timestamp::EPOCH);
        }
        let after = UNIX_EPOCH + Duration::new(1_767_603_600, 5);
        assert_eq!(of_system_time(after), Timestamp::from_parts(1_767_603_600, 5).unwrap());
    }

    proptest! {
        #[test]
        fn every_instant_has_ids(seconds: i64, nanoseconds in 0_u32..1_000_000_000) {
            let limited = seconds % 8_000_000_000_000;
            let at = Timestamp::from_parts(seconds, nanoseconds)
                .or_else(|| Timestamp::from_parts(limited, nanoseconds))
                .unwrap();
            let id = new_id(at);
            prop_assert_eq!(id.get_version_num(), 7);
            prop_assert_ne!(id, new_id(at));
            if (0..281_474_976_710).contains(&at.seconds()) {
                let (seconds, _) = id.get_timestamp().unwrap().to_unix();
                prop_assert_eq!(i64::try_from(seconds).unwrap(), at.seconds());
            }
        }
    }
}
