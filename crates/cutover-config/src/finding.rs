//! A finding: what is wrong with a configuration, where, and how to mend it.

use std::fmt;

/// One thing that is wrong, or looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Does it stop the configuration from loading?
    pub severity: Severity,
    /// Line, from 1; 0 if it concerns the whole file.
    pub line: usize,
    /// Column in characters, from 1; 0 if it concerns the whole file.
    pub column: usize,
    /// Dotted path of the key, `migrations.profile.read-percent`.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is loaded.
    Error,
    /// Loaded, but look at it.
    Warning,
}

/// All findings of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the file.
    pub file: String,
    /// The findings, in the order of the file.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{}:{}:{}: {}", self.file, finding.line, finding.column, finding.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
