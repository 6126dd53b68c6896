//! The cipher: AES-256-GCM from the crate `ring`, with keys in memory and nonces. `docs/erasure.md`
//! gives the reasons for the choice.
//!
//! Nonces are 96 random bits, and a key belongs to one client: among a million values of one
//! client, two nonces are equal with a probability below 2⁻⁵⁷. No client reaches the limit of the
//! mode, 2³² values per key.

use std::cell::RefCell;
use std::sync::OnceLock;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Bytes of an authentication tag.
pub(crate) const TAG_BYTES: usize = 16;

/// A nonce. Every value gets a new one.
pub(crate) type NonceBytes = [u8; NONCE_BYTES];

/// A value does not open: the key is wrong, or the bytes were changed.
#[derive(Debug)]
pub(crate) struct DoesNotOpen;

/// The operating system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoRandomness;

/// Fills bytes with random numbers of the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    use ring::rand::SecureRandom as _;
    ring::rand::SystemRandom::new().fill(bytes).map_err(|_unspecified| NoRandomness)
}

/// The number of nonces that a thread draws at a time, because a call of the operating system takes
/// as long as sealing a value. If one memory image of a process is resumed twice, both copies use
/// the nonces left in it, fewer than this number per thread.
const NONCES_AT_A_TIME: usize = 32;

thread_local! {
    /// The nonces that this thread has drawn and not used yet.
    static DRAWN: RefCell<Vec<NonceBytes>> = const { RefCell::new(Vec::new()) };
}

/// A nonce that is used only once.
pub(crate) fn random_nonce() -> Result<NonceBytes, NoRandomness> {
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            let mut fresh = [[0; NONCE_BYTES]; NONCES_AT_A_TIME];
            fill_random(fresh.as_flattened_mut())?;
            drawn.extend(fresh);
        }
        drawn.pop().ok_or(NoRandomness)
    })
}

/// A key for a client's values or for wrapping other keys. The key schedule, 0.5 KiB, is computed
/// on first use.
pub(crate) struct SecretKey {
    bytes: [u8; KEY_BYTES],
    schedule: OnceLock<Option<Box<LessSafeKey>>>,
}

impl SecretKey {
    pub(crate) fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self { bytes, schedule: OnceLock::new() }
    }

    pub(crate) fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; KEY_BYTES];
        fill_random(&mut bytes)?;
        Ok(Self::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    fn schedule(&self) -> Option<&LessSafeKey> {
        // A key of the right length is always accepted.
        let made = || {
            UnboundKey::new(&AES_256_GCM, &self.bytes)
                .ok()
                .map(|key| Box::new(LessSafeKey::new(key)))
        };
        self.schedule.get_or_init(made).as_deref()
    }

    /// Seals `text` in place and authenticates `bound` with it. Returns the tag.
    pub(crate) fn seal(
        &self,
        nonce: NonceBytes,
        bound: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], DoesNotOpen> {
        let schedule = self.schedule().ok_or(DoesNotOpen)?;
        let sealed = schedule.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound),
            text,
        );
        sealed.ok().and_then(|tag| tag.as_ref().try_into().ok()).ok_or(DoesNotOpen)
    }

    /// Opens in place a sealed value that is followed by its tag.
    pub(crate) fn open<'t>(
        &self,
        nonce: NonceBytes,
        bound: &[u8],
        sealed: &'t mut [u8],
    ) -> Result<&'t mut [u8], DoesNotOpen> {
        let schedule = self.schedule().ok_or(DoesNotOpen)?;
        schedule
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(bound), sealed)
            .map_err(|_unspecified| DoesNotOpen)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.bytes.fill(0);
        // Prevents the compiler from removing the writes above as dead stores.
        std::hint::black_box(&self.bytes);
    }
}
