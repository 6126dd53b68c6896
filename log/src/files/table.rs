//! RocksDB's table files, format versions 6 and 7. The check finds every block through the file's
//! indexes and computes its checksum again. It does not decode data blocks.
//!
//! A table file consists of blocks and a footer. Each block is followed by one byte, its
//! compression, and its checksum, u32. The footer has the location of the *meta index* block. That
//! one lists all other blocks that are not data, among them the index, which has two levels and
//! lists the data blocks. The blocks must cover every byte of the file, which is checked too.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use xxhash_rust::xxh3::xxh3_64;

use super::Unsound;

const FOOTER_BYTES: u64 = 53;
const TRAILER_BYTES: u64 = 5;
const MAGIC: u64 = 0x88e2_41b7_85f4_cff7;
const EXTENDED_MAGIC: [u8; 4] = [0x3e, 0, 0x7a, 0];
/// The kind of checksum that this crate uses: the lower half of XXH3.
const XXH3: u8 = 4;
const LZ4: u8 = 4;
/// The multiplier for the last byte of a checksum.
const LAST_BYTE: u32 = 0x6b90_83d9;
/// The maximum size of an uncompressed index block.
const UNPACKED_LIMIT_BYTES: usize = 256 << 20;

/// The location of a block, without its trailer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Handle {
    offset: u64,
    bytes: u64,
}

fn damaged(offset: u64, what: &str) -> Unsound {
    Unsound::Damaged((offset, what.to_owned()))
}

/// Checks a complete table file.
pub(super) fn check(file: &File, file_bytes: u64) -> Result<(), Unsound> {
    let footer_at =
        file_bytes.checked_sub(FOOTER_BYTES).ok_or_else(|| damaged(0, "it is cut short"))?;
    let footer = Footer::read(file, footer_at)?;
    let mut table = Table { file, footer_at, context: footer.context, seen: Vec::new() };
    let meta = table.entries(footer.meta_index, Values::Sized)?;
    let two_levels = table.has_two_levels(&meta)?;
    for (name, value) in meta {
        let handle = table.handle(footer.meta_index, &value)?;
        match name.as_slice() {
            b"rocksdb.index" => table.index(handle, if two_levels { 2 } else { 1 })?,
            // Already read.
            b"rocksdb.properties" => {}
            name if name.starts_with(b"partitionedfilter.") => table.index(handle, 1)?,
            _ => drop(table.block(handle)?),
        }
    }
    table.covers_all()
}

struct Footer {
    context: u32,
    meta_index: Handle,
}

impl Footer {
    fn read(file: &File, at: u64) -> Result<Self, Unsound> {
        let mut bytes = [0; FOOTER_BYTES as usize];
        file.read_exact_at(&mut bytes, at)?;
        let wrong = |what| damaged(at, what);
        let mut rest = Parts(&bytes);
        let (kind, extended, stored) = (rest.array::<1>(), rest.array::<4>(), rest.u32());
        let (context, meta_bytes) = (rest.u32(), rest.u32());
        let (_reserved, version, magic) = (rest.array::<24>(), rest.u32(), rest.u64());
        if magic != Some(MAGIC)
            || extended != Some(EXTENDED_MAGIC)
            || !matches!(version, Some(6 | 7))
            || kind != Some([XXH3])
        {
            return Err(wrong("its footer does not have the format that this rollbook writes"));
        }
        // The checksum is computed with zeros in place of itself.
        let mut cleared = bytes;
        cleared.iter_mut().skip(5).take(4).for_each(|byte| *byte = 0);
        let (last, all_but_last) = cleared.split_last().unwrap_or((&0, &[]));
        let context = context.unwrap_or_default();
        if Some(checksum(all_but_last, *last).wrapping_add(modifier(context, at))) != stored {
            return Err(wrong("the checksum of its footer is wrong"));
        }
        let bytes = u64::from(meta_bytes.unwrap_or_default());
        let offset = at
            .checked_sub(TRAILER_BYTES + bytes)
            .ok_or_else(|| wrong("its footer refers to a block beyond the file"))?;
        Ok(Self { context, meta_index: Handle { offset, bytes } })
    }
}

/// The lower half of XXH3 over all bytes except the last, combined with the last byte.
fn checksum(bytes: &[u8], last: u8) -> u32 {
    #[allow(clippy::cast_possible_truncation)]
    let lower = xxh3_64(bytes) as u32;
    lower ^ u32::from(last).wrapping_mul(LAST_BYTE)
}

/// The part of a checksum that depends on the block's offset.
fn modifier(context: u32, offset: u64) -> u32 {
    #[allow(clippy::cast_possible_truncation)]
    let place = (offset as u32).wrapping_add((offset >> 32) as u32);
    if context == 0 { 0 } else { context ^ place }
}

/// The encoding of the values in an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// Each value has its length before it.
    Sized,
    /// A handle, or its difference from the previous one.
    Handles,
}

/// Keys and values.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

struct Table<'f> {
    file: &'f File,
    footer_at: u64,
    context: u32,
    seen: Vec<Handle>,
}

