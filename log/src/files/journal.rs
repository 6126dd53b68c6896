//! RocksDB's journals: write-ahead logs and manifests, which have one format. Owns reading it to the very end.
//!
//! A journal consists of blocks of 32 KiB. In a block stand fragments, each with a header: checksum u32, length u16, type u8, all
//! little-endian. The checksum is CRC-32C, masked, over type and content, and not over the length. Less than a header at a block's end
//! is filled with zeros.
//!
//! RocksDB does not see all that can be wrong with one: see `check_block`.

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

/// Checks the fragments of a block. Two kinds of damage RocksDB (11.8) takes for something else:
///
/// - A type that only journals have which are written over again (ours never are) makes it drop the journal in silence, or read the
///   same bytes for ever (<https://github.com/facebook/rocksdb/issues/13333>).
/// - A length that leads beyond the end looks like a write that was interrupted, and what follows is dropped in silence. But where
///   the write was interrupted, the checksum holds for no part of what is there.
fn check_block(block: &[u8], offset: u64) -> Result<(), Unsound> {
    let mut rest = block;
    while !rest.is_empty() {
        let at = offset + (block.len() - rest.len()) as u64;
        let damaged = |what: &str| Err(Unsound::Damaged((at, what.to_owned())));
        let unfinished = || Err(Unsound::Unfinished(at));
        // At the end of a block, or where a file was made larger than what was written to it.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let Some((header, body)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            return unfinished();
        };
        let [c0, c1, c2, c3, l0, l1, kind] = *header;
        if is_of_reused_journal(kind) {
            return damaged("a record is of a type that is never written");
        }
        let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
        let begun = crc32c::crc32c(&[kind]);
        let Some((body, next)) = body.split_at_checked(usize::from(u16::from_le_bytes([l0, l1])))
        else {
            return if holds_for_a_part(checksum, begun, body) {
                damaged("the length of a record is not its own")
            } else {
                unfinished()
            };
        };
        if masked(crc32c::crc32c_append(begun, body)) != checksum {
            return damaged("the checksum of a record does not hold");
        }
        rest = next;
    }
    Ok(())
}

/// Whether fragments of this type have the journal's number in their header, as RocksDB writes where it uses a file again.
fn is_of_reused_journal(kind: u8) -> bool {
    matches!(kind, 5..=8 | 11 | 131)
}

/// Whether the checksum is that of some beginning of the content.
fn holds_for_a_part(checksum: u32, begun: u32, content: &[u8]) -> bool {
    let mut crc = begun;
    masked(crc) == checksum
        || content.chunks(1).any(|byte| {
            crc = crc32c::crc32c_append(crc, byte);
            masked(crc) == checksum
        })
}

/// As RocksDB stores a CRC of data that may itself hold CRCs.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}
