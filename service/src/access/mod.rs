//! Access control: it authenticates callers (`Access::authenticate`), defines the permissions of
//! requests (`permission`), and decides in one place (`Caller::authorize`), which denies everything
//! that it does not allow explicitly. This module reads HTTP headers but chooses no status code.

mod caller;
mod denied;
mod error;
mod grant;
mod jwks;
mod keys;
mod permission;
mod remote;
mod roles;
mod scope;
mod settings;
mod tokens;
mod watched;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Uri};
use rollbook_domain::Timestamp;

pub use caller::{Caller, RoleNote, Visible};
pub use denied::AccessDenied;
pub use error::AccessError;
pub use grant::Grant;
pub use keys::{ApiKey, KeyFile, list as list_keys};
pub use permission::Permission;
pub use scope::Scope;
pub use settings::{AccessSettings, LEEWAY_MILLISECONDS};

use keys::ApiKeys;
use tokens::Tokens;
use watched::WatchedFile;

/// Access control. All requests share it.
#[derive(Debug)]
pub struct Access {
    tokens: Option<Tokens>,
    keys: WatchedFile<ApiKeys>,
    /// Whether every caller is accepted. Once authentication was required, it stays required in
    /// this process, even if the file of keys is deleted.
    open: AtomicBool,
}

impl Access {
    /// Creates access control for the store in this directory. Without rules for tokens and without
    /// a file of keys, every caller is a local administrator, and the service must listen on
    /// loopback only.
    ///
    /// # Errors
    /// If the settings are invalid, or the keys cannot be read.
    pub fn new(settings: &AccessSettings, data: &Path) -> Result<Self, AccessError> {
        let tokens = settings.token_rules()?.map(Tokens::new).transpose()?;
        let keys = WatchedFile::new(data.join(keys::KEYS_FILE), ApiKeys::parse);
        let open = tokens.is_none() && keys.read()?.is_none();
        Ok(Self { tokens, keys, open: AtomicBool::new(open) })
    }

    /// Whether every caller is accepted, because no authentication is configured.
    pub fn is_open(&self) -> bool {
        if !self.open.load(Ordering::Relaxed) {
            return false;
        }
        // Authentication is required as soon as there is a key, or a file of keys that cannot be
        // read.
        let still = matches!(self.keys.read(), Ok(None));
        if !still {
            self.open.store(false, Ordering::Relaxed);
        }
        still
    }

    /// Requires that the service may listen on an address.
    ///
    /// # Errors
    /// [`AccessDenied::OpenBeyondLoopback`] without configured authentication, for an address that
    /// others can reach.
    pub fn may_listen(&self, address: SocketAddr) -> Result<(), AccessDenied> {
        if self.is_open() && !address.ip().to_canonical().is_loopback() {
            Err(AccessDenied::OpenBeyondLoopback(address))
        } else {
            Ok(())
        }
    }

    /// Authenticates the caller of a request by its headers. `now` is the time of the system clock,
    /// even if responses use a fixed clock.
    ///
    /// # Errors
    /// [`AccessDenied::Unauthenticated`], or [`AccessDenied::Unavailable`] when the caller
    /// cannot be authenticated at present.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Caller, AccessDenied> {
        if self.is_open() {
            return local(headers);
        }
        let presented = bearer(headers)?;
        if keys::is_api_key(presented) {
            let keys = self.keys.read()?;
            let key = keys.as_ref().and_then(|keys| keys.presented(presented, now));
            let key = key.ok_or(AccessDenied::Unauthenticated(
                "the API key is unknown, revoked or expired",
            ))?;
            return Ok(Caller::holding(
                format!("key {}", key.name),
                key.scopes.iter().flat_map(Scope::grants),
            ));
        }
        match &self.tokens {
            Some(tokens) => tokens.bearer(presented, now).await,
            None => {
                Err(AccessDenied::Unauthenticated("no tokens are accepted here, only API keys"))
            }
        }
    }
}

/// Headers that only a proxy adds. A request through a proxy may come from any machine.
const FORWARDING_HEADERS: [&str; 7] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
];

/// Returns the caller if every caller is accepted. Other machines can reach loopback through a proxy
/// on this machine, which its headers reveal. So can a page of another site in a browser on this
/// machine, which the host name, the origin or the browser's own header reveals. Both are denied.
fn local(headers: &HeaderMap) -> Result<Caller, AccessDenied> {
    if FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return Err(AccessDenied::Unauthenticated(
            "it came through a proxy, and no authentication is configured",
        ));
    }
    let is_same_site = |value: &HeaderValue| value == "same-origin" || value == "none";
    if !headers.get_all("sec-fetch-site").iter().all(is_same_site) {
        return Err(AccessDenied::Unauthenticated("it comes from a page of another site"));
    }
    let is_here = |value: &HeaderValue| value.to_str().is_ok_and(is_loopback_host);
    let is_from_here = |value: &HeaderValue| {
        let origin = value.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        origin.is_some_and(|origin| {
            origin.scheme().is_some() && origin.host().is_some_and(is_loopback_host)
        })
    };
    if !headers.get_all(HOST).iter().all(is_here)
        || !headers.get_all(ORIGIN).iter().all(is_from_here)
    {
        return Err(AccessDenied::Unauthenticated("it comes from a page of another host"));
    }
    Ok(Caller::holding("local".to_owned(), [Grant::Admin]))
}

/// Returns the bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, AccessDenied> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(AccessDenied::Unauthenticated("there is not exactly one Authorization header"));
    };
    let text = value
        .to_str()
        .map_err(|_| AccessDenied::Unauthenticated("the Authorization header is not text"))?;
    match text.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() =>
        {
            Ok(token.trim())
        }
        _ => Err(AccessDenied::Unauthenticated("the Authorization header has no bearer token")),
    }
}

/// Whether a `Host` header names this machine.
fn is_loopback_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => {
            (name, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
        }
        None => host.split_once(':').map_or((host, Some("")), |(name, port)| (name, Some(port))),
    };
    let is_here = || {
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    };
    port.is_some_and(|port| port.bytes().all(|digit| digit.is_ascii_digit())) && is_here()
}
