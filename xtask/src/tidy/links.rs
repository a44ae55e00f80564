//! Relative links of Markdown files lead to files that are there.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".md").flat_map(|(path, text)| of_file(tree, path, text)).collect()
}

fn of_file(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for target in targets(line) {
            let whole = resolve(folder, target);
            if !whole.is_some_and(|whole| tree.has(&whole)) {
                let what = format!("links to {target}, which is not there");
                findings.push(Finding::new(path, at + 1, what));
            }
        }
    }
    findings
}

/// Targets of `[text](target)` that are files: no other site, no anchor of the same page.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = links.map(|link| link.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:"))
}

/// The path within the project; `None` if it leads out.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> usize {
        check(&Tree::of(&[("docs/a.md", text), ("docs/b.md", ""), ("README.md", "")])).len()
    }

    #[test]
    fn good_links_are_left_alone() {
        let good = "[b](b.md), [b](./b.md#part), [up](../README.md), [docs](../docs/), [here](#x)\n\
                    [out](https://example.com/a.md)\n```\n[code](gone.md)\n```\n";
        assert_eq!(findings(good), 0);
    }

    #[test]
    fn links_to_nothing_are_found() {
        assert_eq!(findings("see [b](b.md) and [c](c.md)\n"), 1);
        assert_eq!(findings("[out](../../x.md)\n"), 1);
    }
}
