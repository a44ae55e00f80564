//! What the demo prints: plain text of at most 78 columns, in colour only on a terminal.

use super::tally::{SideTally, Tally};
use crate::paragraph::{labelled, thousands};
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// The terminal, or whatever standard output is.
#[derive(Debug)]
pub(crate) struct Screen {
    colour: bool,
}

impl Screen {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self { colour: std::io::stdout().is_terminal() }
    }

    /// One line.
    pub(crate) fn line(&self, text: &str) {
        // A closed pipe must not end the demo half way, with services still running.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// A story begins.
    pub(crate) fn title(&self, title: &str) {
        self.line("");
        self.line(&self.paint("1;4", title));
        self.line("");
    }

    /// A text of any length, indented.
    pub(crate) fn wrapped(&self, indent: &str, text: &str) {
        self.line(&labelled(indent, text));
    }

    /// An act begins.
    pub(crate) fn act(&self, number: usize, title: &str) {
        self.line("");
        self.line(&self.paint("1", &format!("{number}. {title}")));
    }

    /// The account of an act.
    pub(crate) fn tally(&self, tally: &Tally) {
        self.line("   side   requests   share    users    p50        p99");
        let all = (tally.old.requests + tally.new.requests).max(1);
        let rows = [("old", &tally.old, "36"), ("new", &tally.new, "35")];
        for (name, side, colour) in rows {
            self.line(&self.paint(colour, &row(name, side, all)));
        }
    }

    /// A claim, checked.
    pub(crate) fn check(&self, claim: &Claim) {
        let (mark, colour) = if claim.holds { ("ok  ", "32") } else { ("FAIL", "31") };
        self.line(&format!("   {}  {}", self.paint(colour, mark), claim.text));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A sentence that is true or not.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Is it?
    pub(crate) holds: bool,
    /// The sentence, with its number in it.
    pub(crate) text: String,
}

impl Claim {
    /// A claim.
    pub(crate) fn new(holds: bool, text: impl Into<String>) -> Self {
        Self { holds, text: text.into() }
    }
}

fn row(name: &str, side: &SideTally, all: usize) -> String {
    let share = side.requests as f64 * 100.0 / all as f64;
    format!(
        "   {name:<5}{:>10}   {share:>5.1} %{:>8}    {:<10} {}",
        thousands(side.requests as u64),
        thousands(side.users as u64),
        milliseconds(side.p50),
        milliseconds(side.p99),
    )
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits() {
        let side = SideTally {
            requests: 1_000_000,
            users: 2_000,
            p50: Duration::from_micros(3_140),
            p99: Duration::from_secs(2),
        };
        let row = row("old", &side, 2_000_000);
        assert!(row.contains("50.0 %") && row.contains("3.1 ms"), "{row}");
        assert!(row.len() <= 78, "{row}");
    }
}
