//! Other systems' published cases: users they split keep their side in the compatible arithmetics.
//!
//! They are in `tests/vendor`, but for flagd's, which no registry has. Those are looked for in `CUTOVER_FIXTURES`, else in
//! `../shared/fixtures` beside the repository; where they are absent their test says `SKIPPED`.

use cutover_core::{Bucketing, Percent, Salt};
use serde_json::Value;
use std::path::PathBuf;

/// Groups of flagd's cases that are left out, and why. A group that is neither here nor of version 2 is an error, so that
/// nothing is left out in silence.
const LEFT_OUT: [&str; 3] = [
    // The first version computes with floats; users of the second alone can be taken over.
    "@fractional-v1",
    // Variants and weights that are expressions: that is JsonLogic, and no arithmetic.
    "@fractional-nested",
    // What flagd makes of a missing key, where a migration says `old`, and of weights below 1, which a percent cannot have.
    "@operator-errors",
];

/// Unleash's cases of several variants: its second hash, with a seed of its own, chooses among more than two, and a
/// migration has two sides.
const VARIANTS_LEFT_OUT: usize = 4;

/// Where the project's copies are.
pub(crate) fn vendored() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vendor")
}

/// The text of a file of the project's copies.
pub(crate) fn fixture(name: &str) -> String {
    let file = vendored().join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The text of a file that is no part of the project, or `None` and a line that says so.
#[expect(clippy::disallowed_methods, reason = "a test's environment, not a decision's")]
fn outside(name: &str) -> Option<String> {
    let folder = std::env::var("CUTOVER_FIXTURES").map(PathBuf::from).unwrap_or_else(|_| {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures")
    });
    let file = folder.join(name);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("SKIPPED: no {}", file.display());
        }
    }
    text
}

/// The variant of flagd's `fractional` that a user gets: the first whose share, added to those
/// before it, admits the user. This is how a migration's percent admits users, with one share for
/// each variant.
fn fractional(seed: &str, key: &str, variants: &[(String, u32)]) -> Option<String> {
    let total: u32 = variants.iter().map(|(_, weight)| weight).sum();
    let bucket = Salt::with_bucketing(seed, Bucketing::FlagdV2).bucket(key.as_bytes());
    let mut below = 0;
    let chosen = variants.iter().find(|(_, weight)| {
        below += weight;
        Percent::from_thousandths(below * 100_000 / total).admits(bucket)
    });
    chosen.map(|(name, _)| name.clone())
}

/// A flag's seed, the name of the context value that is its key, and its variants with weights.
fn flag(flags: &Value, key: &str) -> (String, String, Vec<(String, u32)>) {
    let flag = &flags["flags"][key];
    let mut rule = flag["targeting"]["fractional"].as_array().expect("a fractional rule").clone();
    let (mut seed, mut from) = (key.to_owned(), "targetingKey".to_owned());
    if rule[0].is_object() {
        let subject = rule.remove(0);
        let variable = if let Some(parts) = subject["cat"].as_array() {
            let is_flag_key = parts[0]["var"] == "$flagd.flagKey";
            seed = if is_flag_key { key } else { parts[0].as_str().expect("a seed") }.to_owned();
            &parts[1]["var"]
        } else {
            seed = String::new();
            &subject["var"]
        };
        from = variable.as_str().expect("a context value").to_owned();
    }
    let variant = |entry: &Value| {
        let name = entry[0].as_str().expect("a variant").to_owned();
        (name, entry.get(1).map_or(1, |weight| weight.as_u64().expect("a weight") as u32))
    };
    (seed, from, rule.iter().map(variant).collect())
}

#[test]
fn flagd_fractional_version_2() {
    let Some(flags) = outside("flagd/testkit-flags.json") else { return };
    let Some(feature) = outside("flagd/fractional.feature") else { return };
    let flags: Value = serde_json::from_str(&flags).expect("JSON");
    let check = |key: &str, user: &str, expected: &str| {
        let (seed, from, variants) = flag(&flags, key);
        assert!(["targetingKey", "user.name"].contains(&from.as_str()), "{key} is keyed by {from}");
        let chosen = fractional(&seed, user, &variants).expect("the weights fill the whole");
        let value = flags["flags"][key]["variants"][&chosen].as_str();
        assert_eq!(value, Some(expected), "{key} for {user}");
    };
    let (mut checked, mut key, mut user, mut version_2) = (0, String::new(), String::new(), false);
    for line in feature.lines().map(str::trim) {
        let quoted = || line.split('"').nth(1).unwrap_or_default().to_owned();
        if line.starts_with('@') {
            version_2 = line.contains("@fractional-v2");
            let left_out = LEFT_OUT.iter().any(|tag| line.contains(tag));
            // The first line's tag is that of the whole file.
            assert!(version_2 || left_out || line == "@fractional", "unknown group {line}");
        } else if line.starts_with("Given a String-flag") {
            key = quoted();
        } else if line.starts_with("And a context containing a targeting key") {
            user = quoted();
        } else if version_2 && line.starts_with("Then the resolved details value") {
            // A scenario of its own, without examples.
            if !quoted().contains('<') {
                check(&key, &user, &quoted());
                checked += 1;
            }
        } else if version_2 && line.starts_with('|') {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            if cells[2] != "value" {
                check(&key, cells[1], cells[2]);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 21, "cases of version 2");
}

#[test]
fn unleash_flexible_rollout() {
    let text = fixture("unleash/12-custom-stickiness.json");
    let fixture: Value = serde_json::from_str(&text).expect("JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tests = fixture["tests"].as_array().expect("tests");
    for test in tests {
        let features = fixture["state"]["features"].as_array().expect("features");
        let feature = features.iter().find(|feature| feature["name"] == test["toggleName"]);
        let parameters = &feature.expect("a known feature")["strategies"][0]["parameters"];
        let group = text(&parameters["groupId"]).expect("a group");
        let percent = text(&parameters["rollout"]).expect("a percent");
        let percent: Percent = percent.parse().expect("a percent");
        let key = text(&test["context"]["properties"]["customField"]);
        let salt = Salt::with_bucketing(&group, Bucketing::Unleash);
        let enabled = key.is_some_and(|key| percent.admits(salt.bucket(key.as_bytes())));
        assert_eq!(Some(enabled), test["expectedResult"].as_bool(), "{}", test["description"]);
    }
    assert_eq!(tests.len(), 5);
    assert_eq!(fixture["variantTests"].as_array().map(Vec::len), Some(VARIANTS_LEFT_OUT));
}
