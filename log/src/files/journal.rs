//! RocksDB's journals: write-ahead logs and manifests, which have the same format.
//!
//! A journal consists of blocks of 32 KiB. A block consists of fragments. Each fragment has a
//! header: checksum u32, length u16, type u8, all little-endian. The checksum is a masked CRC-32C
//! over type and content, but not over the length. If a block's end is shorter than a header, it is
//! filled with zeros.
//!
//! RocksDB misses some kinds of damage: see `check_block`.

use std::io::Read;

use super::Unsound;

const BLOCK_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;

/// Checks a complete journal.
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

/// Checks the fragments of a block. RocksDB 11.8 misinterprets two kinds of damage:
///
/// - A fragment type of recycled journals, which this crate never uses. RocksDB silently drops the
///   journal, or reads the same bytes forever (<https://github.com/facebook/rocksdb/issues/13333>).
/// - A length beyond the end of the file. RocksDB takes it for an interrupted write and silently
///   drops what follows. After a write that really was interrupted, the checksum matches no part of
///   the content.
fn check_block(block: &[u8], offset: u64) -> Result<(), Unsound> {
    let mut rest = block;
    while !rest.is_empty() {
        let at = offset + (block.len() - rest.len()) as u64;
        let damaged = |what: &str| Err(Unsound::Damaged((at, what.to_owned())));
        let unfinished = || Err(Unsound::Unfinished(at));
        // The padding of a block, or the end of a preallocated file.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let Some((header, body)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            return unfinished();
        };
        let [c0, c1, c2, c3, l0, l1, kind] = *header;
        if is_of_reused_journal(kind) {
            return damaged("a record has a type that is never written");
        }
        let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
        let begun = crc32c::crc32c(&[kind]);
        let Some((body, next)) = body.split_at_checked(usize::from(u16::from_le_bytes([l0, l1])))
        else {
            return if matches_a_prefix(checksum, begun, body) {
                damaged("the length of a record is wrong")
            } else {
                unfinished()
            };
        };
        if masked(crc32c::crc32c_append(begun, body)) != checksum {
            return damaged("the checksum of a record is wrong");
        }
        rest = next;
    }
    Ok(())
}

/// Whether this is a fragment type of recycled journals, whose headers have the journal's number.
fn is_of_reused_journal(kind: u8) -> bool {
    matches!(kind, 5..=8 | 11 | 131)
}

/// Whether the checksum matches a prefix of the content.
fn matches_a_prefix(checksum: u32, begun: u32, content: &[u8]) -> bool {
    let mut crc = begun;
    masked(crc) == checksum
        || content.chunks(1).any(|byte| {
            crc = crc32c::crc32c_append(crc, byte);
            masked(crc) == checksum
        })
}

/// RocksDB's form of a stored CRC.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}
