//! Keys: the secret signing key of a log, and its public verifier key.
//!
//! The text forms are those of the `note` tools: `PRIVATE+KEY+name+hash+base64` and
//! `name+hash+base64`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use signed_note::{StandardSigner, StandardVerifier, Verifier as _};

use crate::error::KeyError;

/// The algorithm byte of Ed25519 in both text forms.
const ED25519: u8 = 1;

/// An Ed25519 key that signs checkpoints. `Debug` does not show the secret.
#[derive(Clone)]
pub struct SigningKey {
    text: String,
    signer: StandardSigner,
    verifier: VerifierKey,
}

impl SigningKey {
    /// Generates a key. Its name never changes.
    ///
    /// # Errors
    /// If the name is not valid for a key.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let bad_name = || KeyError::Name(name.to_owned());
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(bad_name());
        }
        let (text, verifier) = signed_note::generate_key(&mut rand_core::OsRng, name);
        let signer = StandardSigner::new(&text).map_err(|_| bad_name())?;
        Ok(Self { text, signer, verifier: verifier.parse()? })
    }

    /// Returns the secret key as text, for the file that stores it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the verifier key of this key.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn signer(&self) -> &StandardSigner {
        &self.signer
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let signer = StandardSigner::new(text).map_err(|_| KeyError::Signing)?;
        let parts: Vec<&str> = text.splitn(5, '+').collect();
        let [_, _, name, _, key] = parts.as_slice() else { return Err(KeyError::Signing) };
        let seed: [u8; 33] = BASE64_STANDARD
            .decode(key)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(KeyError::Signing)?;
        let [ED25519, seed @ ..] = seed else { return Err(KeyError::Signing) };
        let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
        let verifier = signed_note::new_ed25519_verifier_key(name, &public).parse()?;
        Ok(Self { text: text.to_owned(), signer, verifier })
    }
}

/// A public key that verifies the signatures of one signing key.
#[derive(Clone)]
pub struct VerifierKey {
    text: String,
    verifier: StandardVerifier,
}

impl VerifierKey {
    /// Returns the name of the key.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    pub(crate) fn verifier(&self) -> &StandardVerifier {
        &self.verifier
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VerifierKey {}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let refused = || KeyError::Verifier(text.to_owned());
        let verifier = StandardVerifier::new(text).map_err(|_| refused())?;
        // A hash in upper case would be the same key in other bytes.
        let hash = text.split('+').nth(1).ok_or_else(refused)?;
        if format!("{:08x}", verifier.key_id()) != hash || text.chars().any(char::is_control) {
            return Err(refused());
        }
        Ok(Self { text: text.to_owned(), verifier })
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
