//! Bytes of one segment, looked at eight at a time: where it ends, its hash, and whether it is a
//! known text. Segments are short, so a call of `memchr` or `memcmp` would cost more than the work.

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xd6e8_feb8_6659_fd93;

/// Length of the first segment of `rest`, with which `path` ends.
#[inline]
pub(super) fn segment_len(path: &[u8], rest: &[u8]) -> usize {
    let mut left = rest;
    while let Some((word, behind)) = left.split_first_chunk() {
        let hit = slashes(u64::from_le_bytes(*word));
        if hit != 0 {
            return rest.len() - left.len() + hit.trailing_zeros() as usize / 8;
        }
        left = behind;
    }
    match slashes(last_word(path, left)) {
        0 => rest.len(),
        hit => rest.len() - left.len() + hit.trailing_zeros() as usize / 8,
    }
}

/// A hash of the first segment of `rest`, with which `path` ends; it differs for each `family`.
/// Looks at `longest` bytes and at most eight more, so it means something only for segments that
/// are no longer.
#[inline]
pub(super) fn segment_hash(
    seed: u64,
    family: u32,
    path: &[u8],
    rest: &[u8],
    longest: usize,
) -> u64 {
    let mut state = seed ^ u64::from(family).wrapping_mul(K0);
    let mut left = rest;
    let enough = rest.len().saturating_sub(longest);
    while let Some((word, behind)) = left.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        let hit = slashes(word);
        if hit != 0 {
            return mix(state, before(word, hit));
        }
        state = mix(state, word);
        if behind.len() < enough {
            return state;
        }
        left = behind;
    }
    let word = last_word(path, left);
    match slashes(word) {
        0 => mix(state, word),
        hit => mix(state, before(word, hit)),
    }
}

/// Are two texts of the same length the same?
#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    if let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        let mut words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
        return words.all(|(a, b)| a == b) && a_last == b_last;
    }
    if let (Some(a_last), Some(b_last)) = (a.last_chunk::<4>(), b.last_chunk::<4>()) {
        return a.first_chunk::<4>() == b.first_chunk::<4>() && a_last == b_last;
    }
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// The bytes of `left`, fewer than eight, with which `path` ends, and zeros behind them.
#[inline]
fn last_word(path: &[u8], left: &[u8]) -> u64 {
    match path.last_chunk() {
        // Without the bytes before `left`. In two shifts, because none may be by 64.
        Some(word) => u64::from_le_bytes(*word) >> 8 >> ((7 - left.len()) * 8),
        None => left.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The high bit of each byte that is a slash; bits above the lowest may be wrong.
#[inline]
fn slashes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_if_slash = word ^ (ONES * b'/' as u64);
    zero_if_slash.wrapping_sub(ONES) & !zero_if_slash & HIGH
}

/// The bytes of a word before the slash that was hit, with zeros in place of the others.
#[inline]
fn before(word: u64, hit: u64) -> u64 {
    word & (hit ^ (hit - 1)) >> 8
}

#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(K1);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn segments_end_where_they_end(path in "[a/.\\x00\u{e9}]{0,40}") {
            let bytes = path.as_bytes();
            for at in 0..=bytes.len() {
                let end = bytes[at..].iter().position(|&b| b == b'/').map_or(bytes.len(), |n| at + n);
                prop_assert_eq!(at + segment_len(bytes, &bytes[at..]), end, "from {}", at);
            }
        }

        /// Wherever a segment stands and whatever follows it, its hash is that of its text alone.
        #[test]
        fn a_segment_has_one_hash(
            before in "[a/]{0,12}",
            segment in "[ab.\u{e9}]{0,30}",
            after in "(/[a/]{0,12})?",
        ) {
            let alone = segment_hash(3, 7, segment.as_bytes(), segment.as_bytes(), segment.len());
            let path = format!("{before}{segment}{after}").into_bytes();
            for longest in [segment.len(), segment.len() + 1, 300] {
                let hash = segment_hash(3, 7, &path, &path[before.len()..], longest);
                prop_assert_eq!(hash, alone, "{:?} at {}", path, before.len());
            }
        }

        #[test]
        fn texts_are_the_same_if_all_their_bytes_are(
            text in prop::collection::vec(any::<u8>(), 0..40),
            at in any::<prop::sample::Index>(),
        ) {
            prop_assert!(same(&text, &text.clone()));
            if !text.is_empty() {
                let mut other = text.clone();
                other[at.index(text.len())] ^= 1;
                prop_assert!(!same(&text, &other));
            }
        }
    }

    #[test]
    fn hashes_tell_families_and_neighbours_apart() {
        let mut seen = std::collections::HashSet::new();
        for family in 0..64 {
            for n in 0..100 {
                for text in [format!("x{n}"), format!("a-longer-segment-{n}")] {
                    let text = text.as_bytes();
                    seen.insert(segment_hash(0, family, text, text, text.len()));
                }
            }
        }
        assert_eq!(seen.len(), 64 * 100 * 2);
    }
}
