//! Writing batch files. A file appears under its name only when it is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rollbook_domain::NewEvent;
use rollbook_log::durable;
use sha2::{Digest, Sha256};

use super::wire::{HeaderLine, line};
use super::{Batch, Header, failed};
use crate::error::MigrationError;

/// Writes a batch. The events go to a temporary file; the header, which contains their digest, is
/// put before them at the end.
pub struct BatchWriter {
    directory: PathBuf,
    spool: PathBuf,
    events: BufWriter<File>,
    digest: Sha256,
}

impl BatchWriter {
    /// Starts a batch in a directory. Its name can depend on its digest, so it is chosen at the
    /// end.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn begin(directory: &Path) -> Result<Self, MigrationError> {
        let spool = directory.join(format!(".batch.partial-{}", std::process::id()));
        let events = File::create(&spool).map_err(|source| failed(&spool, "written", source))?;
        Ok(Self {
            directory: directory.to_owned(),
            spool,
            events: BufWriter::new(events),
            digest: Sha256::new(),
        })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// If a batch cannot contain the event, or the file cannot be written.
    pub fn push(&mut self, event: &NewEvent) -> Result<(), MigrationError> {
        let written = line(event).and_then(|line| {
            self.digest.update(&line);
            self.events.write_all(&line)
        });
        written.map_err(|source| failed(&self.spool, "written", source))
    }

    /// Completes the file and gives it its name: `out`, or one made of kind and digest. `header`
    /// makes the header from the digest.
    ///
    /// # Errors
    /// If another file has that name, or the file cannot be written.
    pub fn finish(
        mut self,
        out: Option<&Path>,
        header: impl FnOnce(String) -> Header,
    ) -> Result<(PathBuf, Header), MigrationError> {
        self.events.flush().map_err(|source| failed(&self.spool, "written", source))?;
        let header = header(const_hex::encode(std::mem::take(&mut self.digest).finalize()));
        // Checked before the file is assembled, which can take long.
        let target = free_name(&self.directory, out, &header)?;
        let whole = self.spool.with_extension("whole");
        self.assemble(&whole, &header).map_err(|source| failed(&whole, "written", source))?;
        publish(&whole, &target)?;
        Ok((target, header))
    }

    fn assemble(&self, whole: &Path, header: &Header) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(whole)?);
        serde_json::to_writer(&mut out, &HeaderLine::from(header))?;
        out.write_all(b"\n")?;
        io::copy(&mut File::open(&self.spool)?, &mut out)?;
        durable::sync_file(whole, &out.into_inner()?)
    }
}

impl Drop for BatchWriter {
    fn drop(&mut self) {
        // Temporary files of an unfinished batch are useless; after a rename they no longer exist.
        let _gone = fs::remove_file(&self.spool);
        let _gone = fs::remove_file(self.spool.with_extension("whole"));
    }
}

/// Gives a batch that was written and checked elsewhere its name: `out`, or one made of kind and
/// digest in `directory`.
///
/// # Errors
/// If another file has that name, or the file cannot be renamed.
pub fn keep(
    file: &Path,
    directory: &Path,
    out: Option<&Path>,
    header: &Header,
) -> Result<PathBuf, MigrationError> {
    let target = free_name(directory, out, header)?;
    publish(file, &target)?;
    Ok(target)
}

/// Gives a complete file its name, durably.
fn publish(file: &Path, target: &Path) -> Result<(), MigrationError> {
    durable::rename(file, target)
        .and_then(|()| durable::sync_directory(durable::parent(target)))
        .map_err(|source| failed(target, "written", source))
}

/// The name of a batch: `out`, or its default name. A file that already has this name must be the
/// same batch.
fn free_name(
    directory: &Path,
    out: Option<&Path>,
    header: &Header,
) -> Result<PathBuf, MigrationError> {
    let target = out.map_or_else(|| directory.join(header.file_name()), Path::to_owned);
    if target.exists()
        && Batch::open(&target).ok().is_none_or(|there| there.header.digest != header.digest)
    {
        return Err(MigrationError::Exists { path: target });
    }
    Ok(target)
}
