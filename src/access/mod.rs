//! Who may do what. Owns who a caller is (`Access::authenticate`), what there is to be asked for (`wants`), and the one place that decides
//! (`Caller::may`); everything is denied that no line there allows. What an answer to the denied looks like is the service's.

mod caller;
mod denied;
mod wants;

use std::net::SocketAddr;

use http::HeaderMap;
use http::header::HOST;
use rollbook_domain::Timestamp;

pub use caller::{Caller, Grant, Visible};
pub use denied::Denied;
pub use wants::Wants;

/// Who may use this service. Shared by all requests.
#[derive(Debug)]
pub struct Access {
    _private: (),
}

impl Access {
    /// No authentication is configured: every caller is a local administrator, and the service may be reached from this machine only.
    pub fn open() -> Self {
        Self { _private: () }
    }

    /// Whether no authentication is configured.
    pub fn is_open(&self) -> bool {
        true
    }

    /// Whether the service may listen here.
    ///
    /// # Errors
    /// [`Denied::OpenBeyondLoopback`] without configured authentication, for an address that others can reach.
    pub fn may_listen(&self, address: SocketAddr) -> Result<(), Denied> {
        if self.is_open() && !address.ip().to_canonical().is_loopback() { Err(Denied::OpenBeyondLoopback(address)) } else { Ok(()) }
    }

    /// Who sends a request, by its headers. `now` is the system's clock, also where answers are given under a fixed one.
    ///
    /// # Errors
    /// [`Denied::Unauthenticated`], or [`Denied::Unavailable`] when it cannot be told at present.
    pub async fn authenticate(&self, headers: &HeaderMap, _now: Timestamp) -> Result<Caller, Denied> {
        // A web page that this machine's browser shows reaches loopback under the page's own host name.
        match headers.get(HOST) {
            Some(host) if !host.to_str().is_ok_and(is_loopback_host) => Err(Denied::Unauthenticated("the host is not this machine")),
            _ => Ok(Caller::local()),
        }
    }
}

/// Whether a `Host` header names this machine itself.
fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _port)| name),
        None => host.rsplit_once(':').map_or(host, |(name, _port)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_authentication_only_this_machine_is_served() {
        let access = Access::open();
        for address in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(access.may_listen(address.parse().unwrap()).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[2001:db8::1]:80"] {
            assert!(access.may_listen(address.parse().unwrap()).is_err(), "{address}");
        }
    }

    #[test]
    fn a_page_of_another_host_does_not_reach_an_open_service() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:80", "[::1]"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["", "example.com", "localhost.example.com:80", "192.0.2.1:80", "[2001:db8::1]:80", "[::1", "127.0.0.1.example.com"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
