//! Tests of the tree against a naive implementation of RFC 6962's definitions, and against the
//! vectors of the Certificate Transparency reference implementation.

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::hash::leaf_hash;
use sha2::{Digest as _, Sha256};

/// Tiles in memory, filled like the projection fills them.
#[derive(Default)]
struct Memory(BTreeMap<(u8, u64), Vec<u8>>);

impl Memory {
    fn of(leaves: &[Hash]) -> Self {
        let mut tiles = Self::default();
        for (index, leaf) in (0..).zip(leaves) {
            tiles.push(0, index, *leaf);
        }
        tiles
    }

    fn push(&mut self, level: u8, index: u64, hash: Hash) {
        let tile = self.0.entry((level, index / TILE_HASHES)).or_default();
        tile.extend_from_slice(&hash.0);
        if index % TILE_HASHES == TILE_HASHES - 1 {
            let above = above_tile(tile).unwrap();
            self.push(level + 1, index / TILE_HASHES, above);
        }
    }
}

impl Tiles for Memory {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(&(level, index)).cloned())
    }
}

fn node(left: Hash, right: Hash) -> Hash {
    Hash(Sha256::digest([&[1][..], &left.0, &right.0].concat()).into())
}

/// The largest power of two below `n`.
fn split(n: usize) -> usize {
    (1..).map(|power| 1 << power).find(|power| *power >= n).unwrap() / 2
}

/// MTH of section 2.1.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest([]).into()),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            node(naive_root(left), naive_root(right))
        }
    }
}

/// PATH of section 2.1.1.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return vec![];
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if m < left.len() {
        (naive_path(m, left), right)
    } else {
        (naive_path(m - left.len(), right), left)
    };
    path.push(naive_root(sibling));
    path
}

