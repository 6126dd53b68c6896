//! The settings of access control, and which combinations are valid. `configuration` reads their
//! values.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::AccessError;

/// How far two clocks may be apart, unless a setting says otherwise.
pub const LEEWAY_MILLISECONDS: u64 = 30_000;
/// Where every Firebase project's tokens have their keys.
const FIREBASE_JWKS: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

/// Whose tokens are accepted: the section `access` of the settings. Without issuer, audience and
/// JWKS no token is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessSettings {
    /// A Firebase project whose tokens are accepted: stands for issuer, audience and JWKS where
    /// they are not set.
    pub firebase_project: Option<String>,
    /// The `iss` that tokens must have.
    pub issuer: Option<String>,
    /// The `aud` that tokens must have, or have among others.
    pub audience: Option<String>,
    /// The issuer's keys (JWKS), from a URL: https, or http on this machine.
    pub jwks_url: Option<String>,
    /// The issuer's keys (JWKS), from a file, which is read again when it changes.
    pub jwks_file: Option<PathBuf>,
    /// How far the issuer's clock may be from this one.
    #[serde(rename = "leeway")]
    pub leeway_milliseconds: u64,
}

impl Default for AccessSettings {
    fn default() -> Self {
        let (firebase_project, issuer, audience, jwks_url, jwks_file) = Default::default();
        Self {
            firebase_project,
            issuer,
            audience,
            jwks_url,
            jwks_file,
            leeway_milliseconds: LEEWAY_MILLISECONDS,
        }
    }
}

/// What tokens must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenRules {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) jwks: JwksFrom,
    pub(super) leeway_milliseconds: u64,
}

/// Where the issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JwksFrom {
    File(PathBuf),
    Url(String),
}

impl AccessSettings {
    /// Settings that contradict each other: the setting to blame, and why.
    pub(crate) fn contradiction(&self) -> Option<(&'static str, String)> {
        match self.token_rules() {
            Err(AccessError::Settings { key, reason }) => Some((key, reason)),
            _ => None,
        }
    }

    /// What tokens must be; `None` when no token is accepted.
    pub(super) fn token_rules(&self) -> Result<Option<TokenRules>, AccessError> {
        let project = self.firebase_project.as_ref();
        let issuer = self
            .issuer
            .clone()
            .or_else(|| project.map(|id| format!("https://securetoken.google.com/{id}")));
        let audience = self.audience.clone().or_else(|| project.cloned());
        let jwks = match (&self.jwks_file, &self.jwks_url) {
            (Some(_), Some(_)) => {
                return wrong(
                    "access.jwks_file",
                    "is given beside access.jwks_url; keys come from one place, take one away",
                );
            }
            (Some(file), None) => Some(JwksFrom::File(file.clone())),
            (None, Some(url)) => Some(JwksFrom::Url(url.clone())),
            (None, None) => project.map(|_| JwksFrom::Url(FIREBASE_JWKS.to_owned())),
        };
        match (issuer, audience, jwks) {
            (None, None, None) => Ok(None),
            (None, ..) => wrong(
                "access.issuer",
                "is not set, and tokens need an issuer, an audience and keys together; set it too",
            ),
            (_, None, _) => wrong(
                "access.audience",
                "is not set, and tokens need an issuer, an audience and keys together; set it too",
            ),
            (.., None) => wrong(
                "access.jwks_url",
                "is not set, nor is access.jwks_file, and tokens need their issuer's keys; set one of them too",
            ),
            (.., Some(JwksFrom::Url(url))) if !is_safe(&url) => wrong(
                "access.jwks_url",
                "is neither https nor http from this machine itself: others could put their own keys there; use https",
            ),
            (Some(issuer), Some(audience), Some(jwks)) => Ok(Some(TokenRules {
                issuer,
                audience,
                jwks,
                leeway_milliseconds: self.leeway_milliseconds,
            })),
        }
    }
}

fn wrong<T>(key: &'static str, reason: &str) -> Result<T, AccessError> {
    Err(AccessError::Settings { key, reason: reason.to_owned() })
}

/// Keys that anybody on the way could replace are no keys.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default();
    match url.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => super::is_loopback_host(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut AccessSettings)) -> Result<Option<TokenRules>, AccessError> {
        let mut settings = AccessSettings::default();
        change(&mut settings);
        settings.token_rules()
    }

    #[test]
    fn a_firebase_project_is_all_it_takes() {
        let rules =
            with(|settings| settings.firebase_project = Some("demo".to_owned())).unwrap().unwrap();
        assert_eq!(
            (rules.issuer.as_str(), rules.audience.as_str()),
            ("https://securetoken.google.com/demo", "demo")
        );
        assert_eq!(rules.jwks, JwksFrom::Url(FIREBASE_JWKS.to_owned()));
        assert_eq!(rules.leeway_milliseconds, LEEWAY_MILLISECONDS);
    }

    #[test]
    fn nothing_set_accepts_no_token_and_half_set_is_refused_by_name() {
        assert_eq!(with(|_| {}).unwrap(), None);
        let blamed = |change: fn(&mut AccessSettings)| match with(change).unwrap_err() {
            AccessError::Settings { key, .. } => key,
            other => panic!("{other}"),
        };
        assert_eq!(blamed(|settings| settings.issuer = Some("i".to_owned())), "access.audience");
        assert_eq!(blamed(|settings| settings.audience = Some("a".to_owned())), "access.issuer");
        assert_eq!(
            blamed(|settings| settings.jwks_url = Some("https://example.com".to_owned())),
            "access.issuer"
        );
        assert_eq!(
            blamed(|settings| {
                (settings.issuer, settings.audience) = (Some("i".to_owned()), Some("a".to_owned()));
            }),
            "access.jwks_url"
        );
        assert_eq!(
            blamed(|settings| {
                settings.firebase_project = Some("demo".to_owned());
                settings.jwks_url = Some("http://example.com/".to_owned());
            }),
            "access.jwks_url"
        );
        assert_eq!(
            blamed(|settings| {
                settings.jwks_url = Some("https://example.com/".to_owned());
                settings.jwks_file = Some("keys.json".into());
            }),
            "access.jwks_file"
        );
    }

    #[test]
    fn keys_come_by_https_or_from_this_machine() {
        for url in [
            "https://example.com/keys",
            "http://127.0.0.1:99/keys",
            "http://localhost/keys",
            "http://[::1]:9/keys",
        ] {
            assert!(is_safe(url), "{url}");
        }
        for url in [
            "http://example.com/keys",
            "ftp://example.com",
            "file:///etc/passwd",
            "keys.json",
            "",
            "https://",
            "http://127.0.0.1@example.com/",
            "http://127.0.0.1:80@example.com/",
        ] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
