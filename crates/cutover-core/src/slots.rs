//! A frozen hash index: from bytes to a small id, over entries that live elsewhere.
//!
//! Entries come from the configuration, requests only ask. A client can therefore make one look-up
//! cost at most the longest run of the index, which is settled while building: of a few seeds the
//! one with the shortest longest run is taken. No randomness: the same entries give the same index.

/// Seeds tried while the longest run is longer than [`GOOD_RUN`].
const SEEDS: u64 = 8;
/// Runs up to this length are what chance gives at half load; anything longer is worth another
/// seed.
const GOOD_RUN: usize = 32;

/// Open addressing with linear probing at no more than half load.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    seed: u64,
    /// Length less one; a power of two.
    mask: usize,
    slots: Box<[Slot]>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Upper half of the hash, so that most strangers are told apart without looking at the entry.
    tag: u32,
    id: u32,
}

const EMPTY: Slot = Slot { tag: 0, id: u32::MAX };

impl Default for Slots {
    fn default() -> Self {
        Self { seed: 0, mask: 0, slots: Box::new([EMPTY]) }
    }
}

impl Slots {
    /// An index of entries with these ids; `hash(seed, id)` gives an entry's hash.
    pub(crate) fn build(
        ids: &(impl ExactSizeIterator<Item = u32> + Clone),
        hash: impl Fn(u64, u32) -> u64,
    ) -> Self {
        let mut best: Option<(usize, Self)> = None;
        for seed in 0..SEEDS {
            let (run, slots) = Self::with_seed(ids.clone(), seed, &hash);
            if best.as_ref().is_none_or(|(shortest, _)| run < *shortest) {
                best = Some((run, slots));
            }
            if run <= GOOD_RUN {
                break;
            }
        }
        best.map(|(_, slots)| slots).unwrap_or_default()
    }

    fn with_seed(
        ids: impl ExactSizeIterator<Item = u32>,
        seed: u64,
        hash: &impl Fn(u64, u32) -> u64,
    ) -> (usize, Self) {
        let length = (ids.len() * 2).next_power_of_two();
        let mask = length - 1;
        let mut slots = vec![EMPTY; length].into_boxed_slice();
        let mut longest = 0;
        for id in ids {
            let hash = hash(seed, id);
            let mut at = hash as usize & mask;
            let mut run = 0;
            while slots[at].id != u32::MAX {
                at = (at + 1) & mask;
                run += 1;
            }
            longest = longest.max(run);
            slots[at] = Slot { tag: (hash >> 32) as u32, id };
        }
        (longest, Self { seed, mask, slots })
    }

    /// What hashes must be computed with.
    #[inline]
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The entry with this hash that `is_it` recognises.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = (hash >> 32) as u32;
        let mut at = hash as usize & self.mask;
        loop {
            // At most half of the slots are taken, so an empty one ends every run.
            let slot = self.slots[at & self.mask];
            if slot.id == u32::MAX {
                return None;
            }
            if slot.tag == tag && is_it(slot.id) {
                return Some(slot.id);
            }
            at = at.wrapping_add(1);
        }
    }
}

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xd6e8_feb8_6659_fd93;
/// Sets the bit that tells lower from upper case. Also merges a few other characters, which costs
/// nothing but a comparison.
const CASE: u64 = 0x2020_2020_2020_2020;

/// A fast hash of short strings. Not stable over versions and never leaves the process: buckets use
/// murmur3.
#[inline]
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    hash_folding::<0>(seed, bytes)
}

/// The same, blind to ASCII case.
#[inline]
pub(crate) fn hash_caseless(seed: u64, bytes: &[u8]) -> u64 {
    hash_folding::<CASE>(seed, bytes)
}

#[inline]
fn hash_folding<const FOLD: u64>(seed: u64, bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut state = seed ^ K0;
    let mut rest = bytes;
    while rest.len() > 16 {
        state = fold(state ^ (word(rest, 0) | FOLD), K1 ^ (word(rest, 8) | FOLD));
        rest = &rest[16..];
    }
    let (a, b) = match rest.len() {
        0 => (0, 0),
        1..=3 => {
            let ends = u64::from(rest[0]) << 8 | u64::from(rest[rest.len() - 1]);
            (ends, u64::from(rest[rest.len() / 2]))
        }
        4..=7 => (half(rest, 0), half(rest, rest.len() - 4)),
        _ => (word(rest, 0), word(rest, rest.len() - 8)),
    };
    fold(state ^ (a | FOLD), K1 ^ (b | FOLD) ^ (length as u64).wrapping_mul(K0))
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let mixed = product as u64 ^ (product >> 64) as u64;
    mixed ^ (mixed >> 29)
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline]
fn half(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_entry_and_nothing_else() {
        let names: Vec<String> = (0..10_000).map(|n| format!("segment-{n}")).collect();
        let slots = Slots::build(&(0..names.len() as u32), |seed, id| {
            hash(seed, names[id as usize].as_bytes())
        });
        let find = |name: &str| {
            slots.find(hash(slots.seed(), name.as_bytes()), |id| names[id as usize] == name)
        };
        for (id, name) in names.iter().enumerate() {
            assert_eq!(find(name), Some(id as u32));
        }
        assert_eq!(find("segment-10000"), None);
        assert_eq!(Slots::default().find(7, |_| true), None);
    }

    #[test]
    fn every_length_has_its_own_hashes() {
        let text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ";
        let mut seen = std::collections::HashSet::new();
        for start in 0..4 {
            for end in start..=text.len() {
                seen.insert(hash(0, &text.as_bytes()[start..end]));
            }
        }
        assert_eq!(seen.len(), (0..4).map(|start| text.len() - start + 1).sum::<usize>() - 3);
    }

    #[test]
    fn case_does_not_count_where_it_must_not() {
        for text in ["a", "Api", "Example", "API.Example.com", "a-very-long-host.Example.com"] {
            let lower = text.to_ascii_lowercase();
            assert_eq!(hash_caseless(3, text.as_bytes()), hash_caseless(3, lower.as_bytes()));
        }
        assert_ne!(hash(3, b"API"), hash(3, b"api"));
    }
}
