//! Issuers of tokens for tests, with keys that are generated on the spot. The tests here and those
//! of the built service use them.

use std::sync::OnceLock;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use p256::pkcs8::EncodePrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::OsRng;
use serde_json::Value;

/// An issuer with one key.
#[derive(Clone)]
pub struct Issuer {
    pub kid: String,
    pub algorithm: Algorithm,
    pub key: EncodingKey,
}

impl Issuer {
    /// With a new P-256 key.
    pub fn elliptic(kid: &str) -> Self {
        let secret = p256::SecretKey::random(&mut OsRng);
        let key = EncodingKey::from_ec_der(secret.to_pkcs8_der().unwrap().as_bytes());
        Self { kid: kid.to_owned(), algorithm: Algorithm::ES256, key }
    }

    /// With an RSA key of this run; making one takes a while.
    pub fn rsa(kid: &str) -> Self {
        static KEY: OnceLock<EncodingKey> = OnceLock::new();
        Self {
            kid: kid.to_owned(),
            algorithm: Algorithm::RS256,
            key: KEY.get_or_init(|| Self::rsa_key(2048)).clone(),
        }
    }

    /// A new RSA key of so many bits.
    pub fn rsa_key(bits: usize) -> EncodingKey {
        let secret = rsa::RsaPrivateKey::new(&mut OsRng, bits).unwrap();
        EncodingKey::from_rsa_der(secret.to_pkcs1_der().unwrap().as_bytes())
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).unwrap()
    }

    /// A token that says this.
    pub fn token(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        encode(&header, claims, &self.key).unwrap()
    }
}
