//! A directory that is built under a temporary name and renamed to its target when it is complete.
//! An incomplete directory therefore never has the target's name.
//!
//! For a target `prod` the directory is built as `.prod.building/store`, with a lock on
//! `.prod.building/LOCK`. The next build for the same target removes what a killed process left
//! there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::directory::sync_directory;
use crate::durable::{self, parent};
use crate::error::LogError;

/// A directory that is being built. Dropping it before [`StagedDirectory::publish`] deletes it.
pub struct StagedDirectory {
    target: PathBuf,
    building: PathBuf,
    content: PathBuf,
    lock: Option<File>,
}

impl StagedDirectory {
    /// Creates an empty directory for a target that must not exist.
    ///
    /// # Errors
    /// [`LogError::Exists`], [`LogError::BeingBuilt`]; [`LogError::File`] when the file system
    /// refuses.
    pub fn begin(target: &Path) -> Result<Self, LogError> {
        require_free(target)?;
        let name =
            target.file_name().ok_or_else(|| LogError::Exists { path: target.to_owned() })?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".building");
        let building = parent(target).join(hidden);
        durable::create_directories(parent(target)).map_err(failed("create", parent(target)))?;
        fs::create_dir_all(&building).map_err(failed("create", &building))?;
        let lock = lock(&building)?;
        let content = building.join("store");
        remove(&content)?;
        fs::create_dir(&content).map_err(failed("create", &content))?;
        Ok(Self { target: target.to_owned(), building, content, lock: Some(lock) })
    }

    /// The path to build in.
    pub fn path(&self) -> &Path {
        &self.content
    }

    /// Syncs every directory in it and renames it to the target. The caller must have synced its
    /// files.
    ///
    /// # Errors
    /// [`LogError::Exists`] if the target exists by now; [`LogError::File`]. Then nothing has the
    /// target's name, so that the caller may build it again.
    pub fn publish(self) -> Result<(), LogError> {
        sync_tree(&self.content)?;
        move_to_free(&self.content, &self.target)?;
        let synced = sync_directory(parent(&self.target));
        if synced.is_err() {
            // Without this sync the name may be lost in a power cut. Dropping removes the
            // directory.
            let _hidden = fs::rename(&self.target, &self.content);
        }
        synced
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        // The next build for this target removes what cannot be removed now.
        let _left = fs::remove_dir_all(&self.building);
        drop(self.lock.take());
    }
}

fn require_free(target: &Path) -> Result<(), LogError> {
    match fs::symlink_metadata(target) {
        Ok(_there) => Err(LogError::Exists { path: target.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(LogError::File { doing: "look at", path: target.to_owned(), source }),
    }
}

fn lock(building: &Path) -> Result<File, LogError> {
    let path = building.join("LOCK");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::BeingBuilt { path: building.to_owned() }),
        Err(TryLockError::Error(source)) => Err(LogError::File { doing: "lock", path, source }),
    }
}

fn remove(path: &Path) -> Result<(), LogError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(LogError::File { doing: "remove", path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

fn sync_tree(directory: &Path) -> Result<(), LogError> {
    for entry in fs::read_dir(directory).map_err(failed("read", directory))? {
        let entry = entry.map_err(failed("read", directory))?;
        if entry.file_type().map_err(failed("read", directory))?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_directory(directory)
}

/// Renames a directory to a path that must not exist, atomically.
///
/// # Errors
/// [`LogError::Exists`], [`LogError::File`].
fn move_to_free(from: &Path, to: &Path) -> Result<(), LogError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    let renamed = durable::publish(to, || {
        renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(std::io::Error::from)
    });
    let Err(error) = renamed else { return Ok(()) };
    match Errno::from_io_error(&error) {
        Some(Errno::EXIST) => Err(LogError::Exists { path: to.to_owned() }),
        // Some file systems do not support the flag. Without it a rename still refuses to replace a
        // directory that is not empty.
        Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            require_free(to)?;
            durable::rename(from, to).map_err(failed("move the new directory to", to))
        }
        _ => Err(failed("move the new directory to", to)(error)),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LogError {
    let path = path.to_owned();
    move |source| match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            LogError::ReadOnly { dir: path, source }
        }
        _ => LogError::File { doing, path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_appears_whole_or_not_at_all_and_leaves_nothing_behind() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("prod");
        let staged = StagedDirectory::begin(&target).unwrap();
        fs::write(staged.path().join("file"), "content").unwrap();
        assert_eq!(names(around.path()), [".prod.building"]);
        drop(staged);
        assert!(names(around.path()).is_empty());

        let staged = StagedDirectory::begin(&target).unwrap();
        fs::create_dir(staged.path().join("db")).unwrap();
        staged.publish().unwrap();
        assert_eq!(
            (names(around.path()), names(&target)),
            (vec!["prod".to_owned()], vec!["db".to_owned()])
        );
    }

    #[test]
    fn a_taken_place_is_refused_at_the_beginning_and_at_the_end() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("prod");
        let staged = StagedDirectory::begin(&target).unwrap();
        fs::create_dir(&target).unwrap();
        assert!(matches!(StagedDirectory::begin(&target), Err(LogError::Exists { .. })));
        assert!(matches!(staged.publish(), Err(LogError::Exists { .. })));
        assert_eq!(names(around.path()), ["prod"]);
    }

    #[test]
    fn two_do_not_build_one_and_what_was_left_by_a_killed_one_is_cleared() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("prod");
        let staged = StagedDirectory::begin(&target).unwrap();
        assert!(matches!(StagedDirectory::begin(&target), Err(LogError::BeingBuilt { .. })));
        drop(staged);
        fs::create_dir_all(around.path().join(".prod.building/store/half")).unwrap();
        let staged = StagedDirectory::begin(&target).unwrap();
        assert!(names(staged.path()).is_empty());
    }
}
