//! Transfer of batch files. A file from a service gets its name only after its digest was checked.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rollbook_application::reports::migration::PlanReport;
use rollbook_domain::{JsonText, Timestamp};
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::ApplyReport;
use rollbook_migrations::batch::{Batch, keep};
use rollbook_migrations::rules::{Inversion, Options, Realignment, Rewindowing};
use ureq::http::Method;

use super::{Remote, RemoteError, RequestParts};

/// The attempts to fetch a plan and its report from the same state of the store.
const ATTEMPTS: usize = 5;

impl Remote {
    /// Plans at the service and writes the batch file here: `out`, or a file named by kind and
    /// digest in the current directory. `options` are those of the request, with its time.
    ///
    /// # Errors
    /// If the service does not respond or refuses, or the file cannot be written.
    pub fn plan(&self, options: &Options, out: Option<&Path>) -> Result<PlanReport, RemoteError> {
        let query = plan_query(options);
        let directory = out
            .and_then(Path::parent)
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."));
        let partial = Partial(directory.join(format!(".batch.partial-{}", std::process::id())));
        for _attempt in 0..ATTEMPTS {
            self.fetch(&query, &partial.0)?;
            let batch = Batch::open(&partial.0)?;
            let mut report: PlanReport =
                self.read(self.get("/v1/migrations/plan/report", &query)?)?;
            if report.digest == batch.header.digest {
                report.file = keep(&partial.0, directory, out, &batch.header)?;
                return Ok(report);
            }
        }
        Err(RemoteError::Moving(self.server().to_owned()))
    }

    fn fetch(&self, query: &[(&'static str, String)], path: &Path) -> Result<(), RemoteError> {
        let written =
            |source| MigrationError::File { path: path.to_owned(), doing: "written", source };
        let mut body = self
            .get("/v1/migrations/plan", query)?
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

    /// Applies a batch at the service. [`Batch::open`] has checked the file already.
    ///
    /// # Errors
    /// If the service does not respond or refuses, or the file cannot be read.
    pub fn apply(&self, batch: &Batch, at: Option<Timestamp>) -> Result<ApplyReport, RemoteError> {
        let failed =
            |source| MigrationError::File { path: batch.path.clone(), doing: "read", source };
        let file = File::open(&batch.path).map_err(failed)?;
        let query: Vec<_> = at.map(|at| ("at", at.to_string())).into_iter().collect();
        let content_type = Some("application/x-ndjson");
        // The digest is the idempotency key, so a second request does nothing.
        let key = Some(batch.header.digest.as_str());
        let request = RequestParts {
            method: Method::POST,
            path: "/v1/migrations/apply",
            query: &query,
            content_type,
            key,
            ..RequestParts::default()
        };
        self.read(self.send(request, &file)?)
    }
}

/// The query of a plan. The time is always sent, so that the file and the report are of one plan.
fn plan_query(options: &Options) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    if options.due().is_none() {
        query.push(("kind", options.kind().to_owned()));
    }
    match options {
        // Without its kind, which services of earlier releases do not know.
        Options::Precreate(due) => query.push(("due", due.to_string())),
        Options::Realign(Realignment { weekday, time, clients, at }) => {
            query.push(("weekday", weekday.to_string()));
            query.extend(time.map(|time| ("time", time.to_string())));
            query.extend(clients.iter().map(|client| ("client", client.clone())));
            query.push(("at", at.to_string()));
        }
        Options::Window(Rewindowing { window, from, clients, at }) => {
            let window = window.as_ref().map_or("null", JsonText::as_str);
            query.push(("window", window.to_owned()));
            query.push(("from", from.to_string()));
            query.extend(clients.iter().map(|client| ("client", client.clone())));
            query.push(("at", at.to_string()));
        }
        Options::Inverse(Inversion { of, at }) => {
            query.push(("inverse_of", of.clone()));
            query.push(("at", at.to_string()));
        }
    }
    query
}

/// A partial file, removed on drop unless it was renamed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // It does not exist if it was renamed.
        let _gone = std::fs::remove_file(&self.0);
    }
}
