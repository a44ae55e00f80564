//! An explanation as text of at most 80 columns.

use super::Explanation;
use std::fmt;

const COLUMNS: usize = 80;
/// Where sentences start: after two spaces and the longest word of a step.
const INDENT: usize = 13;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in wrapped(&self.request, COLUMNS) {
            writeln!(f, "{line}")?;
        }
        for step in &self.steps {
            let text = match &step.value {
                Some(value) => format!("{}: {}", step.text, value.escape_debug()),
                None => step.text.clone(),
            };
            let mut word = step.step;
            for line in wrapped(&text, COLUMNS - INDENT) {
                writeln!(f, "  {word:<width$}{line}", width = INDENT - 2)?;
                word = "";
            }
        }
        match (&self.backend, self.refused) {
            (Some(backend), _) => write!(f, "-> {backend} (generation {})", self.generation),
            (None, status) => {
                let status = status.unwrap_or_default();
                write!(f, "-> cutover answers {status} (generation {})", self.generation)
            }
        }
    }
}

/// Lines of at most `width` characters, broken at spaces where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let chars: Vec<char> = word.chars().collect();
        let room = width.saturating_sub(length + 1);
        if length > 0 && chars.len() > room {
            lines.push(String::new());
            length = 0;
        }
        for (at, part) in chars.chunks(width).enumerate() {
            if at > 0 {
                lines.push(String::new());
                length = 0;
            }
            let line = lines.last_mut().expect("there is always one line");
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.extend(part);
            length += part.len();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_at_spaces_or_hard() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrapped("a abcdefgh", 4), ["a", "abcd", "efgh"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
