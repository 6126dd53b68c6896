//! The cipher: AES-256-GCM of ring. Owns keys in memory, nonces and what is bound to a sealed value; where keys are kept is `file`'s,
//! what is sealed `stored::seal`'s. See `docs/erasure.md` for the choice.
//!
//! Nonces are 96 random bits under a key that belongs to one client: a million values of one client collide with a probability below
//! 2⁻⁵⁷. The bound of the mode, 2³² values a key, is out of reach of anything one client does.

use std::cell::RefCell;
use std::sync::OnceLock;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Bytes of an authentication tag.
pub(crate) const TAG_BYTES: usize = 16;

/// A nonce; drawn anew for every value.
pub(crate) type NonceBytes = [u8; NONCE_BYTES];

/// Something that does not open: another key, or other bytes than were sealed.
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

/// How many nonces a thread draws with one call of the operating system, which takes as long as sealing a value does. Whoever resumes one
/// image of a process's memory twice lets both use the nonces that were left in it, fewer than this a thread.
const NONCES_AT_A_TIME: usize = 32;

thread_local! {
    /// Drawn by this thread and not used yet.
    static DRAWN: RefCell<Vec<NonceBytes>> = const { RefCell::new(Vec::new()) };
}

/// A nonce that nothing else has.
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

/// A key, for a client's values or for wrapping others. Its schedule is made when it is first used: 0.5 KiB.
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

    /// Seals `text` where it stands, bound to `bound`; the tag.
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

    /// Opens a sealed value with its tag behind it, where it stands.
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
        // Keeps the zeros from being left out as dead stores.
        std::hint::black_box(&self.bytes);
    }
}
