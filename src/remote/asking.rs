//! What is asked of a service, a method an endpoint. Owns paths, queries and bodies; reports are the same values that the store's own are.

use std::io::{BufRead, BufReader, Read};

use rollbook_application::backup::{Created, Listed};
use rollbook_application::operations::switch::SwitchRequest;
use rollbook_application::reports::check_ins::Which;
use rollbook_application::reports::evidence::Signed;
use rollbook_application::reports::migration::ValidationReport;
use rollbook_application::reports::moment::Moment;
use rollbook_application::reports::span;
use rollbook_application::reports::status::Status;
use rollbook_application::reports::switch::Switched;
use rollbook_application::store::PastView;
use rollbook_domain::{Recorded, Timestamp};
use rollbook_migrations::parity::ParityReport;
use serde_json::json;
use ureq::SendBody;
use ureq::http::Method;

use super::{Asked, Remote, RemoteError, escaped};

const JSON: Option<&str> = Some("application/json");

/// Which view, and when.
#[derive(Clone, Copy, Debug)]
pub struct ViewAsked {
    /// The view.
    pub view: Which,
    /// The instant; the service's own now without one.
    pub at: Option<Timestamp>,
    /// The position or instant of record; the head without one.
    pub as_of: Option<Moment>,
    /// The grace before overdue, in milliseconds; the service's own without one.
    pub overdue_after_milliseconds: Option<i64>,
}

impl ViewAsked {
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
    /// How the store stands.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn status(&self) -> Result<Status, RemoteError> {
        self.read(self.get("/v1/status", &[])?)
    }

    /// Switches which view serves whom.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn switch(
        &self,
        switching: &SwitchRequest,
        at: Option<Timestamp>,
        key: Option<&str>,
    ) -> Result<Switched, RemoteError> {
        let SwitchRequest { view, percent, clients, reason, force } = switching;
        let body = json!({"view": view, "percent": percent, "clients": clients, "reason": reason, "force": force, "at": at});
        let asked = Asked {
            method: Method::PUT,
            path: "/v1/switch",
            content_type: JSON,
            key,
            ..Asked::default()
        };
        self.read(self.send(asked, body.to_string().as_str())?)
    }

    /// One client's list, as the endpoint answers it.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn check_ins(&self, client: &str, asked: &ViewAsked) -> Result<String, RemoteError> {
        self.text(self.get(&format!("/v1/clients/{}/check-ins", escaped(client)), &asked.query())?)
    }

    /// What a client saw at an instant.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn seen(
        &self,
        client: &str,
        at: Timestamp,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<PastView, RemoteError> {
        let mut query = vec![("at", at.to_string())];
        query.extend(overdue_after(overdue_after_milliseconds));
        self.read(self.get(&format!("/v1/clients/{}/seen", escaped(client)), &query)?)
    }

    /// Every client's list, a line each, as it comes.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn everyone(&self, asked: &ViewAsked) -> Result<Lines<'_>, RemoteError> {
        self.lines("/v1/check-ins", &asked.query())
    }

    /// Everything that happened to something, as it comes.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn history(&self, id: &str, with_answers: bool) -> Result<Told<'_>, RemoteError> {
        let query = [("with_answers", with_answers.to_string())];
        Ok(Told(self.lines(&format!("/v1/history/{}", escaped(id)), &query)?))
    }

    fn lines(
        &self,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Lines<'_>, RemoteError> {
        let body = self.get(path, query)?.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Lines { remote: self, reader: BufReader::new(Box::new(body)) })
    }

    /// Runs the checks there and puts them on record there.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn validate(
        &self,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<ValidationReport, RemoteError> {
        let query: Vec<_> = overdue_after(overdue_after_milliseconds).into_iter().collect();
        let asked = Asked {
            method: Method::POST,
            path: "/v1/migrations/validations",
            query: &query,
            ..Asked::default()
        };
        self.read(self.send(asked, SendBody::none())?)
    }

    /// Compares both views of every client.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn parity(
        &self,
        overdue_after_milliseconds: Option<i64>,
    ) -> Result<ParityReport, RemoteError> {
        let query: Vec<_> = overdue_after(overdue_after_milliseconds).into_iter().collect();
        self.read(self.get("/v1/parity", &query)?)
    }

    /// Takes a backup there.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn back_up(
        &self,
        name: Option<&str>,
        at: Option<Timestamp>,
    ) -> Result<Created, RemoteError> {
        let body = json!({"name": name, "at": at});
        let asked = Asked {
            method: Method::POST,
            path: "/v1/backups",
            content_type: JSON,
            ..Asked::default()
        };
        self.read(self.send(asked, body.to_string().as_str())?)
    }

    /// The backups there.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn backups(&self) -> Result<Vec<Listed>, RemoteError> {
        self.read(self.get("/v1/backups", &[])?)
    }

    /// Has the log signed there.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn checkpoint(&self) -> Result<Signed, RemoteError> {
        let asked = Asked { method: Method::POST, path: "/v1/checkpoints", ..Asked::default() };
        self.read(self.send(asked, SendBody::none())?)
    }

    /// The audit, as JSON or Markdown.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn audit(&self, format: &str, at: Option<Timestamp>) -> Result<String, RemoteError> {
        let mut query = vec![("format", format.to_owned())];
        query.extend(at.map(|at| ("at", at.to_string())));
        self.text(self.get("/v1/audit", &query)?)
    }
}

/// Lines of an answer as they come, each whole: the last one, too.
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

/// Events as they come.
pub struct Told<'a>(Lines<'a>);

impl Iterator for Told<'_> {
    type Item = Result<Recorded, RemoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        let remote = self.0.remote;
        let read = |line: String| {
            serde_json::from_str(&line)
                .map_err(|error| remote.unexpected(format!("an event does not read: {error}")))
        };
        self.0.next().map(|line| line.and_then(read))
    }
}
