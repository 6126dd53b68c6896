//! The files beside a store's database that every backup includes. This module lists them. Other
//! modules define their formats.

/// Names of files in the store's directory. A backup copies those that exist, and a restore copies
/// them back. Never list a file that no backup may contain, such as a master key.
pub const NAMES: &[&str] = &[rollbook_log::KEYRING_FILE];
