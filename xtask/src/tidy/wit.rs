//! The plugin interface exists once: `wit/` is its source, the SDK carries the same text, and its version is the SDK's.

use super::Finding;
use super::packages::Packages;
use super::tree::Tree;

const SOURCE: &str = "wit/";
/// crates.io publishes a package without what lies outside its folder.
const COPIES: &[&str] = &["crates/cutover-plugin/wit/", "crates/cutover-wasm/wit/"];

pub(super) fn check(tree: &Tree, packages: &Packages) -> Vec<Finding> {
    let sdk = packages.ours.iter().find(|package| package.name == "cutover-plugin");
    let version = sdk.map_or("", |package| package.version.as_str());
    let mut findings = of_version(tree, version);
    for copy in COPIES {
        findings.extend(of_copy(tree, copy));
    }
    findings
}

fn of_version(tree: &Tree, crate_version: &str) -> Vec<Finding> {
    let sources = tree.ending(".wit").filter(|(path, _)| path.starts_with(SOURCE));
    let stated: Vec<(&str, &str)> = sources
        .filter_map(|(path, text)| {
            let line = text.lines().find(|line| line.starts_with("package cutover:plugin@"))?;
            Some((path, line["package cutover:plugin@".len()..].trim_end_matches(';')))
        })
        .collect();
    match stated[..] {
        [(_, version)] if version == crate_version => Vec::new(),
        [(path, version)] => {
            let what = format!("is version {version}, but cutover-plugin is {crate_version}");
            vec![Finding::new(path, 0, what)]
        }
        _ => vec![Finding::new(SOURCE, 0, "one file must state `package cutover:plugin@…;`")],
    }
}

fn of_copy(tree: &Tree, copy: &str) -> Vec<Finding> {
    // A package that reads `wit/` itself needs no copy.
    if !tree.has(copy) {
        return Vec::new();
    }
    let names = |folder: &str| -> Vec<String> {
        let inside = tree.paths().filter_map(|path| path.strip_prefix(folder));
        inside.filter(|name| name.ends_with(".wit")).map(str::to_owned).collect()
    };
    let mut all = names(SOURCE);
    all.extend(names(copy));
    all.sort_unstable();
    all.dedup();
    let differs = |name: &String| {
        tree.text(&format!("{SOURCE}{name}")) != tree.text(&format!("{copy}{name}"))
    };
    let finding = |name: String| {
        let what = format!("differs from {SOURCE}{name}: copy it again");
        Finding::new(format!("{copy}{name}"), 0, what)
    };
    all.into_iter().filter(differs).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "/// Docs.\npackage cutover:plugin@0.1.0;\n";

    #[test]
    fn the_version_is_the_crates() {
        let tree = Tree::of(&[("wit/cutover.wit", TEXT)]);
        assert!(of_version(&tree, "0.1.0").is_empty());
        assert!(of_version(&tree, "0.2.0")[0].to_string().contains("but cutover-plugin is 0.2.0"));
        assert_eq!(of_version(&Tree::of(&[("wit/cutover.wit", "")]), "0.1.0").len(), 1);
    }

    #[test]
    fn a_copy_is_the_same_to_the_byte() {
        let same = Tree::of(&[("wit/a.wit", TEXT), ("crates/cutover-plugin/wit/a.wit", TEXT)]);
        assert!(of_copy(&same, COPIES[0]).is_empty());
        let other = Tree::of(&[("wit/a.wit", TEXT), ("crates/cutover-plugin/wit/a.wit", "old")]);
        assert_eq!(of_copy(&other, COPIES[0]).len(), 1);
        let missing = Tree::of(&[
            ("wit/a.wit", TEXT),
            ("wit/b.wit", TEXT),
            ("crates/cutover-plugin/wit/a.wit", TEXT),
        ]);
        assert_eq!(of_copy(&missing, COPIES[0])[0].at, "crates/cutover-plugin/wit/b.wit");
    }
}
