//! The client of a remote service. This module holds the connection and the token. `requests` has
//! the endpoints, `batches` the transfer of batch files, `imports` that of exports, `error` the refusals.

mod batches;
mod error;
mod imports;
mod requests;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::de::DeserializeOwned;
use ureq::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, AsSendBody, Body, SendBody};

pub use error::RemoteError;
pub use requests::{EventRecords, Lines, ViewQuery};

/// The bytes to encode: all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The timeout for connecting. There is none for the response: an operation can take long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The size limit of an error's body, in bytes.
const LONGEST_PROBLEM_BYTES: u64 = 1 << 20;
/// The size limit of a report, in bytes.
const LONGEST_REPORT_BYTES: u64 = 1 << 30;
/// The size limit of a token file, in bytes.
const LONGEST_TOKEN_BYTES: u64 = 64 << 10;

/// A remote service.
pub struct Remote {
    agent: Agent,
    server: String,
    token: Option<HeaderValue>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token stays out of debug output.
        f.debug_struct("Remote").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Remote {
    /// A client for the service at a URL such as `https://rollbook.example.com`. It does not
    /// connect yet.
    ///
    /// # Errors
    /// [`RemoteError::Url`], [`RemoteError::Token`], [`RemoteError::InTheClear`].
    pub fn new(server: &str, token: Option<&str>) -> Result<Self, RemoteError> {
        let wrong = || RemoteError::Url(server.to_owned());
        let uri: Uri = server.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.query().is_some() {
            return Err(wrong());
        }
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        if token.is_some() && uri.scheme_str() == Some("http") && !is_loopback(host) {
            return Err(RemoteError::InTheClear(server.to_owned()));
        }
        let token = token
            .map(|token| {
                HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| RemoteError::Token)
            })
            .transpose()?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .user_agent(concat!("rollbook/", env!("CARGO_PKG_VERSION")));
        if is_loopback(host) {
            // A proxy of the environment cannot reach this machine's loopback.
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().into(),
            server: server.trim_end_matches('/').to_owned(),
            token,
        })
    }

    /// Reads the token from a file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn token_of(file: &Path) -> Result<String, RemoteError> {
        let mut text = String::new();
        let read = std::fs::File::open(file)
            .and_then(|file| file.take(LONGEST_TOKEN_BYTES).read_to_string(&mut text));
        read.map_err(|source| RemoteError::TokenFile { path: file.to_owned(), source })?;
        Ok(text.trim().to_owned())
    }

    /// The service's URL.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Sends a request. A status other than 2xx is an error.
    fn send(
        &self,
        request: RequestParts<'_>,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, RemoteError> {
        let mut uri = format!("{}{}", self.server, request.path);
        for (number, (name, value)) in request.query.iter().enumerate() {
            uri.push_str(&format!(
                "{}{name}={}",
                if number == 0 { "?" } else { "&" },
                encoded(value)
            ));
        }
        let mut built =
            Request::builder().method(request.method).uri(uri).header(ACCEPT, request.accept);
        if let Some(token) = &self.token {
            built = built.header(AUTHORIZATION, token);
        }
        if let Some(kind) = request.content_type {
            built = built.header("content-type", kind);
        }
        if let Some(key) = request.key {
            built = built.header("idempotency-key", key);
        }
        let built = built.body(body).map_err(|_| RemoteError::Url(self.server.clone()))?;
        let mut response = self.agent.run(built).map_err(|source| self.unreachable(source))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.body_mut().with_config().limit(LONGEST_PROBLEM_BYTES).read_to_string();
        Err(RemoteError::of_problem(&self.server, status.as_u16(), &body.unwrap_or_default()))
    }

    /// Sends a GET request.
    fn get(
        &self,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Response<Body>, RemoteError> {
        self.send(RequestParts { path, query, ..RequestParts::default() }, SendBody::none())
    }

    /// Reads a JSON report.
    fn read<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<T, RemoteError> {
        let reader = response.into_body().into_with_config().limit(LONGEST_REPORT_BYTES).reader();
        serde_json::from_reader(std::io::BufReader::new(reader)).map_err(|error| {
            if error.is_io() {
                self.broken_off(error.into())
            } else {
                self.unexpected(format!("the report cannot be decoded: {error}"))
            }
        })
    }

    /// Reads the body as text.
    fn text(&self, response: Response<Body>) -> Result<String, RemoteError> {
        let body = response.into_body().into_with_config().limit(LONGEST_REPORT_BYTES);
        body.read_to_string().map_err(|source| self.unreachable(source))
    }

    fn unreachable(&self, source: ureq::Error) -> RemoteError {
        RemoteError::Unreachable { server: self.server.clone(), source: Box::new(source) }
    }

    fn broken_off(&self, source: std::io::Error) -> RemoteError {
        RemoteError::BrokenOff { server: self.server.clone(), source }
    }

    fn unexpected(&self, what: String) -> RemoteError {
        RemoteError::Unexpected { server: self.server.clone(), what }
    }
}

/// A request before it is sent, without its body.
struct RequestParts<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'static str, String)],
    accept: &'static str,
    content_type: Option<&'static str>,
    key: Option<&'a str>,
}

impl Default for RequestParts<'_> {
    fn default() -> Self {
        Self {
            method: Method::GET,
            path: "/",
            query: &[],
            accept: "*/*",
            content_type: None,
            key: None,
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Encodes text for a path segment or a query value. `/` is encoded too.
fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_over_plain_http_to_loopback_only() {
        for fine in [
            "http://127.0.0.1:1",
            "http://localhost:1/",
            "http://[::1]:1",
            "https://rollbook.example.com",
        ] {
            assert!(Remote::new(fine, Some("t")).is_ok(), "{fine}");
        }
        assert!(Remote::new("http://rollbook.example.com", None).is_ok());
        assert!(matches!(
            Remote::new("http://rollbook.example.com", Some("t")),
            Err(RemoteError::InTheClear(_))
        ));
        for wrong in ["", "rollbook", "ftp://example.com", "http://", "http://a?b"] {
            assert!(matches!(Remote::new(wrong, None), Err(RemoteError::Url(_))), "{wrong}");
        }
    }

    #[test]
    fn ids_are_percent_encoded_and_debug_output_hides_the_token() {
        assert_eq!(encoded("series/a%2Fb/ü").to_string(), "series%2Fa%252Fb%2F%C3%BC");
        let remote = Remote::new("http://127.0.0.1:1", Some("secret-token")).unwrap();
        assert!(!format!("{remote:?}").contains("secret-token"));
    }
}
