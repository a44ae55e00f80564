//! What test runners print, counted: the closing lines of `cargo test`, and the reasons of tests that could not run.

use std::fmt;

/// How many tests there were, and why some could not run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// One reason for each line `SKIPPED: …`.
    pub(super) skipped: Vec<String>,
}

impl Counts {
    /// Reads the output of `cargo test … -- --show-output`, or of a task that runs tests.
    pub(super) fn read(output: &str) -> Self {
        let mut counts = Self::default();
        for line in output.lines() {
            if let Some(closing) = line.trim().strip_prefix("test result: ") {
                counts.passed += number_before(closing, " passed");
                counts.failed += number_before(closing, " failed");
            } else if let Some(why) = line.trim().strip_prefix("SKIPPED") {
                counts.skipped.push(why.trim_start_matches([':', ' ']).to_owned());
            } else if line == "Success" {
                // Criterion in test mode closes each bench with this line.
                counts.passed += 1;
            }
        }
        counts
    }

    pub(super) fn add(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped.extend(more.skipped);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tests: {} passed, {} failed", self.passed, self.failed)?;
        if !self.skipped.is_empty() {
            write!(f, ", {} skipped", self.skipped.len())?;
        }
        Ok(())
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split(word).next().unwrap_or_default();
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_all_binaries_are_added_up() {
        let output = "\
running 2 tests
test a ... ok

successes:

---- fixtures stdout ----
SKIPPED: no fixtures beside the repository

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 10 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out
Testing decide/1
Success
";
        let counts = Counts::read(output);
        assert_eq!((counts.passed, counts.failed), (13, 1));
        assert_eq!(counts.skipped, ["no fixtures beside the repository"]);
        assert_eq!(counts.to_string(), "tests: 13 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn output_without_a_closing_line_counts_nothing() {
        assert_eq!(Counts::read("error: could not compile `x`\n"), Counts::default());
    }
}
