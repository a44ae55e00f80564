//! Which of our packages may depend on which, and what they must not depend on directly.
//!
//! A new arrow is a decision: change this table and say why in `docs/decisions/`.

use super::Finding;
use super::packages::{Package, Packages};

/// The arrows of one package.
struct Arrows {
    package: &'static str,
    /// Packages of ours it may use.
    to: &'static [&'static str],
    /// Packages of ours it may use in tests besides.
    dev: &'static [&'static str],
    /// Foreign packages it must not use, tests aside.
    never: &'static [&'static str],
}

const TABLE: &[Arrows] = &[
    Arrows {
        package: "cutover-core",
        to: &[],
        dev: &["cutover-test"],
        // Pure: what these bring in (I/O, clocks, randomness, formats) must not be there to be called.
        never: &[
            "anyhow",
            "pingora",
            "rand",
            "serde",
            "serde_json",
            "tokio",
            "toml",
            "tracing",
            "tracing-subscriber",
            "wasmtime",
        ],
    },
    Arrows {
        package: "cutover-config",
        to: &["cutover-core"],
        dev: &["cutover-test"],
        never: &["anyhow", "pingora", "tokio", "wasmtime"],
    },
    Arrows {
        package: "cutover-wasm",
        to: &["cutover-core"],
        dev: &["cutover-test"],
        never: &["anyhow", "pingora", "tokio", "toml"],
    },
    Arrows {
        package: "cutover",
        to: &["cutover-core", "cutover-config", "cutover-wasm"],
        dev: &["cutover-test"],
        never: &["anyhow", "pingora", "tokio", "toml", "wasmtime"],
    },
    Arrows {
        package: "cutover-server",
        // The SDK is carried as files for `plugin new`, not called.
        to: &["cutover", "cutover-plugin"],
        dev: &["cutover-test"],
        never: &["toml", "wasmtime"],
    },
    Arrows {
        package: "cutover-plugin",
        to: &[],
        dev: &[],
        never: &["anyhow", "pingora", "tokio", "wasmtime"],
    },
    Arrows { package: "cutover-test", to: &[], dev: &[], never: &["pingora", "wasmtime"] },
    Arrows {
        package: "cutover-benches",
        to: &["cutover", "cutover-config", "cutover-core", "cutover-wasm"],
        dev: &["cutover-test"],
        never: &["wasmtime"],
    },
    Arrows {
        package: "cutover-examples",
        to: &["cutover"],
        dev: &["cutover-test"],
        never: &["toml", "wasmtime"],
    },
    Arrows { package: "xtask", to: &[], dev: &[], never: &["pingora", "tokio", "wasmtime"] },
];

pub(super) fn check(packages: &Packages) -> Vec<Finding> {
    packages.ours.iter().flat_map(|package| of_package(package, &packages.ours)).collect()
}

fn of_package(package: &Package, ours: &[Package]) -> Vec<Finding> {
    let finding = |what: String| Finding::new(format!("package {}", package.name), 0, what);
    let Some(arrows) = TABLE.iter().find(|arrows| arrows.package == package.name) else {
        let how = "its arrows are not in the table of xtask/src/tidy/arrows.rs";
        return vec![finding(how.to_owned())];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        if ours.iter().any(|package| package.name == name) {
            let allowed = arrows.to.contains(&name) || dependency.dev && arrows.dev.contains(&name);
            // A package may use itself in its tests.
            if !allowed && name != package.name {
                let kind = if dependency.dev { "in its tests " } else { "" };
                findings.push(finding(format!("must not depend {kind}on {name} (DESIGN: arrows)")));
            }
        } else if !dependency.dev && forbidden(arrows.never, name) {
            findings.push(finding(format!("must not depend directly on {name}")));
        }
    }
    findings
}

/// `pingora` forbids `pingora-core` too: the families are walled off whole.
fn forbidden(never: &[&str], name: &str) -> bool {
    never.iter().any(|family| {
        let rest = name.strip_prefix(family);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest.starts_with('-') && matches!(*family, "pingora" | "wasmtime" | "tokio")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::packages::Dependency;
    use super::*;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependency =
            |(name, dev): &(&str, bool)| Dependency { name: (*name).to_owned(), dev: *dev };
        let dependencies = dependencies.iter().map(dependency).collect();
        Package { name: name.to_owned(), dependencies, ..Package::default() }
    }

    fn findings(ours: Vec<Package>) -> Vec<String> {
        let found = check(&Packages { ours, theirs: Vec::new() });
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_arrows_of_the_design_are_fine() {
        let found = findings(vec![
            package("cutover-core", &[("http", false), ("serde_json", true)]),
            package("cutover-wasm", &[("cutover-core", false), ("wasmtime", false)]),
            package("cutover-server", &[("cutover", false), ("pingora", false)]),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn an_arrow_back_is_found() {
        let found = findings(vec![
            package("cutover-core", &[("cutover-config", false)]),
            package("cutover-config", &[]),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("package cutover-core: must not depend on cutover-config"));
    }

    #[test]
    fn an_arrow_back_in_tests_is_found_too() {
        let ours = vec![package("cutover-core", &[("cutover", true)]), package("cutover", &[])];
        assert_eq!(findings(ours).len(), 1);
    }

    #[test]
    fn a_walled_off_family_is_found() {
        let found = findings(vec![
            package("cutover-server", &[("wasmtime", false)]),
            package("cutover", &[("pingora-core", false), ("tokio", true)]),
            package("cutover-plugin", &[("tokio-util", false)]),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn a_package_without_a_row_is_found() {
        assert!(findings(vec![package("cutover-tools", &[])])[0].contains("not in the table"));
    }
}
