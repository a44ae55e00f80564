//! The published golden vectors, read from the page that publishes them.

use cutover_core::percent::murmur3_x86_32;
use cutover_core::{Bucketing, Salt};

const PAGE: &str = include_str!("../../../../docs/golden-vectors.md");

#[test]
fn the_published_vectors_hold() {
    let mut bucketing = None;
    let mut rows = [0; Bucketing::ALL.len()];
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            bucketing = Bucketing::from_name(title);
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", salt, key, hash, bucket, ""] = cells.as_slice() else { continue };
        let (Some(bucketing), Ok(hash)) = (bucketing, u32::from_str_radix(hash, 16)) else {
            continue;
        };
        let bucket: u32 = bucket.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        let separator = match bucketing {
            Bucketing::Cutover1 => "\0",
            Bucketing::FlagdV2 => "",
            Bucketing::Unleash => ":",
            other => panic!("no separator known for {other:?}"),
        };
        let whole = format!("{salt}{separator}{key}");
        assert_eq!(murmur3_x86_32(&[whole.as_bytes()]), hash, "{line}");
        let salt = Salt::with_bucketing(salt, bucketing);
        assert_eq!(salt.bucket(key.as_bytes()).number(), bucket, "{line}");
        rows[bucketing as usize] += 1;
    }
    assert_eq!(rows, [22, 19, 6], "rows read for each arithmetic");
}

/// Vectors of the hash itself, from its public test suites.
#[test]
fn the_hash_is_murmur3() {
    for (text, hash) in [
        ("", 0),
        ("hello", 0x248b_fa47),
        ("hello, world", 0x149b_bb7f),
        ("The quick brown fox jumps over the lazy dog", 0x2e4f_f723),
    ] {
        assert_eq!(murmur3_x86_32(&[text.as_bytes()]), hash, "{text}");
    }
}
