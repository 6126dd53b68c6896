//! The requests to a service: one method for each endpoint. Reports have the same types as reports
//! of a local store.

use std::io::{BufRead, BufReader, Read};

use rollbook_application::backup::{BackupReport, ListedBackup};
use rollbook_application::operations::acceptance::{AcceptRequest, AcceptanceReport, Selection};
use rollbook_application::operations::switch::SwitchRequest;
use rollbook_application::operations::{PutReport, PutRequest};
use rollbook_application::reports::check_ins::Which;
use rollbook_application::reports::evidence::CheckpointReport;
use rollbook_application::reports::findings::{FindingPage, FindingQuery};
use rollbook_application::reports::migration::ValidationReport;
use rollbook_application::reports::moment::Moment;
use rollbook_application::reports::span;
use rollbook_application::reports::status::Status;
use rollbook_application::reports::switch::SwitchReport;
use rollbook_application::store::PastView;
use rollbook_domain::{EventRecord, Timestamp};
use rollbook_migrations::parity::ParityReport;
use serde_json::json;
use ureq::SendBody;
use ureq::http::Method;

use super::{Remote, RemoteError, RequestParts, encoded};

const JSON: Option<&str> = Some("application/json");

/// The most findings in one response.
const MOST_FINDINGS: usize = 10_000;

/// The query for a view.
#[derive(Clone, Copy, Debug)]
pub struct ViewQuery {
    /// The view to read.
    pub view: Which,
    /// The instant of the list. Default: the service's clock.
    pub at: Option<Timestamp>,
    /// The position, or an instant of recording. Default: the head.
    pub as_of: Option<Moment>,
    /// The grace before a week is overdue, in milliseconds. Default: the service's setting.
    pub overdue_after_milliseconds: Option<i64>,
}

impl ViewQuery {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("view", self.view.name().to_owned())];
        query.extend(self.at.map(|at| ("at", at.to_string())));
        query.extend(self.as_of.map(|moment| ("as_of", moment.to_string())));
        query.extend(overdue_after(self.overdue_after_milliseconds));
        query
    }
}

fn overdue_after(milliseconds: Option<i64>) -> Option<(&'static str, String)> {
    milliseconds.map(|milliseconds| ("overdue_after", span::text(milliseconds)))
}

