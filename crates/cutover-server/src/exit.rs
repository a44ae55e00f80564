//! How a command ends: its exit code, and its last words on standard error.

use std::process::ExitCode;

/// 0 done or healthy, 1 refused or failed, 2 held or inconclusive, 64 wrong usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    Held,
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Held => 2,
            Exit::Usage => 64,
        })
    }
}

/// A line for the person at the terminal.
#[expect(clippy::print_stderr, reason = "this is where the command line talks to people")]
pub(crate) fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// The result of a command. A closed pipe is the reader's business.
pub(crate) fn print(text: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
