//! The binary encoding: the one file that knows bincode. Owns the frozen configuration; what is encoded is `v1`'s.
//!
//! bincode 2.0.1, `config::standard()`: little-endian, variable-length integers, signed ones zig-zagged, lengths before
//! strings and lists, enum variants by index. bincode is no longer maintained; the golden bytes under `tests/golden`
//! freeze what it writes, so that another implementation of the same few rules can take its place here.

use bincode::config::Configuration;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;

const FROZEN: Configuration = bincode::config::standard();

/// Appends the encoding of `value` to `out`.
///
/// # Errors
/// None in practice: the stored types have no shape that bincode refuses, and memory takes every byte.
pub fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    match bincode::serde::encode_into_std_write(value, out, FROZEN) {
        Ok(_bytes) => Ok(()),
        Err(source) => Err(DecodeError::Binary(Box::new(source))),
    }
}

/// Reads a value that fills `bytes` exactly; strings and byte strings in it borrow from them.
///
/// # Errors
/// When the bytes are too few, too many, or no encoding of a `T`.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let (value, used) = read_some(bytes)?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing { bytes: bytes.len() - used })
    }
}

/// Reads a value from the beginning of `bytes`, and how many bytes it has.
///
/// # Errors
/// When the bytes are too few, or no encoding of a `T`.
pub(crate) fn read_some<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, usize), DecodeError> {
    bincode::serde::borrow_decode_from_slice(bytes, FROZEN)
        .map_err(|source| DecodeError::Binary(Box::new(source)))
}
