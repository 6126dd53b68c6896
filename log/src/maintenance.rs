//! The part of [`Log`] that works on the complete log: digest, verification, and copies of the
//! database.

use std::collections::HashSet;
use std::path::Path;

use rollbook_domain::event::Position;

use crate::check::{self, LogChecked, VisitLeaves};
use crate::digest;
use crate::directory::{self, Directory};
use crate::engine::Engine as _;
use crate::error::LogError;
use crate::keyring::KEYRING_FILE;
use crate::log::Log;

impl Log {
    /// The names of the table files that are part of the database; none while nothing is on disk.
    ///
    /// # Errors
    /// If the database cannot list its files.
    pub fn table_files(&self) -> Result<HashSet<String>, LogError> {
        self.store().engine().map_or_else(|| Ok(HashSet::new()), |engine| engine.table_files())
    }

    /// The store format that this build writes.
    pub const FORMAT: u32 = directory::SUPPORTED;

    /// SHA-256 over the stored bytes of all commits up to a position: 0 or the last position of a
    /// commit. Two logs with the same digest have the same commits, including `recorded_at`. Reads
    /// and checks the log up to there, in bounded memory.
    ///
    /// # Errors
    /// [`LogError::InsideCommit`], [`LogError::BeyondHead`]; [`LogError::Corrupt`] when the log is
    /// damaged.
    pub fn digest(&self, until: Position) -> Result<[u8; 32], LogError> {
        digest::digest(self.store(), until)
    }

    /// Reads the complete log and checks it: checksums, that no position is missing, that every
    /// event decodes, and that every index entry is there and right. Calls `progress` with the
    /// position now and then. Returns the head up to which it was checked.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] with the first damaged position.
    pub fn verify(&self, progress: impl FnMut(Position)) -> Result<Position, LogError> {
        check::verify(self.store(), progress)
    }

    /// Checks the complete log like [`Log::verify`], but continues after damage and reports all of
    /// it, including index entries that belong to no event. Calls `visit` with the leaf hashes of
    /// every readable commit and `progress` with the position.
    ///
    /// # Errors
    /// If the database cannot be read at all, or `visit` fails. Damage is not an error.
    pub fn check(
        &self,
        visit: VisitLeaves<'_>,
        progress: &dyn Fn(Position),
    ) -> Result<LogChecked, LogError> {
        check::check(self.store(), visit, progress)
    }

    /// Copies the current database (`db/` of a store) and the keyring into a directory: everything
    /// that is acknowledged by now, and perhaps some later commits. Writing continues meanwhile.
    /// Table files are hard links to those of the store if both are on one file system, so do not
    /// write to the files. The copy can be opened as a store: that writes other files.
    ///
    /// The copy of the keyring is not synced.
    ///
    /// # Errors
    /// If the store cannot be written, an earlier write failed, or `db/` already exists.
    pub fn checkpoint(&self, to: &Path) -> Result<(), LogError> {
        self.store().require_sound()?;
        let engine = self.store().engine_to_write()?;
        engine.checkpoint(&to.join("db"))?;
        // Copied last, so that it has a key for everything in the checkpoint and every erasure
        // there.
        let path = to.join(KEYRING_FILE);
        let bytes = self.store().keyring().bytes()?;
        std::fs::write(&path, bytes).map_err(|source| LogError::File {
            doing: "write",
            path,
            source,
        })
    }

    /// Makes a directory with a complete database in `db/`, such as a checkpoint, a store: from now
    /// on it can be opened. Syncs the new file and not the directory.
    ///
    /// # Errors
    /// If the directory cannot be written, or is already a store.
    pub fn found(dir: &Path) -> Result<(), LogError> {
        Directory::format_file(dir)
    }
}
