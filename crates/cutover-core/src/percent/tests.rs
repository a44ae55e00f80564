//! Tests of percents and of the two implementations of the hash against each other. Vectors,
//! fixtures and statistics are in `tests/it`.

use super::*;
use proptest::prelude::*;

#[test]
fn percents_are_read_and_written() {
    for (text, thousandths, written) in [
        ("0", 0, "0%"),
        ("5", 5_000, "5%"),
        ("5%", 5_000, "5%"),
        (" 5 % ", 5_000, "5%"),
        ("0.125%", 125, "0.125%"),
        ("0.5", 500, "0.5%"),
        ("12.34%", 12_340, "12.34%"),
        ("100%", 100_000, "100%"),
        ("100.000", 100_000, "100%"),
        ("007", 7_000, "7%"),
    ] {
        let percent: Percent = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(percent.thousandths(), thousandths, "{text}");
        assert_eq!(percent.to_string(), written, "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    for (text, error) in [
        ("", PercentError::NotANumber),
        ("%", PercentError::NotANumber),
        ("5.", PercentError::NotANumber),
        (".5", PercentError::NotANumber),
        ("-1", PercentError::NotANumber),
        ("+1", PercentError::NotANumber),
        ("1e2", PercentError::NotANumber),
        ("5%%", PercentError::NotANumber),
        ("five", PercentError::NotANumber),
        ("0.0001", PercentError::TooFine),
        ("100.001", PercentError::OutOfRange),
        ("101", PercentError::OutOfRange),
        ("99999999999999", PercentError::OutOfRange),
    ] {
        assert_eq!(text.parse::<Percent>(), Err(error), "{text}");
    }
    assert_eq!(Percent::from_thousandths(100_001), Percent::FULL);
}

#[test]
fn names_of_arithmetics_are_read_back() {
    for bucketing in Bucketing::ALL {
        assert_eq!(Bucketing::from_name(bucketing.name()), Some(bucketing));
    }
    assert_eq!(Bucketing::from_name("flagd"), None);
}

/// The first implementation: a byte at a time, plainly after the reference.
fn murmur3_by_bytes(bytes: &[u8]) -> u32 {
    let mut hash = 0u32;
    let scramble =
        |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    for chunk in bytes.chunks(4) {
        let word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash ^= scramble(word);
        if chunk.len() == 4 {
            hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
        }
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn pieces_do_not_matter(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..11), 0..6)) {
        let pieces: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(murmur3_x86_32(&pieces), murmur3_by_bytes(&parts.concat()));
    }

    #[test]
    fn a_growing_percent_only_adds_users(
        salt in ".{0,12}",
        key in prop::collection::vec(any::<u8>(), 1..20),
        low in 0..=100_000u32,
        high in 0..=100_000u32,
    ) {
        let (low, high) = (low.min(high), low.max(high));
        for bucketing in Bucketing::ALL {
            let bucket = Salt::with_bucketing(&salt, bucketing).bucket(&key);
            prop_assert!(bucket.number() < 100_000);
            let (low, high) = (Percent::from_thousandths(low), Percent::from_thousandths(high));
            prop_assert!(!low.admits(bucket) || high.admits(bucket));
            prop_assert!(Percent::FULL.admits(bucket) && !Percent::ZERO.admits(bucket));
        }
    }
}