/// SUBPROOF of section 2.1.2.
fn naive_consistency(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { vec![] } else { vec![naive_root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) = if m <= left.len() {
        (naive_consistency(m, left, whole), right)
    } else {
        (naive_consistency(m - left.len(), right, false), left)
    };
    proof.push(naive_root(sibling));
    proof
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

fn head(leaves: &[Hash]) -> TreeHead {
    TreeHead { size: leaves.len() as u64, root: naive_root(leaves) }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn hash(text: &str) -> Hash {
    Hash(hex(text).try_into().unwrap())
}

/// The eight leaves of the reference implementation's tests, and the roots of the trees of the
/// first one, two, … of them.
const REFERENCE: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
];

#[test]
fn roots_and_proofs_are_those_of_the_reference_implementation() {
    let leaves: Vec<Hash> = REFERENCE.iter().map(|(leaf, _)| leaf_hash(&hex(leaf))).collect();
    let tiles = Memory::of(&leaves);
    for (size, (_, expected)) in (1..).zip(REFERENCE) {
        assert_eq!(root(&tiles, size).unwrap(), hash(expected), "{size}");
    }
    let path = prove_inclusion(&tiles, 6, 8).unwrap();
    let expected = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(path, expected.map(hash));
    let consistency = [
        (
            1,
            8,
            vec![
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            vec![
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            vec![
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (older, newer, expected) in consistency {
        let expected: Vec<Hash> = expected.into_iter().map(hash).collect();
        assert_eq!(
            prove_consistency(&tiles, older, newer).unwrap(),
            expected,
            "{older} to {newer}"
        );
    }
}

#[test]
fn the_tree_without_leaves_has_the_root_of_nothing() {
    assert_eq!(root(&Memory::default(), 0).unwrap(), naive_root(&[]));
}

#[test]
fn what_the_tree_does_not_have_is_refused_by_name() {
    let tiles = Memory::of(&leaves(300));
    assert!(matches!(root(&tiles, 301), Err(TreeError::Missing { level: 0, index: 1 })));
    assert!(matches!(
        prove_inclusion(&tiles, 0, 300),
        Err(TreeError::OutOfRange { asked: 0, size: 300 })
    ));
    assert!(matches!(
        prove_inclusion(&tiles, 300, 299),
        Err(TreeError::OutOfRange { asked: 300, size: 299 })
    ));
    assert!(matches!(
        prove_consistency(&tiles, 0, 300),
        Err(TreeError::OutOfRange { asked: 0, size: 300 })
    ));
}

#[test]
fn sizes_and_positions_out_of_all_bounds_are_refused_without_a_panic() {
    let one = leaf_hash(b"one");
    for size in [0, 1, 2, 1 << 56, (1 << 56) + 1, u64::MAX - 1, u64::MAX] {
        for position in [0, 1, 2, u64::MAX] {
            for length in [0, 1, 56, 64, 100] {
                let (path, head) = (vec![one; length], TreeHead { size, root: one });
                let is_it = (size, position, length) == (1, 1, 0);
                assert_eq!(
                    check_inclusion(&path, position, one, head).is_ok(),
                    is_it,
                    "{size} {position} {length}"
                );
                let older = TreeHead { size: position, root: leaf_hash(b"other") };
                assert!(
                    check_consistency(&path, older, head).is_err(),
                    "{position} to {size}, {length}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_and_proofs_are_those_of_the_naive_definition(
        (size, older, position) in (1_usize..1400).prop_flat_map(|size| (Just(size), 1..=size, 1..=size)),
    ) {
        let all = leaves(size + 300);
        // After the tree has grown, past roots can still be computed.
        let tiles = Memory::of(&all);
        let (now, before) = (head(&all[..size]), head(&all[..older]));
        prop_assert_eq!(root(&tiles, now.size).unwrap(), now.root);
        prop_assert_eq!(root(&tiles, before.size).unwrap(), before.root);

        let path = prove_inclusion(&tiles, position as u64, now.size).unwrap();
        prop_assert_eq!(&path, &naive_path(position - 1, &all[..size]));
        check_inclusion(&path, position as u64, all[position - 1], now).unwrap();

        let proof = prove_consistency(&tiles, before.size, now.size).unwrap();
        prop_assert_eq!(&proof, &naive_consistency(older, &all[..size], true));
        check_consistency(&proof, before, now).unwrap();
    }

    #[test]
    fn forged_proofs_are_refused(
        (size, older, position) in (2_usize..600).prop_flat_map(|size| (Just(size), 1..size, 1..=size)),
        bit in 0_usize..256,
        which in any::<prop::sample::Index>(),
    ) {
        let all = leaves(size);
        let tiles = Memory::of(&all);
        let (now, before) = (head(&all), head(&all[..older]));
        let flipped = |hash: Hash| {
            let mut bytes = hash.0;
            bytes[bit / 8] ^= 1 << (bit % 8);
            Hash(bytes)
        };
        let other_root = |head: TreeHead| TreeHead { root: flipped(head.root), ..head };
        let path = prove_inclusion(&tiles, position as u64, now.size).unwrap();
        let leaf = all[position - 1];
        let included = |path: &[Hash], position: u64, leaf, head| check_inclusion(path, position, leaf, head).is_ok();
        let at = position as u64;
        prop_assert!(included(&path, at, leaf, now));
        prop_assert!(!included(&path, at, flipped(leaf), now));
        prop_assert!(!included(&path, at, leaf, other_root(now)));
        prop_assert!(!included(&path, at - 1, leaf, now) && !included(&path, at + 1, leaf, now));
        prop_assert!(!included(&path[1..], at, leaf, now));
        prop_assert!(!included(&[&path[..], &[leaf]].concat(), at, leaf, now));
        let mut forged = path.clone();
        let index = which.index(forged.len());
        forged[index] = flipped(forged[index]);
        prop_assert!(!included(&forged, at, leaf, now));

        let proof = prove_consistency(&tiles, before.size, now.size).unwrap();
        let consistent = |proof: &[Hash], before, now| check_consistency(proof, before, now).is_ok();
        prop_assert!(consistent(&proof, before, now));
        prop_assert!(!consistent(&proof, other_root(before), now));
        prop_assert!(!consistent(&proof, before, other_root(now)));
        prop_assert!(!consistent(&proof[1..], before, now));
        prop_assert!(!consistent(&[&proof[..], &[leaf]].concat(), before, now));
        let mut forged = proof.clone();
        let index = which.index(forged.len());
        forged[index] = flipped(forged[index]);
        prop_assert!(!consistent(&forged, before, now));
    }
}
