//! Reads the text of JSON (RFC 8259) into a [`Document`], without recursion and without rounding.

use super::json::{Document, MAX_DEPTH, MAX_VALUES, Shape, Span, Unreadable, Value};

/// What comes next.
#[derive(Clone, Copy)]
enum Expect {
    Value,
    ElementOrEnd,
    Name,
    NameOrEnd,
    /// After a value: the next one, the end of its container, or of the text.
    CommaOrEnd,
}

pub(super) struct Reader<'b> {
    text: &'b str,
    /// The next byte.
    at: usize,
    document: Document,
    /// Containers that have not ended.
    open: Vec<u32>,
    /// Name of the next value.
    name: Span,
}

impl<'b> Reader<'b> {
    pub(super) fn new(text: &'b str) -> Self {
        // A value takes some ten bytes in usual replies.
        let values = Vec::with_capacity((text.len() / 10 + 1).min(MAX_VALUES));
        let document = Document { values, text: String::with_capacity(text.len()) };
        Self { text, at: 0, document, open: Vec::new(), name: Span::default() }
    }

    pub(super) fn read(mut self) -> Result<Document, Unreadable> {
        let mut expect = Expect::Value;
        loop {
            self.skip_blanks();
            expect = match expect {
                Expect::ElementOrEnd if self.eat(b']') => self.close(),
                Expect::NameOrEnd if self.eat(b'}') => self.close(),
                Expect::Value | Expect::ElementOrEnd => self.value()?,
                Expect::Name | Expect::NameOrEnd => self.member()?,
                Expect::CommaOrEnd => match self.open.last() {
                    None if self.at == self.text.len() => return Ok(self.document),
                    None => return Err(self.malformed()),
                    Some(&container) => self.after_value(container)?,
                },
            };
        }
    }

    fn after_value(&mut self, container: u32) -> Result<Expect, Unreadable> {
        let array = self.document.values[container as usize].shape == Shape::Array;
        if self.eat(b',') {
            Ok(if array { Expect::Value } else { Expect::Name })
        } else if self.eat(if array { b']' } else { b'}' }) {
            Ok(self.close())
        } else {
            Err(self.malformed())
        }
    }

    /// A name and its colon.
    fn member(&mut self) -> Result<Expect, Unreadable> {
        if !self.eat(b'"') {
            return Err(self.malformed());
        }
        self.name = self.string()?;
        self.skip_blanks();
        if self.eat(b':') { Ok(Expect::Value) } else { Err(self.malformed()) }
    }

    fn value(&mut self) -> Result<Expect, Unreadable> {
        let (shape, text) = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                (Shape::String, self.string()?)
            }
            Some(b'-' | b'0'..=b'9') => (Shape::Number, self.number()?),
            Some(b'{') => return self.open(Shape::Object),
            Some(b'[') => return self.open(Shape::Array),
            Some(b't') => (Shape::True, self.word("true")?),
            Some(b'f') => (Shape::False, self.word("false")?),
            Some(b'n') => (Shape::Null, self.word("null")?),
            Some(_) | None => return Err(self.malformed()),
        };
        self.add(shape, text)?;
        Ok(Expect::CommaOrEnd)
    }

    fn open(&mut self, shape: Shape) -> Result<Expect, Unreadable> {
        if self.open.len() == MAX_DEPTH {
            return Err(Unreadable::TooDeep);
        }
        self.at += 1;
        let container = self.add(shape, Span::default())?;
        self.open.push(container);
        Ok(if shape == Shape::Array { Expect::ElementOrEnd } else { Expect::NameOrEnd })
    }

    fn close(&mut self) -> Expect {
        let end = self.document.values.len() as u32;
        if let Some(container) = self.open.pop() {
            self.document.values[container as usize].end = end;
        }
        Expect::CommaOrEnd
    }

    fn add(&mut self, shape: Shape, text: Span) -> Result<u32, Unreadable> {
        let values = &mut self.document.values;
        if values.len() == MAX_VALUES {
            return Err(Unreadable::TooLarge);
        }
        if let Some(&parent) = self.open.last() {
            // A container's text is not used for anything else than to count.
            values[parent as usize].text.len += 1;
        }
        let at = values.len() as u32;
        let name = std::mem::take(&mut self.name);
        values.push(Value { shape, name, text, end: at + 1 });
        Ok(at)
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self) -> Result<Span, Unreadable> {
        let start = self.document.text.len();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < b' ');
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.malformed());
            };
            // All three are ASCII, so a character begins there.
            self.document.text.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain;
            if self.eat(b'"') {
                return Ok(Span::between(start, self.document.text.len()));
            }
            if !self.eat(b'\\') {
                return Err(self.malformed());
            }
            let c = self.escape()?;
            self.document.text.push(c);
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, Unreadable> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            Some(_) | None => return Err(self.malformed()),
        };
        self.at += 1;
        Ok(c)
    }

    /// `uXXXX`, or two of them with a backslash between if it takes a pair of surrogates.
    fn code_point(&mut self) -> Result<char, Unreadable> {
        let start = self.at;
        let first = self.code_unit()?;
        let pair = (0xD800..0xDC00).contains(&first) && self.eat(b'\\');
        let second = if pair { Some(self.code_unit()?) } else { None };
        let mut decoded = char::decode_utf16(std::iter::once(first).chain(second));
        match decoded.next() {
            Some(Ok(c)) => Ok(c),
            Some(Err(_)) | None => Err(Unreadable::Malformed { at: start as u64 }),
        }
    }

    fn code_unit(&mut self) -> Result<u16, Unreadable> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let (Some(b'u'), Some(digits)) = (self.peek(), digits) else {
            return Err(self.malformed());
        };
        self.at += 5;
        Ok(digits.iter().fold(0, |unit, &digit| {
            unit << 4 | char::from(digit).to_digit(16).unwrap_or_default() as u16
        }))
    }

    fn number(&mut self) -> Result<Span, Unreadable> {
        let start = self.at;
        self.eat(b'-');
        // No zeros in front.
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        let kept = self.document.text.len();
        self.document.text.push_str(&self.text[start..self.at]);
        Ok(Span::between(kept, self.document.text.len()))
    }

    /// At least one.
    fn digits(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.malformed()) }
    }

    fn word(&mut self, word: &str) -> Result<Span, Unreadable> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.malformed());
        }
        self.at += word.len();
        Ok(Span::default())
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn malformed(&self) -> Unreadable {
        Unreadable::Malformed { at: self.at as u64 }
    }
}
