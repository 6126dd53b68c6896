//! Reads an issuer's key set (JWKS). It accepts RSA keys of at least 2048 bits for RS256 and P-256
//! keys for ES256. It skips all others, so that one unusual key does not lock everybody out.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Shorter RSA keys can be factored.
const SHORTEST_MODULUS_BYTES: usize = 256;

/// One key that can check signatures.
#[derive(Clone, Debug)]
pub(super) struct IssuerKey {
    kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The usable keys of an issuer.
#[derive(Clone, Debug, Default)]
pub(super) struct IssuerKeys(Vec<IssuerKey>);

impl IssuerKeys {
    /// Reads a JWKS.
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_str(text)?;
        Ok(Self(
            set.keys
                .into_iter()
                .filter_map(|key| usable(&serde_json::from_value(key).ok()?))
                .collect(),
        ))
    }

    /// The key with this id.
    pub(super) fn get(&self, kid: &str) -> Option<&IssuerKey> {
        self.0.iter().find(|key| key.kid == kid)
    }
}

fn usable(jwk: &Jwk) -> Option<IssuerKey> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(parameters)
            if parameters.curve == EllipticCurve::P256 =>
        {
            Algorithm::ES256
        }
        _ => return None,
    };
    let named = jwk.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    let signs = jwk
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty())?;
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (named && signs && is_long_enough(&key)).then_some(IssuerKey { kid, algorithm, key })
}

fn is_long_enough(key: &DecodingKey) -> bool {
    match key.kind() {
        jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, .. } => {
            n.iter().skip_while(|byte| **byte == 0).count() >= SHORTEST_MODULUS_BYTES
        }
        jsonwebtoken::DecodingKeyKind::SecretOrDer(_) => true,
    }
}
