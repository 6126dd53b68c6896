//! The files of an export: their names and their JSON frame. Documents are written one per line and
//! not collected in memory.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::documents::instant;

/// The writer of an export.
pub struct Export {
    directory: PathBuf,
    exported_at: String,
    written: Vec<(&'static str, u64)>,
}

impl Export {
    pub fn create(directory: &Path, today: NaiveDate) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let exported_at = instant(today.and_time(NaiveTime::MIN).and_utc());
        Ok(Self { directory: directory.to_path_buf(), exported_at, written: Vec::new() })
    }

    /// Writes a collection of `total` documents. The total is a parameter because it comes first in
    /// the file.
    pub fn collection(
        &mut self,
        name: &'static str,
        total: u64,
        documents: impl Iterator<Item = Value>,
    ) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(self.directory.join(format!("{name}.json")))?);
        let (name_text, time) = (json!(name), json!(self.exported_at));
        write!(
            file,
            r#"{{"collection":{name_text},"exportDate":{time},"totalDocuments":{total},"documents":["#
        )?;
        let mut written = 0;
        for document in documents {
            file.write_all(if written == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut file, &document)?;
            written += 1;
        }
        file.write_all(b"\n]}\n")?;
        file.flush()?;
        if written != total {
            return Err(io::Error::other(format!(
                "the sample's collection {name} has {written} documents instead of {total}"
            )));
        }
        self.written.push((name, total));
        Ok(())
    }

    /// Writes the summary of all collections.
    pub fn finish(self) -> io::Result<()> {
        let collections: Vec<Value> =
            self.written.iter().map(|(name, count)| collection_summary(name, *count)).collect();
        let summary = json!({
            "backupDate": self.exported_at,
            "collections": collections,
            "totals": {
                "totalCollections": self.written.len(),
                "successfulCollections": self.written.len(),
                "failedCollections": 0,
                "totalDocuments": self.written.iter().map(|(_, count)| count).sum::<u64>(),
            },
        });
        fs::write(self.directory.join("BACKUP_SUMMARY.json"), format!("{summary:#}\n"))
    }
}

fn collection_summary(name: &str, count: u64) -> Value {
    json!({ "name": name, "count": count, "status": "success", "error": null })
}
