//! `cargo xtask tidy`: the rules of the project that no compiler checks. Also a test of this crate.
//!
//! Each check is a function from what it looks at to findings, and has a test with a bad specimen.

mod architecture;
mod arrows;
mod configs;
mod decisions;
mod licences;
mod links;
mod metrics;
mod names;
mod packages;
mod sizes;
mod text;
mod tree;
mod wit;

use crate::process::root;
use anyhow::{Result, bail};
use packages::Packages;
use std::fmt;
use std::path::Path;
use tree::Tree;

/// One thing that is against the rules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// File or package.
    at: String,
    /// From 1; 0 if it concerns the whole.
    line: usize,
    /// What is wrong, and how to mend it.
    what: String,
}

impl Finding {
    fn new(at: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { at: at.into(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.at, self.what),
            line => write!(f, "{}:{line}: {}", self.at, self.what),
        }
    }
}

/// Everything tidy has to say.
pub(crate) struct Report {
    /// Against the rules.
    pub(crate) findings: Vec<Finding>,
    /// Only worth a look: long files and functions.
    pub(crate) advice: Vec<Finding>,
    files: usize,
    packages: usize,
}

impl Report {
    /// What was looked at, in a few words.
    pub(crate) fn summary(&self) -> String {
        let Self { files, packages, .. } = self;
        let long = self.advice.len();
        format!("{files} files, {packages} packages; {long} files or functions are long")
    }
}

/// Prints the report; an error if there are findings.
pub(crate) fn run() -> Result<()> {
    let report = look(&root())?;
    for line in &report.advice {
        println!("advice: {line}");
    }
    for line in &report.findings {
        println!("{line}");
    }
    match report.findings.len() {
        0 => println!("tidy: {}", report.summary()),
        n => bail!("{n} findings"),
    }
    Ok(())
}

/// Looks at the whole project.
pub(crate) fn look(root: &Path) -> Result<Report> {
    let tree = Tree::read(root)?;
    let packages = Packages::read(root)?;
    let checks = [
        arrows::check(&packages),
        licences::check(&packages),
        text::check(&tree),
        names::check(&tree),
        architecture::check(&tree),
        links::check(&tree),
        wit::check(&tree, &packages),
        decisions::check(&tree),
        configs::check(&tree),
        metrics::check(&tree),
    ];
    Ok(Report {
        findings: checks.into_iter().flatten().collect(),
        advice: sizes::advice(&tree),
        files: tree.paths().count(),
        packages: packages.count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_tidy() {
        let report = look(&root()).unwrap();
        let lines: Vec<String> = report.findings.iter().map(Finding::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
        assert!(report.files > 50 && report.packages > 100, "{}", report.summary());
    }

    #[test]
    fn a_finding_says_where() {
        assert_eq!(Finding::new("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
        assert_eq!(Finding::new("a.rs", 0, "bad").to_string(), "a.rs: bad");
    }
}
