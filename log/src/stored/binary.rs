//! The binary encoding. This is the only file that uses bincode, with a frozen configuration.
//!
//! bincode 2.0.1, `config::standard()`: little-endian, variable-length integers, signed ones
//! zig-zagged, lengths before strings and lists, enum variants by index. bincode is no longer
//! maintained. The golden bytes under `tests/golden` freeze its output, so that another
//! implementation of the same few rules can replace it here.

use bincode::config::Configuration;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;

const FROZEN: Configuration = bincode::config::standard();

/// Appends the encoding of `value` to `out`.
///
/// # Errors
/// None in practice: bincode supports every stored type, and writing to memory does not fail.
pub fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    match bincode::serde::encode_into_std_write(value, out, FROZEN) {
        Ok(_bytes) => Ok(()),
        Err(source) => Err(DecodeError::Binary(Box::new(source))),
    }
}

/// Reads a value that fills `bytes` exactly. Its strings and byte strings borrow from them.
///
/// # Errors
/// When there are too few or too many bytes, or they do not encode a `T`.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let (value, used) = read_some(bytes)?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing { bytes: bytes.len() - used })
    }
}

/// Reads a value from the beginning of `bytes`. Also returns how many bytes it takes.
///
/// # Errors
/// When there are too few bytes, or they do not encode a `T`.
pub(crate) fn read_some<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, usize), DecodeError> {
    bincode::serde::borrow_decode_from_slice(bytes, FROZEN)
        .map_err(|source| DecodeError::Binary(Box::new(source)))
}
