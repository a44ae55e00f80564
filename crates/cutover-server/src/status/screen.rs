//! `status --watch` and colours: only where a terminal is at the other end.

use std::io::IsTerminal as _;

/// Home, and clear to the end.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Is a terminal at the other end, and are colours wanted?
#[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb")
}

#[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
fn refuses_colours() -> bool {
    std::env::var("NO_COLOR").is_ok_and(|no| !no.is_empty())
}

/// One screen, in the place of the one before.
pub(super) fn screen(text: &str) -> String {
    if is_terminal() { format!("{CLEAR}{}", coloured(text)) } else { format!("{text}\n") }
}

/// The words that a tired eye looks for.
pub(super) fn coloured(text: &str) -> String {
    if !is_terminal() || refuses_colours() {
        return text.to_owned();
    }
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn line(line: &str) -> String {
    let words = line.trim_start();
    let (indent, rest) = line.split_at(line.len() - words.len());
    let marks = [
        ("pass", "32"),
        ("fail", "1;31"),
        ("inconclusive", "33"),
        ("wrong:", "1;31"),
        ("held:", "1;33"),
        ("rejected:", "1;33"),
        ("next:", "1"),
    ];
    let found = marks
        .into_iter()
        .find(|(mark, _)| rest.strip_prefix(mark).is_some_and(|after| after.starts_with(' ')));
    match found {
        Some((mark, colour)) => {
            format!("{indent}\x1b[{colour}m{mark}\x1b[0m{}", &rest[mark.len()..])
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn only_the_word_is_coloured() {
        assert_eq!(line("  pass  errors"), "  \x1b[32mpass\x1b[0m  errors");
        assert_eq!(line("wrong: x"), "\x1b[1;31mwrong:\x1b[0m x");
        assert_eq!(line("passing by"), "passing by");
    }
}
