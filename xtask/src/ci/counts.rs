//! What test runners print, counted: closing lines, and the reasons of tests that could not run.

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
    /// Reads the output of `cargo test … -- --show-output`, or of a task that runs tests and closes with the plain line
    /// `1 passed, 0 failed`.
    pub(super) fn read(output: &str) -> Self {
        let mut counts = Self::default();
        for line in output.lines() {
            let result = line.trim().strip_prefix("test result: ");
            if let Some(closing) = result.or_else(|| is_plain_closing(line).then_some(line)) {
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

/// `12 passed, 0 failed`, perhaps with `, 1 skipped`: nothing else begins with a number and goes on like this.
fn is_plain_closing(line: &str) -> bool {
    let numbers = line.split(", ").map(|part| part.split_once(' '));
    let words: Vec<&str> = numbers
        .map_while(|part| part.filter(|(number, _)| number.parse::<usize>().is_ok()))
        .map(|(_, word)| word)
        .collect();
    matches!(words[..], ["passed", "failed"] | ["passed", "failed", "skipped"])
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
    fn the_plain_closing_line_of_other_runners_counts_too() {
        let output =
            "ok      curl: GET\nSKIPPED grpc: no package\n\n63 passed, 2 failed, 1 skipped\n";
        let counts = Counts::read(output);
        assert_eq!((counts.passed, counts.failed), (63, 2));
        assert_eq!(counts.skipped, ["grpc: no package"]);
        assert_eq!(Counts::read("2 passed, 0 failed\n").passed, 2);
        assert_eq!(Counts::read("steps: 2 passed, 0 failed\n2 passed, and 0 failed\n").passed, 0);
    }

    #[test]
    fn output_without_a_closing_line_counts_nothing() {
        assert_eq!(Counts::read("error: could not compile `x`\n"), Counts::default());
    }
}
