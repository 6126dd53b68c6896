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

const SMALL_BYTES: usize = 64 << 10;
const LARGE_BYTES: usize = 64 << 20;

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

/// The number of bytes that [`write`] appends. Copies nothing.
pub(crate) fn size<T: Serialize>(value: &T) -> Result<usize, DecodeError> {
    bincode::serde::encode_into_std_write(value, &mut std::io::sink(), FROZEN)
        .map_err(|source| DecodeError::Binary(Box::new(source)))
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

/// Reads a value that this node encoded itself, such as a projection's row. It does not limit the
/// memory that a claimed length reserves, which saves a check for each number and text.
///
/// # Errors
/// As [`read`].
pub fn read_own<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let (value, used) = bincode::serde::borrow_decode_from_slice(bytes, FROZEN)
        .map_err(|source| DecodeError::Binary(Box::new(source)))?;
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
    // Text reserves its claimed length before it is read, so the claims need a limit. A byte counts
    // as up to 16 bytes of it, in a u128.
    let read = if bytes.len() <= SMALL_BYTES {
        let limited = FROZEN.with_limit::<{ 16 * SMALL_BYTES }>();
        bincode::serde::borrow_decode_from_slice(bytes, limited)
    } else if bytes.len() <= LARGE_BYTES {
        let limited = FROZEN.with_limit::<{ 16 * LARGE_BYTES }>();
        bincode::serde::borrow_decode_from_slice(bytes, limited)
    } else {
        bincode::serde::borrow_decode_from_slice(bytes, FROZEN)
    };
    read.map_err(|source| DecodeError::Binary(Box::new(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length as bincode writes it: 253 and eight bytes.
    fn claimed(length: u64) -> Vec<u8> {
        let mut bytes = vec![253];
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(b"text");
        bytes
    }

    #[test]
    fn a_claimed_length_reserves_no_memory() {
        for length in [5, 1 << 20, 1 << 32, 1 << 45, u64::MAX / 2, u64::MAX] {
            let bytes = claimed(length);
            assert!(read::<String>(&bytes).is_err(), "{length}");
            assert!(read::<&str>(&bytes).is_err(), "{length}");
            assert!(read::<Vec<u64>>(&bytes).is_err(), "{length}");
            assert!(read::<Vec<String>>(&bytes).is_err(), "{length}");
            assert!(read::<std::collections::BTreeMap<String, u64>>(&bytes).is_err(), "{length}");
        }
    }

    #[test]
    fn long_values_are_read_back() {
        for length in [SMALL_BYTES - 8, SMALL_BYTES, SMALL_BYTES + 1, 3 << 20] {
            let (numbers, text) = (vec![1_u128; length / 8], "t".repeat(length));
            let mut bytes = Vec::new();
            write(&(&numbers, &text), &mut bytes).unwrap();
            assert_eq!(size(&(&numbers, &text)).unwrap(), bytes.len());
            assert_eq!(read::<(Vec<u128>, String)>(&bytes).unwrap(), (numbers, text));
        }
    }
}
