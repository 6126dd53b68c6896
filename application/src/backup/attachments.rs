//! Files beside a store's database that every backup must include. This module only lists them;
//! their formats belong to the modules that write them.

/// Names of files below the store's directory. An existing one is copied into a backup, and back by
/// a restore. A file that no backup may contain, such as a master key, must not be listed.
pub const NAMES: &[&str] = &[rollbook_log::KEYRING_FILE];
