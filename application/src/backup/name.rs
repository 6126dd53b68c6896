//! Names of backups: which ones are valid, and the default.

use rollbook_domain::Timestamp;

use super::BackupError;
use super::erasure_ledger::ERASURES;

/// The longest name, in bytes.
const LONGEST_BYTES: usize = 100;

/// Accepts letters, digits, `-`, `_` and `.`, without a leading dot; refuses every other name.
pub(super) fn require(name: &str) -> Result<(), BackupError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = !name.is_empty()
        && name.len() <= LONGEST_BYTES
        && !name.starts_with('.')
        && name.chars().all(plain);
    if is_name && name != super::LOCK && name != ERASURES {
        Ok(())
    } else {
        Err(BackupError::Name { name: name.to_owned() })
    }
}

/// `pre-migration-YYYYMMDD_HHMMSS`, in UTC, which sorts by time.
pub(super) fn of_instant(now: Timestamp) -> String {
    now.as_chrono().format("pre-migration-%Y%m%d_%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_plain_directory() {
        for good in ["pre-migration-20260105_090000", "a", "2026.01"] {
            assert!(require(good).is_ok(), "{good}");
        }
        for bad in ["", ".hidden", "..", "a/b", "a b", "ä", "LOCK", "erasures", "a\0"] {
            assert!(require(bad).is_err(), "{bad:?}");
        }
        assert!(require(&"a".repeat(101)).is_err());
    }

    #[test]
    fn the_name_of_an_instant_is_its_time_in_utc() {
        let instant = "2026-01-05T10:07:08+01:00".parse().unwrap();
        assert_eq!(of_instant(instant), "pre-migration-20260105_090708");
    }
}
