//! Imports at a service: sends the files of an export, and asks how far the import is.

use std::io::Read;

use rollbook_application::reports::imports::ImportProgress;
use rollbook_migrations::import::{ImportOptions, ImportReport};
use ureq::SendBody;
use ureq::http::Method;

use super::{Remote, RemoteError, RequestParts};

impl Remote {
    /// Imports an export at the service. `texts` has its files, one after another.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn import(
        &self,
        texts: impl Read + Send + 'static,
        options: &ImportOptions,
        skip_unknown: bool,
    ) -> Result<ImportReport, RemoteError> {
        let ImportOptions { zone, allow_older, allow_removals, dry_run } = options;
        let mut query: Vec<(&'static str, String)> =
            zone.iter().map(|zone| ("legacy_timezone", zone.to_string())).collect();
        let flags = [
            ("skip_unknown", skip_unknown),
            ("dry_run", *dry_run),
            ("allow_older", *allow_older),
            ("allow_removals", *allow_removals),
        ];
        let given = flags.iter().filter(|(_, given)| *given);
        query.extend(given.map(|(name, _)| (*name, "true".to_owned())));
        let request = RequestParts {
            method: Method::POST,
            path: "/v1/imports",
            query: &query,
            content_type: Some("application/json"),
            ..RequestParts::default()
        };
        self.read(self.send(request, SendBody::from_owned_reader(texts))?)
    }

    /// The imports on record at the service, newest first.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn imports(&self) -> Result<Vec<ImportProgress>, RemoteError> {
        self.read(self.get("/v1/imports", &[])?)
    }
}
