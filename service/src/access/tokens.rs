//! Checks a JWT and reads its claims. `remote` and `watched` get the issuer's keys; the
//! `jsonwebtoken` crate checks signatures.

use std::fs::Metadata;
use std::path::Path;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use rollbook_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::caller::Caller;
use super::denied::AccessDenied;
use super::error::AccessError;
use super::jwks::{IssuerKey, IssuerKeys};
use super::remote::RemoteKeys;
use super::scope::grants_of_roles;
use super::settings::{JwksFrom, TokenRules};
use super::watched::WatchedFile;

/// Longer than any token of an issuer that means well.
const LONGEST_TOKEN_BYTES: usize = 16 << 10;

/// The accepted issuer.
#[derive(Debug)]
pub(super) struct Tokens {
    issuer: String,
    audience: String,
    leeway_milliseconds: u64,
    keys: KeysFrom,
}

#[derive(Debug)]
enum KeysFrom {
    File(WatchedFile<IssuerKeys>),
    Url(Box<RemoteKeys>),
}

/// The claims of a token. Times are seconds since 1970.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    role: Option<Value>,
    roles: Option<Value>,
}

impl Tokens {
    pub(super) fn new(rules: TokenRules) -> Result<Self, AccessError> {
        let keys = match rules.jwks {
            JwksFrom::Url(url) => KeysFrom::Url(Box::new(RemoteKeys::new(url))),
            JwksFrom::File(path) => {
                let file = WatchedFile::new(path, parse_file);
                // A service that could accept no token says so when it starts.
                require(&file)?;
                KeysFrom::File(file)
            }
        };
        Ok(Self {
            issuer: rules.issuer,
            audience: rules.audience,
            leeway_milliseconds: rules.leeway_milliseconds,
            keys,
        })
    }

    /// The bearer of a token.
    pub(super) async fn bearer(&self, token: &str, now: Timestamp) -> Result<Caller, AccessDenied> {
        if token.len() > LONGEST_TOKEN_BYTES {
            return Err(AccessDenied::Unauthenticated("the token is too long"));
        }
        let header = decode_header(token).map_err(|_| {
            AccessDenied::Unauthenticated("the token is no JWT of a known algorithm")
        })?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(AccessDenied::Unauthenticated(
                "the token's algorithm is neither RS256 nor ES256",
            ));
        }
        if header.crit.is_some() {
            return Err(AccessDenied::Unauthenticated(
                "the token has critical headers that are not known here",
            ));
        }
        let kid = header.kid.ok_or(AccessDenied::Unauthenticated("the token names no key"))?;
        let key = self.key(&kid).await?.ok_or(AccessDenied::Unauthenticated(
            "the token names a key that its issuer does not have",
        ))?;
        let claims = self.claims(token, &key)?;
        self.require_current(&claims, now)?;
        Ok(caller(claims))
    }

    async fn key(&self, kid: &str) -> Result<Option<IssuerKey>, AccessError> {
        match &self.keys {
            KeysFrom::Url(remote) => remote.get(kid).await,
            KeysFrom::File(file) => Ok(require(file)?.get(kid).cloned()),
        }
    }

    /// The claims of a token with a valid signature, issuer and audience.
    fn claims(&self, token: &str, key: &IssuerKey) -> Result<Claims, AccessDenied> {
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The clock is the caller's: see `require_current`.
        validation.validate_exp = false;
        let decoded = decode::<Claims>(token, &key.key, &validation);
        let claims =
            decoded.map_err(|error| AccessDenied::Unauthenticated(because(error.kind())))?.claims;
        match claims.iss == self.issuer && !claims.sub.is_empty() {
            true => Ok(claims),
            false => {
                Err(AccessDenied::Unauthenticated("the token is of another issuer, or of nobody"))
            }
        }
    }

    fn require_current(&self, claims: &Claims, now: Timestamp) -> Result<(), AccessDenied> {
        // Seconds of this century are exact in a double.
        let (now, leeway) =
            (now.milliseconds() as f64 / 1000.0, self.leeway_milliseconds as f64 / 1000.0);
        if claims.exp + leeway <= now {
            return Err(AccessDenied::Unauthenticated("the token has expired"));
        }
        if claims.nbf.is_some_and(|from| from > now + leeway) {
            return Err(AccessDenied::Unauthenticated("the token is not valid yet"));
        }
        Ok(())
    }
}

/// Claims decide alone where there are any: a token that says who its bearer is, is not asked
/// again.
fn caller(claims: Claims) -> Caller {
    let said: Vec<&Value> = [&claims.role, &claims.roles]
        .into_iter()
        .flatten()
        .filter(|value| !value.is_null())
        .collect();
    if said.is_empty() {
        return Caller::as_stored(claims.sub);
    }
    let grants = grants_of_roles(said, &claims.sub);
    Caller::holding(claims.sub, grants)
}

fn because(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not its key's",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks a claim",
        _ => "the token cannot be read",
    }
}

fn parse_file(path: &Path, _: &Metadata, text: &str) -> Result<IssuerKeys, AccessError> {
    let no_set = |error: serde_json::Error| AccessError::IssuerKeys {
        from: path.display().to_string(),
        why: error.to_string(),
    };
    IssuerKeys::parse(text).map_err(no_set)
}

fn require(file: &WatchedFile<IssuerKeys>) -> Result<std::sync::Arc<IssuerKeys>, AccessError> {
    let gone = || AccessError::IssuerKeys {
        from: file.path().display().to_string(),
        why: "there is no such file".to_owned(),
    };
    file.read()?.ok_or_else(gone)
}
