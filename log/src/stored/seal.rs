//! Event bodies with encrypted ("sealed") personal content. This module defines which data the
//! encryption authenticates. `keyring` has the cipher and the keys, `body` the layout of the event.
//!
//! | bytes | part of a stored body |
//! | --- | --- |
//! | … | the event: see `body`; its personal field is either clear, sealed or erased |
//! | 12 | only when sealed: the nonce |
//! | … | only when sealed: the personal content, UTF-8, under the key of the stream's owner |
//! | 16 | only when sealed: the tag, bound to `rollbook 1`, NUL, the stream's name, NUL, and the event above |
//!
//! A sealed value therefore opens only in its own stream, in an event of the same kind with the
//! same id, week and other plain fields. Position, version and time of record are unknown when the
//! value is sealed and are not authenticated here; the record's checksum and the Merkle tree
//! protect them.

use rollbook_domain::Event;

use super::binary;
use super::body::{Body, StoredPersonal};
use super::mirrored::StoredForm as _;
use crate::error::DecodeError;
use crate::keyring::Opening;
use crate::keyring::aead::{NONCE_BYTES, NonceBytes, SecretKey, TAG_BYTES};

/// Buffers that sealing and opening reuse.
#[derive(Default)]
pub(crate) struct Scratch {
    bound: Vec<u8>,
    text: Vec<u8>,
}

impl Scratch {
    fn bind(&mut self, stream: &str, event: &[u8]) {
        const BOUND_TO: &[u8] = b"rollbook 1\0";
        self.bound.clear();
        self.bound.reserve(BOUND_TO.len() + stream.len() + 1 + event.len());
        self.bound.extend_from_slice(BOUND_TO);
        self.bound.extend_from_slice(stream.as_bytes());
        self.bound.push(0);
        self.bound.extend_from_slice(event);
    }
}

/// Whether an event has personal content to seal.
pub(crate) fn has_personal(event: &Event) -> bool {
    matches!(event.to_form().personal(), Some(StoredPersonal::Clear(_)))
}

/// How much larger sealing makes a body, at most, in bytes.
pub(crate) const SEALING_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// The size of an event's body before sealing, in bytes. Copies nothing.
pub(crate) fn body_bytes(event: &Event) -> Result<usize, DecodeError> {
    binary::size(&event.to_form())
}

/// Appends an event's body to `out`. Seals its personal content if there is a key.
pub(crate) fn write_body(
    event: &Event,
    stream: &str,
    sealing: Option<(&SecretKey, NonceBytes)>,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let mut form = event.to_form();
    let mut sealed = None;
    if let (Some(sealing), Some(personal)) = (sealing, form.personal())
        && let StoredPersonal::Clear(text) = *personal
    {
        *personal = StoredPersonal::Sealed;
        sealed = Some((sealing, text));
    }
    let start = out.len();
    binary::write(&form, out)?;
    let Some(((key, nonce), text)) = sealed else { return Ok(()) };
    scratch.bind(stream, out.get(start..).unwrap_or_default());
    out.reserve(NONCE_BYTES + text.len() + TAG_BYTES);
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    let tag = key
        .seal(nonce, &scratch.bound, out.get_mut(start..).unwrap_or_default())
        .map_err(|_| DecodeError::Unsealable)?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// Reads an event's body without a keyring: sealed content reads as erased.
pub(super) fn read_body_unopened(
    version: u8,
    stream: &str,
    bytes: &[u8],
) -> Result<Event, DecodeError> {
    match version {
        1 => read_body(bytes, stream, &Opening::Unopened, &mut Scratch::default()),
        _ => Err(DecodeError::Leaf("its body has a version that only a newer rollbook reads")),
    }
}

/// Reads an event's body. Opens sealed content if there is a key.
pub(crate) fn read_body(
    bytes: &[u8],
    stream: &str,
    opening: &Opening,
    scratch: &mut Scratch,
) -> Result<Event, DecodeError> {
    let (mut form, used) = binary::read_some::<Body<'_>>(bytes)?;
    let (event, sealed) = bytes.split_at_checked(used).ok_or(DecodeError::Trailing { bytes: 0 })?;
    let is_sealed = matches!(form.personal(), Some(StoredPersonal::Sealed));
    if !is_sealed && !sealed.is_empty() {
        return Err(DecodeError::Trailing { bytes: sealed.len() });
    }
    match opening {
        Opening::Key(key) if is_sealed => {
            scratch.bind(stream, event);
            let (nonce, sealed) =
                sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DecodeError::DoesNotOpen)?;
            scratch.text.clear();
            scratch.text.extend_from_slice(sealed);
            let text = key
                .open(*nonce, &scratch.bound, &mut scratch.text)
                .map_err(|_| DecodeError::DoesNotOpen)?;
            let text = std::str::from_utf8(text).map_err(|_| DecodeError::DoesNotOpen)?;
            return read_with(form, text);
        }
        Opening::NoKey | Opening::Nobody if is_sealed => {
            return Err(DecodeError::NoKey { stream: stream.to_owned() });
        }
        Opening::Erased => {
            if is_sealed && sealed.len() < NONCE_BYTES + TAG_BYTES {
                return Err(DecodeError::DoesNotOpen);
            }
            if let Some(personal) = form.personal() {
                *personal = StoredPersonal::Erased;
            }
            return Ok(match Event::from_form(form)? {
                erasure @ Event::ClientErased { .. } => erasure,
                event => Event::Erased(Box::new(event)),
            });
        }
        Opening::Key(_) | Opening::NoKey | Opening::Nobody | Opening::Unopened => {}
    }
    Event::from_form(form)
}

fn read_with<'t>(mut form: Body<'t>, text: &'t str) -> Result<Event, DecodeError> {
    if let Some(personal) = form.personal() {
        *personal = StoredPersonal::Clear(text);
    }
    Event::from_form(form)
}
