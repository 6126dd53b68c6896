//! RocksDB's journals: write-ahead logs and manifests, which have one format. Owns reading it to the very end.
//!
//! A journal consists of blocks of 32 KiB. In a block stand fragments, each with a header: checksum u32, length u16, type u8, and for
//! some types the journal's number u32, all little-endian. The checksum is CRC-32C, masked, over all from the type on. Less than a header at a
//! block's end is filled with zeros.

use std::io::Read;

use super::Unsound;

const BLOCK_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;

/// Reads a journal from end to end.
pub(super) fn check(mut file: impl Read) -> Result<(), Unsound> {
    let mut offset = 0;
    loop {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        file.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        check_block(&block, offset)?;
        offset += block.len() as u64;
        if block.len() < BLOCK_BYTES {
            return Ok(());
        }
    }
}

fn check_block(block: &[u8], offset: u64) -> Result<(), Unsound> {
    let mut rest = block;
    while !rest.is_empty() {
        let at = offset + (block.len() - rest.len()) as u64;
        let damaged = |what: &str| Unsound::Damaged((at, what.to_owned()));
        // At the end of a block, or where a file was made larger than what was written to it.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let unfinished = || damaged("it ends in the middle of a record: a write was interrupted, or its end was changed");
        let (header, body) = rest.split_first_chunk::<HEADER_BYTES>().ok_or_else(unfinished)?;
        let [c0, c1, c2, c3, l0, l1, kind] = *header;
        let length = usize::from(u16::from_le_bytes([l0, l1])) + if is_numbered(kind) { 4 } else { 0 };
        let (body, next) = body.split_at_checked(length).ok_or_else(unfinished)?;
        let found = masked(crc32c::crc32c_append(crc32c::crc32c(&[kind]), body));
        if found != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(damaged("the checksum of a record does not hold"));
        }
        rest = next;
    }
    Ok(())
}

/// Whether fragments of this type have the journal's number in their header.
fn is_numbered(kind: u8) -> bool {
    matches!(kind, 5..=8 | 11 | 131)
}

/// As RocksDB stores a CRC of data that may itself hold CRCs.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}