impl Remote {
    /// The status of the store.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn status(&self) -> Result<Status, RemoteError> {
        self.read(self.get("/v1/status", &[])?)
    }

    /// Switches the view that clients get.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn switch(
        &self,
        switching: &SwitchRequest,
        at: Option<Timestamp>,
        key: Option<&str>,
    ) -> Result<SwitchReport, RemoteError> {
        let SwitchRequest { view, percent, clients, reason, force } = switching;
        let body = json!({"view": view, "percent": percent, "clients": clients, "reason": reason, "force": force, "at": at});
        let request = RequestParts {
            method: Method::PUT,
            path: "/v1/switch",
            content_type: JSON,
            key,
            ..RequestParts::default()
        };
        self.read(self.send(request, body.to_string().as_str())?)
    }

    /// Puts the document of a client, a coach or a form.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn put(
        &self,
        wanted: &PutRequest,
        at: Option<Timestamp>,
        key: Option<&str>,
    ) -> Result<PutReport, RemoteError> {
        let PutRequest { kind, id, document, merge } = wanted;
        let mut query = vec![("merge", merge.to_string())];
        query.extend(at.map(|at| ("at", at.to_string())));
        let request = RequestParts {
            method: Method::PUT,
            path: &format!("/v1/{}/{}", kind.collection().name(), encoded(id)),
            query: &query,
            content_type: JSON,
            key,
            ..RequestParts::default()
        };
        self.read(self.send(request, document.as_str())?)
    }

    /// The list of one client: the body of the endpoint's response.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn check_ins(&self, client: &str, query: &ViewQuery) -> Result<String, RemoteError> {
        self.text(self.get(&format!("/v1/clients/{}/check-ins", encoded(client)), &query.query())?)
    }

    /// The list that a client got at an instant.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn seen(
        &self,
        client: &str,
        at: Timestamp,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<PastView, RemoteError> {
        let mut query = vec![("at", at.to_string())];
        query.extend(overdue_after(overdue_after_milliseconds));
        self.read(self.get(&format!("/v1/clients/{}/seen", encoded(client)), &query)?)
    }

    /// Streams the lists of all clients, one line for each.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn everyone(&self, query: &ViewQuery) -> Result<Lines<'_>, RemoteError> {
        self.lines("/v1/check-ins", &query.query())
    }

    /// Streams the events that concern an id.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn history(&self, id: &str, with_answers: bool) -> Result<EventRecords<'_>, RemoteError> {
        let query = [("with_answers", with_answers.to_string())];
        Ok(EventRecords(self.lines(&format!("/v1/history/{}", encoded(id)), &query)?))
    }

    fn lines(
        &self,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Lines<'_>, RemoteError> {
        let body = self.get(path, query)?.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Lines { remote: self, reader: BufReader::new(Box::new(body)) })
    }

    /// Runs the checks at the service, which records the result.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn validate(
        &self,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<ValidationReport, RemoteError> {
        let query: Vec<_> = overdue_after(overdue_after_milliseconds).into_iter().collect();
        let request = RequestParts {
            method: Method::POST,
            path: "/v1/migrations/validations",
            query: &query,
            ..RequestParts::default()
        };
        self.read(self.send(request, SendBody::none())?)
    }

    /// Lists what the checks find at the service: one page, or all pages if the query has no limit.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn findings(
        &self,
        query: &FindingQuery,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<FindingPage, RemoteError> {
        let mut page = self.finding_page(query, query.after, overdue_after_milliseconds)?;
        while let (None, Some(next)) = (query.limit, page.next) {
            let more = self.finding_page(query, next, overdue_after_milliseconds)?;
            page.findings.extend(more.findings);
            page.next = more.next;
        }
        Ok(page)
    }

    fn finding_page(
        &self,
        query: &FindingQuery,
        after: u64,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<FindingPage, RemoteError> {
        let limit = query.limit.unwrap_or(MOST_FINDINGS);
        let mut parts = vec![("after", after.to_string()), ("limit", limit.to_string())];
        parts.extend(query.check.clone().map(|check| ("check", check)));
        parts.extend(query.state.map(|state| ("state", state.name().to_owned())));
        parts.extend(overdue_after(overdue_after_milliseconds));
        self.read(self.get("/v1/migrations/findings", &parts)?)
    }

    /// Accepts findings at the service, or withdraws their acceptance.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn accept(
        &self,
        wanted: &AcceptRequest,
        withdraw: bool,
        overdue_after_milliseconds: Option<i64>,
        at: Option<Timestamp>,
    ) -> Result<AcceptanceReport, RemoteError> {
        let reason = &wanted.reason;
        let body = match &wanted.selection {
            Selection::Findings(findings) => {
                let kind = if withdraw { "withdraw" } else { "findings" };
                json!({"kind": kind, "findings": findings, "reason": reason, "at": at})
            }
            Selection::Check { check, expected } => {
                json!({"kind": "check", "check": check, "expected": expected, "reason": reason, "at": at})
            }
        };
        let query: Vec<_> = overdue_after(overdue_after_milliseconds).into_iter().collect();
        let request = RequestParts {
            method: Method::POST,
            path: "/v1/migrations/acceptances",
            query: &query,
            content_type: JSON,
            ..RequestParts::default()
        };
        self.read(self.send(request, body.to_string().as_str())?)
    }

    /// Compares the two views of every client.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn parity(
        &self,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<ParityReport, RemoteError> {
        let query: Vec<_> = overdue_after(overdue_after_milliseconds).into_iter().collect();
        self.read(self.get("/v1/parity", &query)?)
    }

    /// Takes a backup of the service's store.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn back_up(
        &self,
        name: Option<&str>,
        at: Option<Timestamp>,
    ) -> Result<BackupReport, RemoteError> {
        let body = json!({"name": name, "at": at});
        let request = RequestParts {
            method: Method::POST,
            path: "/v1/backups",
            content_type: JSON,
            ..RequestParts::default()
        };
        self.read(self.send(request, body.to_string().as_str())?)
    }

    /// The backups of the service's store.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn backups(&self) -> Result<Vec<ListedBackup>, RemoteError> {
        self.read(self.get("/v1/backups", &[])?)
    }

    /// Signs the service's log.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn checkpoint(&self) -> Result<CheckpointReport, RemoteError> {
        let request = RequestParts {
            method: Method::POST,
            path: "/v1/checkpoints",
            ..RequestParts::default()
        };
        self.read(self.send(request, SendBody::none())?)
    }

    /// The audit, as JSON or Markdown.
    ///
    /// # Errors
    /// If the service does not respond, or refuses the request.
    pub fn audit(&self, format: &str, at: Option<Timestamp>) -> Result<String, RemoteError> {
        let mut query = vec![("format", format.to_owned())];
        query.extend(at.map(|at| ("at", at.to_string())));
        self.text(self.get("/v1/audit", &query)?)
    }
}

/// The lines of a streamed response. A line that is cut short is an error, also at the end.
pub struct Lines<'a> {
    remote: &'a Remote,
    reader: BufReader<Box<dyn Read>>,
}

impl Iterator for Lines<'_> {
    type Item = Result<String, RemoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) if line.ends_with('\n') => Some(Ok(line)),
            Ok(_) => Some(Err(self.remote.broken_off(std::io::ErrorKind::UnexpectedEof.into()))),
            Err(source) => Some(Err(self.remote.broken_off(source))),
        }
    }
}

/// The events of a streamed response.
pub struct EventRecords<'a>(Lines<'a>);

impl Iterator for EventRecords<'_> {
    type Item = Result<EventRecord, RemoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        let remote = self.0.remote;
        let read = |line: String| {
            serde_json::from_str(&line)
                .map_err(|error| remote.unexpected(format!("an event cannot be decoded: {error}")))
        };
        self.0.next().map(|line| line.and_then(read))
    }
}
