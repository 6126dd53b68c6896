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

/// A stored form that owns no text and no bytes: all of them borrow from the encoded bytes. bincode
/// reserves the claimed length of an owned text before it reads it, so only such a form is read from
/// bytes that may be forged. A list reserves at most 1 MiB before its elements are read.
pub(super) trait BorrowsText {}

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

/// Reads a stored form that fills `bytes` exactly.
///
/// # Errors
/// If there are too few or too many bytes, or they do not encode a `T`.
pub(super) fn read<'a, T: Deserialize<'a> + BorrowsText>(
    bytes: &'a [u8],
) -> Result<T, DecodeError> {
    all_of(decode(bytes)?, bytes)
}

/// Reads a stored form from the beginning of `bytes`. Also returns how many bytes it takes.
///
/// # Errors
/// If there are too few bytes, or they do not encode a `T`.
pub(super) fn read_some<'a, T: Deserialize<'a> + BorrowsText>(
    bytes: &'a [u8],
) -> Result<(T, usize), DecodeError> {
    decode(bytes)
}

/// Reads a value that this node encoded itself, such as a projection's row, and that fills `bytes`
/// exactly. It does not limit the memory that a claimed length reserves.
///
/// # Errors
/// If there are too few or too many bytes, or they do not encode a `T`.
pub fn read_own<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    all_of(decode(bytes)?, bytes)
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), DecodeError> {
    bincode::serde::borrow_decode_from_slice(bytes, FROZEN)
        .map_err(|source| DecodeError::Binary(Box::new(source)))
}

fn all_of<T>((value, used): (T, usize), bytes: &[u8]) -> Result<T, DecodeError> {
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing { bytes: bytes.len() - used })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Form<'a> {
        text: &'a str,
        #[serde(borrow)]
        list: Vec<&'a str>,
        numbers: Vec<u64>,
    }

    impl BorrowsText for Form<'_> {}

    /// A length as bincode writes it: 253 and eight bytes.
    fn claimed(before: &[u8], length: u64) -> Vec<u8> {
        let mut bytes = before.to_vec();
        bytes.push(253);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(b"text");
        bytes
    }

    #[test]
    fn a_claimed_length_reserves_no_memory() {
        for length in [5, 1 << 20, 1 << 32, 1 << 45, u64::MAX / 2, u64::MAX] {
            for before in [&[][..], &[0], &[0, 0], &[0, 1]] {
                assert!(read::<Form<'_>>(&claimed(before, length)).is_err(), "{length}");
            }
        }
    }

    #[test]
    fn long_values_are_read_back() {
        for length in [0, 250, 251, 65_535, 65_536, 3 << 20] {
            let text = "t".repeat(length);
            let form = Form { text: &text, list: vec![&text; 2], numbers: vec![1; length / 8] };
            let mut bytes = Vec::new();
            write(&form, &mut bytes).unwrap();
            assert_eq!(size(&form).unwrap(), bytes.len());
            assert_eq!(read::<Form<'_>>(&bytes).unwrap(), form);
        }
    }
}
