//! Writes one file of an export, with one document on each line, and syncs it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rollbook_domain::Collection;
use rollbook_domain::event::ExportedCollection;
use rollbook_log::durable;

use super::spool::Spool;
use super::{ExportError, failed};

/// Writes `<collection>.json` with the other fields of the imported file, and returns its number of
/// documents.
pub(super) fn write_collection(
    directory: &Path,
    collection: Collection,
    before: Option<&ExportedCollection>,
    spool: Spool,
) -> Result<u64, ExportError> {
    let path = directory.join(format!("{}.json", collection.name()));
    let header = before.map_or("{}", |exported| exported.header.as_str());
    let members =
        header.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut out = BufWriter::new(File::create_new(&path).map_err(failed("making", &path))?);
    let begin = |out: &mut BufWriter<File>, count: usize| {
        write!(out, "{{\"collection\":\"{}\",", collection.name())?;
        if !members.is_empty() {
            write!(out, "{members},")?;
        }
        write!(out, "\"totalDocuments\":{count},\"documents\":[")
    };
    let take = |out: &mut BufWriter<File>, index: usize, document: &[u8]| {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        out.write_all(document)
    };
    let count = spool.drain(&mut out, begin, take)?;
    out.write_all(b"\n]}\n").and_then(|()| sync(&path, out)).map_err(failed("writing", &path))?;
    Ok(count as u64)
}

/// Writes a file and syncs it.
pub(super) fn write_synced(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ExportError> {
    let mut out = BufWriter::new(File::create_new(path).map_err(failed("making", path))?);
    write(&mut out).and_then(|()| sync(path, out)).map_err(failed("writing", path))
}

fn sync(path: &Path, out: BufWriter<File>) -> io::Result<()> {
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    durable::sync_file(path, &file)
}
