//! What no text file of ours contains: trailing blanks, foreign line ends, paths of somebody's machine, promises without
//! an issue; and what each Rust file begins with.

use super::Finding;
use super::tree::Tree;

/// Written by tools or by others.
const NOT_OURS: &[&str] = &["LICENSE-APACHE", ".lock", ".pem", ".wasm", "package-lock.json"];

/// Paths that exist on one machine only. In parts, so that this file does not contain them.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:", "\\Users"),
];
const PROMISES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // Seeds are what arrives from outside, byte for byte.
    let outside = |path: &str| {
        path.contains("/generated/") || path.contains("/vendor/") || path.starts_with("fuzz/seeds/")
    };
    let foreign = |path: &str| outside(path) || NOT_OURS.iter().any(|end| path.ends_with(end));
    let texts = tree.ending("").filter(|(path, _)| !foreign(path));
    texts.flat_map(|(path, text)| of_file(path, text)).collect()
}

fn of_file(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Documentation may also be included from a page of its own.
    let says = text.starts_with("//!") || text.starts_with("#![doc = include_str!(");
    if path.ends_with(".rs") && !says {
        let what = "its first line must be `//!` and say what the file is for";
        findings.push(Finding::new(path, 1, what));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, 0, "its last line has no end"));
    }
    for (at, line) in text.split('\n').enumerate() {
        findings.extend(of_line(line).map(|what| Finding::new(path, at + 1, what)));
    }
    findings
}

fn of_line(line: &str) -> impl Iterator<Item = String> {
    let blank = line.ends_with([' ', '\t']).then(|| "ends with a blank".to_owned());
    let carriage = line.ends_with('\r').then(|| "ends with a carriage return".to_owned());
    let path = MACHINE_PATHS.iter().find(|path| names_path(line, path));
    let path = path.map(|path| format!("names a path of one machine ({path}…)"));
    let promise = PROMISES.iter().find(|word| promises(line, word));
    let promise =
        promise.map(|word| format!("{word} without its issue: write {word} (#n), or do it"));
    [blank, carriage, path, promise].into_iter().flatten()
}

/// Only at the beginning of a path: `/api/home/7` is a route, not a folder of somebody's.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '}' | '*'))
    })
}

fn promises(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let after = &line[at + word.len()..];
        let whole = !line[..at].ends_with(part_of_word) && !after.starts_with(part_of_word);
        whole && !after.trim_start().starts_with("(#")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn good_files_are_left_alone() {
        let todo = PROMISES[0];
        let good = format!("//! For tests.\n// {todo} (#12): later. {todo}S is another word.\n");
        assert_eq!(findings("a.rs", &good), Vec::<String>::new());
        assert_eq!(findings("b.rs", "#![doc = include_str!(\"b.md\")]\n"), Vec::<String>::new());
        assert_eq!(findings("a.md", "GET /api/home/7\n"), Vec::<String>::new());
        assert_eq!(findings("Cargo.lock", "x \n"), Vec::<String>::new());
        assert_eq!(findings("plugins/x/generated/x.h", "x \n"), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_for_is_found() {
        assert!(findings("a.rs", "fn main() {}\n")[0].starts_with("a.rs:1: its first line"));
        assert_eq!(findings("a.sh", "true\n"), Vec::<String>::new());
    }

    #[test]
    fn blanks_and_line_ends_are_found() {
        assert_eq!(findings("a.md", "good\nbad \n"), ["a.md:2: ends with a blank"]);
        assert_eq!(findings("a.md", "bad\r\n"), ["a.md:1: ends with a carriage return"]);
        assert_eq!(findings("a.md", "bad"), ["a.md: its last line has no end"]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in MACHINE_PATHS {
            assert_eq!(findings("a.md", &format!("see {path}x\n")).len(), 1, "{path}");
        }
    }

    #[test]
    fn promises_without_an_issue_are_found() {
        for word in PROMISES {
            assert_eq!(findings("a.md", &format!("{word}: later\n")).len(), 1, "{word}");
        }
    }
}
