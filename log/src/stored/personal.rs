//! Version 1 of a stored event: the layout of personal content. Variants are never reordered.

use serde::{Deserialize, Serialize};

/// Personal content. An event has at most one field of this type.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum StoredPersonal<'a> {
    /// Plain text: in streams without a key, and in stores that were created unsealed.
    Clear(&'a str),
    /// Encrypted: the content follows the body; see `seal`.
    Sealed,
    /// The content was already erased when the event was stored.
    Erased,
}
