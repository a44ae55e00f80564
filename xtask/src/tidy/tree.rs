//! The project's files, as git knows them: committed ones and new ones that are not ignored.

use crate::process::output;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Files by path, with `/` between folders.
pub(super) struct Tree {
    /// `None`: not text.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = output(Command::new("git").args(list).current_dir(root))?;
        let mut files = BTreeMap::new();
        for path in listed.split_terminator('\0') {
            // A file that git still lists may be deleted already.
            if let Ok(bytes) = std::fs::read(root.join(path)) {
                files.insert(path.to_owned(), String::from_utf8(bytes).ok());
            }
        }
        Ok(Self { files })
    }

    /// A tree for tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), Some((*text).to_owned()));
        Self { files: files.iter().map(owned).collect() }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Text files whose path ends so, with their text.
    pub(super) fn ending<'t>(&'t self, end: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
        let texts = self.files.iter().filter_map(|(path, text)| Some((&**path, text.as_deref()?)));
        texts.filter(move |(path, _)| path.ends_with(end))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Is there a file or folder of this path?
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        if path.is_empty() || self.files.contains_key(path) {
            return true;
        }
        let inside = format!("{path}/");
        let mut after = self.files.range(inside.clone()..);
        after.next().is_some_and(|(next, _)| next.starts_with(&inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_there_if_a_file_is_in_them() {
        let tree = Tree::of(&[("a/b/c.rs", ""), ("a/bc.rs", "")]);
        assert!(tree.has("a/b") && tree.has("a/b/") && tree.has("a/bc.rs"));
        assert!(!tree.has("a/c") && !tree.has("a/bc") && !tree.has("b"));
    }

    #[test]
    fn texts_are_found_by_their_ending() {
        let tree = Tree::of(&[("a.md", "x"), ("b.rs", "y")]);
        assert_eq!(tree.ending(".md").collect::<Vec<_>>(), [("a.md", "x")]);
        assert_eq!(tree.text("b.rs"), Some("y"));
    }
}
