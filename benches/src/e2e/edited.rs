//! The header that every product is told to rewrite, on the way in and on the way out, always to the same text.

/// Its name. Guests that do as much as they are told set it first.
pub const NAME: &str = "x-1";
/// What clients send.
pub const CLIENTS: &str = "as the client wrote it";
/// What the backend answers.
pub const BACKENDS: &str = "as the backend wrote it";
/// What both become.
pub const EDITED: &str = "a value of a usual size";

/// How often a header's bytes have this line; names do not care for capitals.
pub fn lines(head: &[u8], value: Option<&str>) -> usize {
    let head = String::from_utf8_lossy(head);
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let ours = fields.filter(|(name, _)| name.eq_ignore_ascii_case(NAME));
    ours.filter(|(_, text)| value.is_none_or(|value| text.trim() == value)).count()
}

/// Is the edited line there, and no other one of its name?
pub fn is_edited(head: &[u8]) -> bool {
    lines(head, Some(EDITED)) == 1 && lines(head, None) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_edited_if_the_old_line_is_gone() {
        let edited = format!("GET / HTTP/1.1\r\nX-1: {EDITED}\r\n\r\n");
        assert!(is_edited(edited.as_bytes()));
        let twice = format!("GET / HTTP/1.1\r\nx-1: {CLIENTS}\r\nx-1: {EDITED}\r\n\r\n");
        assert!(!is_edited(twice.as_bytes()));
        assert!(!is_edited(b"GET / HTTP/1.1\r\nx-11: 1\r\n\r\n"));
    }
}
