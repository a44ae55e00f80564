//! Every sample configuration is mentioned in the documentation: nobody finds the others.

use super::Finding;
use super::tree::Tree;

const FOLDER: &str = "examples/configs/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let configs = tree.paths().filter(|path| path.starts_with(FOLDER) && path.ends_with(".toml"));
    let mentioned = |path: &&str| {
        tree.ending(".md").any(|(_, text)| text.contains(path.trim_start_matches("examples/")))
    };
    let unmentioned = configs.filter(|path| !mentioned(path));
    let what = "is mentioned in no Markdown file: say what it shows in docs/README.md";
    unmentioned.map(|path| Finding::new(path, 0, what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_that_nobody_mentions_is_found() {
        let tree = Tree::of(&[
            ("README.md", "see examples/configs/a.toml\n"),
            ("examples/README.md", "see configs/b.toml\n"),
            ("examples/configs/a.toml", ""),
            ("examples/configs/b.toml", ""),
            ("examples/configs/c.toml", ""),
        ]);
        let found: Vec<String> = check(&tree).into_iter().map(|finding| finding.at).collect();
        assert_eq!(found, ["examples/configs/c.toml"]);
    }
}
