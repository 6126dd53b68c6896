//! Exports of the old application that tests change.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{fixture, paths};

/// A copy of a fixture's export that a test changes.
pub struct Copy {
    pub directory: PathBuf,
}

impl Copy {
    /// Of `tracker`.
    pub fn new(home: &Path, name: &str) -> Self {
        Self::of("tracker", home, name)
    }

    /// Of any fixture.
    pub fn of(fixture_name: &str, home: &Path, name: &str) -> Self {
        let directory = home.join(name);
        fs::create_dir(&directory).unwrap();
        for entry in fs::read_dir(fixture(fixture_name).join("export")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, directory.join(path.file_name().unwrap())).unwrap();
        }
        Self { directory }
    }

    /// Changes one file.
    pub fn change(&self, file: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let path = self.directory.join(file);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
        self
    }

    /// Keeps the documents for which `keep` holds, in the file and in the summary.
    pub fn retain(&self, collection: &str, mut keep: impl FnMut(usize, &Value) -> bool) -> &Self {
        let mut count = 0;
        self.change(&format!("{collection}.json"), |file| {
            let mut at = 0;
            let documents = file["documents"].as_array_mut().unwrap();
            documents.retain(|document| {
                at += 1;
                keep(at - 1, document)
            });
            count = documents.len();
            file["totalDocuments"] = count.into();
        });
        self.summary(|summary| {
            let listed = summary["collections"].as_array_mut().unwrap();
            let entry = listed.iter_mut().find(|entry| entry["name"] == collection).unwrap();
            entry["count"] = count.into();
        })
    }

    /// Changes the summary.
    pub fn summary(&self, change: impl FnOnce(&mut Value)) -> &Self {
        self.change("BACKUP_SUMMARY.json", change)
    }

    /// Sets the time of the export in every file.
    pub fn dated(&self, time: &str) -> &Self {
        for entry in fs::read_dir(&self.directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let field = if name == "BACKUP_SUMMARY.json" { "backupDate" } else { "exportDate" };
            self.change(&name, |file| file[field] = time.into());
        }
        self
    }

    /// The directory as text.
    pub fn path(&self) -> &str {
        self.directory.to_str().unwrap()
    }
}

/// Whether an assignment has an answer.
pub fn is_answered(document: &Value) -> bool {
    document.get("responseId").is_some_and(|id| !id.is_null()) || document["status"] == "completed"
}

/// The files of an export one after another, as `cat DIRECTORY/*.json` writes them.
pub fn texts(directory: &Path) -> Vec<u8> {
    let files = paths(directory).into_iter();
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.flat_map(|path| fs::read(path).unwrap()).collect()
}
