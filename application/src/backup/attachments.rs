//! Files of a store that stand beside its database and belong into every backup. Owns which those are; what is in them is theirs who
//! write them.

/// Names, below the store's directory, of files that are copied into a backup where they are there, and back on restoring.
/// A file whose content must not be in a backup, such as a master key, never stands here.
pub const NAMES: &[&str] = &[rollbook_log::KEYRING_FILE];
