//! Batch files on their way: fetched from a service, checked whole before they get their name, and sent to one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rollbook_application::reports::migration::PlanReport;
use rollbook_domain::Timestamp;
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::ApplyReport;
use rollbook_migrations::batch::{Batch, keep};
use rollbook_migrations::rules::DueRule;
use ureq::http::Method;

use super::{Asked, Remote, RemoteError};

/// How often a plan is fetched anew when the store changed between the file and its report.
const ATTEMPTS: usize = 5;

impl Remote {
    /// Plans there into a batch file here: `out`, or one named by kind and digest in the current directory.
    ///
    /// # Errors
    /// When the service does not answer or refuses, or the file cannot be written.
    pub fn plan(&self, due: DueRule, out: Option<&Path>) -> Result<PlanReport, RemoteError> {
        let directory = out
            .and_then(Path::parent)
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."));
        let partial = Partial(directory.join(format!(".batch.partial-{}", std::process::id())));
        for _attempt in 0..ATTEMPTS {
            self.fetch(due, &partial.0)?;
            let batch = Batch::open(&partial.0)?;
            let query = [("due", due.to_string())];
            let mut report: PlanReport =
                self.read(self.get("/v1/migrations/plan/report", &query)?)?;
            if report.digest == batch.header.digest {
                report.file = keep(&partial.0, directory, out, &batch.header)?;
                return Ok(report);
            }
        }
        Err(RemoteError::Moving(self.server().to_owned()).into())
    }

    fn fetch(&self, due: DueRule, path: &Path) -> Result<(), RemoteError> {
        let written =
            |source| MigrationError::File { path: path.to_owned(), doing: "written", source };
        let query = [("due", due.to_string())];
        let mut body = self
            .get("/v1/migrations/plan", &query)?
            .into_body()
            .into_with_config()
            .limit(u64::MAX)
            .reader();
        let mut file = BufWriter::new(File::create(path).map_err(written)?);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = std::io::Read::read(&mut body, &mut buffer)
                .map_err(|source| self.broken_off(source))?;
            if read == 0 {
                break;
            }
            file.write_all(buffer.get(..read).unwrap_or_default()).map_err(written)?;
        }
        Ok(file
            .into_inner()
            .map_err(|error| written(error.into_error()))?
            .sync_all()
            .map_err(written)?)
    }

    /// Applies a batch there. It was checked here before: what is damaged is not sent.
    ///
    /// # Errors
    /// When the service does not answer or refuses, or the file cannot be read.
    pub fn apply(&self, batch: &Batch, at: Option<Timestamp>) -> Result<ApplyReport, RemoteError> {
        let failed =
            |source| MigrationError::File { path: batch.path.clone(), doing: "read", source };
        let file = File::open(&batch.path).map_err(failed)?;
        let query: Vec<_> = at.map(|at| ("at", at.to_string())).into_iter().collect();
        let content_type = Some("application/x-ndjson");
        // The digest names the request: sent twice, it is done once.
        let key = Some(batch.header.digest.as_str());
        let asked = Asked {
            method: Method::POST,
            path: "/v1/migrations/apply",
            query: &query,
            content_type,
            key,
            ..Asked::default()
        };
        Ok(self.read(self.send(asked, &file)?)?)
    }
}

/// A file that goes away unless it got a name.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // A file that is not there any more was renamed.
        let _gone = std::fs::remove_file(&self.0);
    }
}