impl Table<'_> {
    /// Reads a block and checks its checksum. Returns its bytes and its compression.
    fn block(&mut self, handle: Handle) -> Result<(Vec<u8>, u8), Unsound> {
        let at = handle.offset;
        let end = at
            .checked_add(handle.bytes)
            .and_then(|end| end.checked_add(TRAILER_BYTES))
            .filter(|end| *end <= self.footer_at);
        let length = end.and_then(|end| usize::try_from(end - at).ok());
        let mut bytes =
            vec![
                0;
                length.ok_or_else(|| damaged(at, "an index refers to a block beyond the file"))?
            ];
        self.file.read_exact_at(&mut bytes, at)?;
        let stored =
            bytes.split_last_chunk::<4>().map_or(0, |(_, stored)| u32::from_le_bytes(*stored));
        bytes.truncate(bytes.len() - 4);
        let packed = bytes.pop().unwrap_or_default();
        if checksum(&bytes, packed).wrapping_add(modifier(self.context, at)) != stored {
            return Err(damaged(at, "the checksum of a block is wrong"));
        }
        self.seen.push(handle);
        Ok((bytes, packed))
    }

    /// Checks every block that an index lists, down to the last level.
    fn index(&mut self, index: Handle, levels: u8) -> Result<(), Unsound> {
        for (_, value) in self.entries(index, Values::Handles)? {
            let handle = self.handle(index, &value)?;
            if levels > 1 {
                self.index(handle, levels - 1)?;
            } else {
                self.block(handle)?;
            }
        }
        Ok(())
    }

    /// The keys and values of a block.
    fn entries(&mut self, handle: Handle, values: Values) -> Result<Entries, Unsound> {
        let (bytes, packed) = self.block(handle)?;
        let unreadable = || damaged(handle.offset, "an index in it cannot be read");
        let bytes = match packed {
            0 => bytes,
            LZ4 => {
                let mut rest = Parts(&bytes);
                let unpacked = rest.varint().and_then(|unpacked| usize::try_from(unpacked).ok());
                let unpacked = unpacked
                    .filter(|bytes| *bytes <= UNPACKED_LIMIT_BYTES)
                    .ok_or_else(unreadable)?;
                lz4_flex::block::decompress(rest.0, unpacked).map_err(|_| unreadable())?
            }
            _ => return Err(unreadable()),
        };
        read_entries(&bytes, values).ok_or_else(unreadable)
    }

    fn handle(&self, index: Handle, value: &[u8]) -> Result<Handle, Unsound> {
        let mut rest = Parts(value);
        let handle =
            rest.varint().zip(rest.varint()).map(|(offset, bytes)| Handle { offset, bytes });
        handle.ok_or_else(|| damaged(index.offset, "an index refers to no block"))
    }

    /// Whether the index has two levels, according to the properties.
    fn has_two_levels(&mut self, meta: &Entries) -> Result<bool, Unsound> {
        let properties = meta.iter().find(|(name, _)| name == b"rocksdb.properties");
        let (_, value) =
            properties.ok_or_else(|| damaged(self.footer_at, "it has no properties"))?;
        let handle = self.handle(Handle { offset: self.footer_at, bytes: 0 }, value)?;
        let properties = self.entries(handle, Values::Sized)?;
        let kind = properties
            .into_iter()
            .find(|(name, _)| name == b"rocksdb.block.based.table.index.type");
        Ok(kind.is_some_and(|(_, value)| value == [2, 0, 0, 0]))
    }

    /// Fails if a byte before the footer is in no block.
    fn covers_all(mut self) -> Result<(), Unsound> {
        self.seen.sort();
        let mut next = 0;
        for handle in self.seen {
            if handle.offset != next {
                return Err(damaged(
                    next.min(handle.offset),
                    "bytes of it are in no block, or in two",
                ));
            }
            next = handle.offset + handle.bytes + TRAILER_BYTES;
        }
        if next == self.footer_at {
            Ok(())
        } else {
            Err(damaged(next, "bytes of it are in no block"))
        }
    }
}

/// Reads the entries of a block: prefix-compressed keys with values, then the list of restart
/// points.
fn read_entries(block: &[u8], values: Values) -> Option<Entries> {
    let (rest, footer) = block.split_last_chunk::<4>()?;
    // The upper bits are flags.
    let restarts = u32::from_le_bytes(*footer) & 0x0fff_ffff;
    let mut rest = Parts(rest.get(..rest.len().checked_sub(restarts as usize * 4)?)?);
    let mut entries: Entries = Vec::new();
    let mut before: Option<Handle> = None;
    while !rest.0.is_empty() {
        let (shared, own) =
            (usize::try_from(rest.varint()?).ok()?, usize::try_from(rest.varint()?).ok()?);
        let value_bytes = if values == Values::Sized {
            Some(usize::try_from(rest.varint()?).ok()?)
        } else {
            None
        };
        let mut key = entries.last().map_or(&[][..], |(key, _)| key).get(..shared)?.to_vec();
        key.extend_from_slice(rest.take(own)?);
        let value = match value_bytes {
            Some(bytes) => rest.take(bytes)?.to_vec(),
            None => {
                let handle = match before.filter(|_| shared > 0) {
                    Some(before) => Handle {
                        offset: before
                            .offset
                            .checked_add(before.bytes)?
                            .checked_add(TRAILER_BYTES)?,
                        bytes: before.bytes.checked_add_signed(rest.signed_varint()?)?,
                    },
                    None => Handle { offset: rest.varint()?, bytes: rest.varint()? },
                };
                before = Some(handle);
                [varint(handle.offset), varint(handle.bytes)].concat()
            }
        };
        entries.push((key, value));
    }
    Some(entries)
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        #[allow(clippy::cast_possible_truncation)]
        let low = number as u8 & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The unread rest of a block.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number: u64 = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed_varint(&mut self) -> Option<i64> {
        let number = self.varint()?;
        #[allow(clippy::cast_possible_wrap)]
        let (half, sign) = ((number >> 1) as i64, (number & 1) as i64);
        Some(half ^ -sign)
    }
}
