//! Names of modules: a drawer says nothing about what lies in it.

use super::Finding;
use super::tree::Tree;

const DRAWERS: &[&str] = &[
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "lib_utils",
    "manager",
    "misc",
    "models",
    "shared",
    "structs",
    "stuff",
    "tools",
    "types",
    "util",
    "utils",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.paths().filter_map(of_path).collect()
}

fn of_path(path: &str) -> Option<Finding> {
    let module = path.strip_suffix(".rs")?;
    // Folders above `src` and `tests` are packages, whose names are the workspace's.
    let inside = ["src/", "tests/", "benches/"].iter().find_map(|root| {
        let at = module.find(root)?;
        Some(&module[at + root.len()..])
    })?;
    let drawer = inside.split('/').find(|name| DRAWERS.contains(name))?;
    let what = format!("`{drawer}` is a drawer: put each thing beside its user, or give it a noun");
    Some(Finding::new(path, 0, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> bool {
        !check(&Tree::of(&[(path, "")])).is_empty()
    }

    #[test]
    fn drawers_are_found_as_files_and_as_folders() {
        assert!(found("crates/cutover/src/utils.rs"));
        assert!(found("crates/cutover/src/common/mod.rs"));
        assert!(found("crates/cutover/src/admin/types.rs"));
        assert!(found("crates/cutover/tests/it/helpers.rs"));
    }

    #[test]
    fn nouns_and_packages_are_fine() {
        assert!(!found("crates/cutover-core/src/route.rs"));
        assert!(!found("crates/core/src/lib.rs"));
        assert!(!found("docs/common.md"));
    }
}
