//! Decision records are numbered from 0001 without gaps, and begin with their number and title.

use super::Finding;
use super::tree::Tree;

const FOLDER: &str = "docs/decisions/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut next = 1;
    for (path, text) in tree.ending(".md").filter(|(path, _)| path.starts_with(FOLDER)) {
        let name = &path[FOLDER.len()..];
        let digits = name.split('-').next().unwrap_or_default();
        let number: Option<usize> = (digits.len() == 4).then(|| digits.parse().ok()).flatten();
        let Some(number) = number else {
            findings.push(Finding::new(path, 0, "must be called NNNN-what-was-decided.md"));
            continue;
        };
        if number != next {
            findings.push(Finding::new(path, 0, format!("the next number is {next:04}")));
        }
        next = number + 1;
        if !text.starts_with(&format!("# {digits} ")) {
            let what = format!("its first line must be `# {digits} ` and the title");
            findings.push(Finding::new(path, 1, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_row_without_gaps_is_fine() {
        let files = [
            ("docs/decisions/0001-a.md", "# 0001 A\n"),
            ("docs/decisions/0002-b.md", "# 0002 B\n"),
            ("docs/guide.md", "# Guide\n"),
        ];
        assert_eq!(findings(&files), Vec::<String>::new());
    }

    #[test]
    fn gaps_twins_and_wrong_names_are_found() {
        let gap = [("docs/decisions/0002-b.md", "# 0002 B\n")];
        assert!(findings(&gap)[0].contains("the next number is 0001"));
        let twins = [
            ("docs/decisions/0001-a.md", "# 0001 A\n"),
            ("docs/decisions/0001-b.md", "# 0001 B\n"),
        ];
        assert!(findings(&twins)[0].contains("0001-b.md: the next number is 0002"));
        assert!(findings(&[("docs/decisions/notes.md", "# N\n")])[0].contains("must be called"));
        assert!(findings(&[("docs/decisions/0001-a.md", "# A\n")])[0].contains("first line"));
    }
}
