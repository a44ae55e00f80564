//! Licences and sources of everything we are built from, by the lists in `deny.toml`, so that the rule holds on
//! machines without cargo-deny too.

use super::Finding;
use super::packages::{Package, Packages};

/// The same list as `[licenses] allow` in `deny.toml`, which a test compares.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const OUR_LICENCE: &str = "Apache-2.0 OR MIT";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(packages: &Packages) -> Vec<Finding> {
    let ours = packages.ours.iter().filter_map(of_ours);
    ours.chain(packages.theirs.iter().filter_map(of_theirs)).collect()
}

fn of_ours(package: &Package) -> Option<Finding> {
    let same = package.license.as_deref() == Some(OUR_LICENCE);
    let what = format!("license must be \"{OUR_LICENCE}\": license.workspace = true");
    (!same).then(|| Finding::new(format!("package {}", package.name), 0, what))
}

fn of_theirs(package: &Package) -> Option<Finding> {
    let at = format!("package {} {}", package.name, package.version);
    match package.source.as_deref() {
        Some(CRATES_IO) => {}
        source => {
            let from = source.unwrap_or("a path outside the workspace");
            return Some(Finding::new(at, 0, format!("comes from {from}, not from crates.io")));
        }
    }
    let Some(license) = package.license.as_deref() else {
        return Some(Finding::new(at, 0, "states no licence"));
    };
    match allows(license) {
        Some(true) => None,
        Some(false) => Some(Finding::new(at, 0, format!("its licence is not allowed: {license}"))),
        None => Some(Finding::new(at, 0, format!("its licence cannot be read: {license}"))),
    }
}

/// May we use what is under this SPDX expression? `None` if it cannot be read. In old manifests `/` means OR.
fn allows(expression: &str) -> Option<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = any_of(&words, &mut at)?;
    (at == words.len()).then_some(allowed)
}

fn any_of(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut allowed = all_of(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all_of(words, at)?;
    }
    Some(allowed)
}

fn all_of(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut allowed = single(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= single(words, at)?;
    }
    Some(allowed)
}

fn single(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let allowed = any_of(words, at)?;
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return closed.then_some(allowed);
    }
    if matches!(word, ")" | "AND" | "OR" | "WITH") {
        return None;
    }
    if words.get(*at) == Some(&"WITH") {
        let name = format!("{word} WITH {}", words.get(*at + 1)?);
        *at += 2;
        return Some(ALLOWED.contains(&name.as_str()));
    }
    Some(ALLOWED.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theirs(license: Option<&str>, source: Option<&str>) -> Option<String> {
        let package = Package {
            name: "x".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            ..Package::default()
        };
        of_theirs(&package).map(|finding| finding.to_string())
    }

    #[test]
    fn expressions_are_judged() {
        let cases = [
            ("MIT", Some(true)),
            ("GPL-3.0", Some(false)),
            ("GPL-3.0 OR MIT", Some(true)),
            ("GPL-3.0 AND MIT", Some(false)),
            ("MIT/Apache-2.0", Some(true)),
            ("(MIT OR GPL-2.0) AND Unicode-3.0", Some(true)),
            ("(MIT OR Apache-2.0) AND OpenSSL", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("GPL-2.0 WITH Classpath-exception-2.0", Some(false)),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT Apache-2.0", None),
            ("", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(allows(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_foreign_source_or_licence_is_found() {
        assert_eq!(theirs(Some("MIT"), Some(CRATES_IO)), None);
        assert!(theirs(Some("GPL-3.0"), Some(CRATES_IO)).unwrap().contains("not allowed"));
        assert!(theirs(None, Some(CRATES_IO)).unwrap().contains("no licence"));
        assert!(
            theirs(Some("MIT"), Some("git+https://example.com/x")).unwrap().contains("not from")
        );
        assert!(theirs(Some("MIT"), None).unwrap().contains("a path outside"));
    }

    #[test]
    fn a_package_of_ours_under_another_licence_is_found() {
        let package = Package { license: Some("MIT".to_owned()), ..Package::default() };
        assert!(of_ours(&package).is_some());
    }

    #[test]
    fn the_list_is_the_one_cargo_deny_reads() {
        let deny = include_str!("../../../deny.toml");
        let list = deny.split("allow = [").nth(1).unwrap().split(']').next().unwrap();
        let listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(listed, ALLOWED);
    }
}
