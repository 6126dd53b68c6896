//! A model of a disk for tests: which bytes and which directory entries are on it. Files and
//! directories are told apart by their inodes, so that renames and hard links behave as on a real
//! file system.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The number of a file or a directory.
type Inode = u64;

/// The content of a directory on a disk.
pub(super) struct Disk {
    root: Inode,
    files: HashMap<Inode, Content>,
    directories: HashMap<Inode, Directory>,
}

/// The entries of a directory, and whether each is a directory itself.
type Entries = BTreeMap<OsString, (Inode, bool)>;

struct Directory {
    entries: Entries,
    /// Keeps the inode from being used for another directory.
    _open: File,
}

struct Content {
    bytes: Vec<u8>,
    /// Keeps the inode from being used for another file.
    _open: File,
}

impl Disk {
    /// The disk as it is if everything below a directory is durable.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let mut disk = Self {
            root: fs::metadata(root)?.ino(),
            files: HashMap::new(),
            directories: HashMap::new(),
        };
        disk.sync_tree(root)?;
        Ok(disk)
    }

    /// Takes over the bytes of a file.
    pub(super) fn sync_file(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let inode = file.metadata()?.ino();
        self.files.insert(inode, Content { bytes, _open: file });
        Ok(())
    }

    /// Takes over the entries of a directory.
    pub(super) fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        let mut entries = Entries::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if let Some(metadata) = present(entry.metadata())? {
                entries.insert(entry.file_name(), (metadata.ino(), metadata.is_dir()));
            }
        }
        let open = File::open(path)?;
        let inode = open.metadata()?.ino();
        self.directories.insert(inode, Directory { entries, _open: open });
        Ok(())
    }

    /// Takes over everything below a directory.
    pub(super) fn sync_tree(&mut self, path: &Path) -> io::Result<()> {
        self.sync_directory(path)?;
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            match present(fs::metadata(&path))? {
                Some(metadata) if metadata.is_dir() => self.sync_tree(&path)?,
                Some(_file) => drop(present(self.sync_file(&path))?),
                None => {}
            }
        }
        Ok(())
    }
}

/// RocksDB deletes files in the background: a file may be gone when it is looked at.
fn present<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a disk into a directory: `files`, with every directory `db` in it as on `database`.
pub(super) fn lay(files: &Disk, database: &Disk, to: &Path) -> io::Result<()> {
    lay_directory(files, database, files.root, to)
}

fn lay_directory(disk: &Disk, database: &Disk, inode: Inode, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let Some(directory) = disk.directories.get(&inode) else { return Ok(()) };
    for (name, (inode, is_directory)) in &directory.entries {
        let path = to.join(name);
        if *is_directory {
            let disk = if name == "db" { database } else { disk };
            lay_directory(disk, database, *inode, &path)?;
        } else {
            // A file whose entry is durable and whose content was never synced is empty.
            let bytes = disk.files.get(inode).map(|content| content.bytes.as_slice());
            fs::write(&path, bytes.unwrap_or_default())?;
        }
    }
    Ok(())
}
