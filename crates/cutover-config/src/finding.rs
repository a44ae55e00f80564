//! A finding: what is wrong with a configuration, where, and how to mend it. And how a person reads it.

use serde::Serialize;
use std::fmt;

/// Widest line of a printed report, in characters.
const COLUMNS: usize = 80;

/// One thing that is wrong, or looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Does it stop the configuration from loading?
    pub severity: Severity,
    /// Line, from 1; 0 if it concerns the whole file.
    pub line: usize,
    /// Column in characters, from 1; 0 if it concerns the whole file.
    pub column: usize,
    /// Characters of the line that it concerns.
    pub length: usize,
    /// Dotted path of the key, `migrations.profile.read-percent`; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The line of the file; `None` where it may hold a secret.
    pub source: Option<String>,
}

impl Finding {
    /// A finding that has no place in a file.
    pub fn whole(severity: Severity, key: &str, what: &str, help: Option<&str>) -> Self {
        Self {
            severity,
            line: 0,
            column: 0,
            length: 0,
            key: key.to_owned(),
            what: what.to_owned(),
            help: help.map(str::to_owned),
            source: None,
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is loaded.
    Error,
    /// Loaded, but look at it.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// All findings of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the file.
    pub file: String,
    /// The findings, in the order of the file.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Does any finding stop the configuration from loading?
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// For machines; the fields are those of the types.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers always make JSON")
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            write_finding(f, &self.file, finding)?;
            writeln!(f)?;
        }
        let counted = |n: usize, word: &str| match n {
            1 => format!("1 {word}"),
            _ => format!("{n} {word}s"),
        };
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        match (errors, warnings) {
            (0, 0) => writeln!(f, "{}: nothing to complain about", self.file),
            (0, _) => writeln!(f, "{}: {}", self.file, counted(warnings, "warning")),
            (_, 0) => writeln!(f, "{}: {}", self.file, counted(errors, "error")),
            _ => {
                let errors = counted(errors, "error");
                writeln!(f, "{}: {errors}, {}", self.file, counted(warnings, "warning"))
            }
        }
    }
}

/// One finding the way rustc prints one: what, where, the line with a caret, how to mend it.
fn write_finding(f: &mut fmt::Formatter<'_>, file: &str, finding: &Finding) -> fmt::Result {
    let severity = finding.severity.name();
    write_wrapped(f, &format!("{severity}: "), &finding.what)?;
    let number = finding.line.to_string();
    let margin = " ".repeat(number.len());
    if finding.line == 0 {
        writeln!(f, "{margin}--> {file}")?;
    } else {
        writeln!(f, "{margin}--> {file}:{}:{}", finding.line, finding.column)?;
    }
    if let Some(source) = finding.source.as_deref().filter(|_| finding.line > 0) {
        let room = COLUMNS - number.len() - 3;
        let (shown, skipped) = clip(source, finding.column - 1, room);
        let before = finding.column - 1 - skipped;
        let carets = finding.length.clamp(1, room.saturating_sub(before).max(1));
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {shown}")?;
        writeln!(f, "{margin} | {}{}", " ".repeat(before), "^".repeat(carets))?;
    }
    if !finding.key.is_empty() {
        writeln!(f, "{margin} = key: {}", finding.key)?;
    }
    if let Some(help) = &finding.help {
        write_wrapped(f, &format!("{margin} = help: "), help)?;
    }
    Ok(())
}

/// The part of a line around `column` (from 0) that fits into `room`, tabs as spaces, and how many characters were left
/// out before it.
fn clip(line: &str, column: usize, room: usize) -> (String, usize) {
    let characters: Vec<char> =
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // A caret may stand behind the last character.
    let width = characters.len().max(column + 1);
    let skipped = match width <= room {
        true => 0,
        false => column.saturating_sub(room / 2).min(width - room),
    };
    let shown: String = characters.iter().skip(skipped).take(room).collect();
    (shown.trim_end().to_owned(), skipped)
}

/// Writes a sentence after a label, in lines of at most [`COLUMNS`] characters, indented below the label.
fn write_wrapped(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let indent = label.chars().count();
    write!(f, "{label}")?;
    let mut at = indent;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if at > indent && at + 1 + width > COLUMNS {
            write!(f, "\n{}", " ".repeat(indent))?;
            at = indent;
        }
        if at > indent {
            write!(f, " ")?;
            at += 1;
        }
        write!(f, "{word}")?;
        at += width;
    }
    writeln!(f)
}
