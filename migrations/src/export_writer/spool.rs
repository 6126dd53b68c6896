//! A temporary file for the documents of one collection. They are written in any order and read
//! back sorted.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use rollbook_domain::Document;

use super::{ExportError, failed};

struct Placed {
    ordinal: u32,
    id: Box<str>,
    offset: u64,
    length: usize,
}

/// The file, and the offset of each document in it.
pub(super) struct Spool {
    path: PathBuf,
    file: BufWriter<File>,
    offset: u64,
    places: Vec<Placed>,
}

impl Spool {
    pub(super) fn create(path: PathBuf) -> Result<Self, ExportError> {
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed("making", &path))?;
        Ok(Self { path, file: BufWriter::new(file), offset: 0, places: Vec::new() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds a document as one line of JSON.
    pub(super) fn add(&mut self, document: &Document) -> Result<(), ExportError> {
        // `stream_documents` leaves out documents without content.
        let body = document.body.expose().map_or("{}", |body| body.as_str());
        let id = serde_json::Value::from(document.id.as_str());
        let rest = body.strip_prefix('{').unwrap_or("}");
        let comma = if rest.starts_with('}') { "" } else { "," };
        let text = format!("{{\"_id\":{id}{comma}{rest}");
        self.file.write_all(text.as_bytes()).map_err(failed("writing", &self.path))?;
        self.places.push(Placed {
            ordinal: document.ordinal,
            id: document.id.as_str().into(),
            offset: self.offset,
            length: text.len(),
        });
        self.offset += text.len() as u64;
        Ok(())
    }

    /// Passes each document to `take` once, in its imported order, and removes the spool. `begin`
    /// is called first, with their number.
    pub(super) fn drain<W>(
        mut self,
        out: &mut W,
        begin: impl FnOnce(&mut W, usize) -> std::io::Result<()>,
        mut take: impl FnMut(&mut W, usize, &[u8]) -> std::io::Result<()>,
    ) -> Result<usize, ExportError> {
        // A document of several streams was added several times.
        self.places.sort_by(|a, b| (&a.id, a.ordinal).cmp(&(&b.id, b.ordinal)));
        self.places.dedup_by(|a, b| a.id == b.id);
        self.places.sort_by(|a, b| (a.ordinal, &a.id).cmp(&(b.ordinal, &b.id)));
        let drain = || -> std::io::Result<()> {
            self.file.flush()?;
            let file = self.file.get_mut();
            begin(out, self.places.len())?;
            let mut text = Vec::new();
            for (index, place) in self.places.iter().enumerate() {
                text.resize(place.length, 0);
                file.seek(SeekFrom::Start(place.offset))?;
                file.read_exact(&mut text)?;
                take(out, index, &text)?;
            }
            Ok(())
        };
        drain().map_err(failed("writing", &self.path))?;
        let count = self.places.len();
        self.discard()?;
        Ok(count)
    }

    /// Removes the spool.
    pub(super) fn discard(self) -> Result<(), ExportError> {
        fs::remove_file(&self.path).map_err(failed("removing", &self.path))
    }
}
