//! Sentences for a terminal: at most 80 columns, indented below their label.

/// Widest line, in characters.
const COLUMNS: usize = 80;

/// The text behind a label; lines after the first stand below its beginning. Line breaks of the text stay.
pub(crate) fn labelled(label: &str, text: &str) -> String {
    let indent = " ".repeat(label.chars().count());
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let width = indent.len() + line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && width > COLUMNS {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    let mut label = label;
    let mut whole = String::new();
    for line in &lines {
        if !whole.is_empty() {
            whole.push('\n');
        }
        whole.push_str(label);
        whole.push_str(line);
        label = &indent;
    }
    if lines.is_empty() { label.trim_end().to_owned() } else { whole }
}

/// Bytes, as people say them.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0).replace(".0 ", " "),
    }
}

/// A count with its noun.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `12345` as `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One line that no control character leaves: names and answers of a component are not ours.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn lines_are_bounded_and_stand_below_their_beginning() {
        let text = labelled("error: ", &"word ".repeat(40));
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("       word")), "{text}");
        assert_eq!(labelled("a: ", "b\nc"), "a: b\n   c");
        assert_eq!(labelled("reads  ", ""), "reads");
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!([size(8), size(83_000), size(16 << 20)], ["8 bytes", "82 KiB", "16 MiB"]);
        assert_eq!([counted(1, "case"), counted(2, "case")], ["1 case", "2 cases"]);
    }
}
