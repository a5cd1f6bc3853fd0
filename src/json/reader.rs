use super::{ListAt, ObjectAt, Result, Text, Unreadable};
use std::ops::Range;

/// How many objects and lists may stand inside one another. The host's own reader stops there too.
pub const MAX_DEPTH: u32 = 128;

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// A list.
    List,
    /// An object.
    Object,
}

/// A value that was checked for form and left unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The value's text, without white space around it.
    pub text: &'a str,
    /// Where it begins in the reader's text.
    pub at: usize,
}

impl<'a> Raw<'a> {
    /// A reader of this value alone; its positions count from the value's first byte.
    #[must_use]
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.text)
    }

    /// Whether one of its strings is exactly this. Only of a value whose strings have no escapes.
    #[must_use]
    pub fn has_string(&self, wanted: &str) -> bool {
        let bytes = self.text.as_bytes();
        let mut reader = Reader::new(self.text);
        loop {
            let Some(stop) = reader.pass_plain() else { return false };
            reader.at += 1;
            let end = reader.at + wanted.len();
            let found =
                stop == b'"' && bytes.get(end) == Some(&b'"') && bytes.get(reader.at..end) == Some(wanted.as_bytes());
            if found {
                return true;
            }
        }
    }

    /// Whether its strings are written without escapes, so that what they hold can be searched for.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.text.contains('\\')
    }

    /// The bytes that the value takes up in the reader's text.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// Where reading an object stands: see [`Reader::key`].
#[derive(Debug)]
pub struct Fields {
    empty: bool,
    close: usize,
}

impl Fields {
    /// Where keys can be added. Only known once [`Reader::key`] has answered `None`.
    #[must_use]
    pub fn at(&self) -> ObjectAt {
        ObjectAt { close: self.close, empty: self.empty }
    }
}

/// Where reading a list stands: see [`Reader::element`].
#[derive(Debug)]
pub struct Elements {
    next: usize,
    close: usize,
}

impl Elements {
    /// Where elements can be added. Only known once [`Reader::element`] has answered `None`.
    #[must_use]
    pub fn at(&self) -> ListAt {
        ListAt { close: self.close, len: self.next }
    }
}

/// What [`Reader::note`] noted of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted<'a, const N: usize> {
    /// The texts of the values, in the order of the keys that were asked for; of a key that stands there twice the last.
    pub values: [Option<&'a str>; N],
    /// The index of a key that stands there twice.
    pub twice: Option<usize>,
}

/// Reads JSON front to back, without building a tree.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// A reader of `text`, which must hold one value.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// A reader that goes on in `text` at a position where a value begins.
    #[must_use]
    pub fn at(text: &'a str, position: usize) -> Self {
        Self { text, at: position, depth: 0 }
    }

    /// The whole text, in which all positions count.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Where the reader stands, in bytes.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The type of the next value.
    ///
    /// # Errors
    /// When no value begins here.
    pub fn kind(&mut self) -> Result<Kind> {
        Ok(match self.after_space() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => return Err(self.expected("a value")),
        })
    }

    /// Consumes a `null` if one comes next. Kubernetes takes a `null` for an absent field.
    ///
    /// # Errors
    /// When what begins like `null` is none.
    pub fn null(&mut self) -> Result<bool> {
        if self.after_space() == Some(b'n') {
            self.literal("null")?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Enters the object that comes next.
    ///
    /// # Errors
    /// When it is none: `what` is the field's name in the error.
    pub fn object(&mut self, what: &'static str) -> Result<Fields> {
        if self.after_space() != Some(b'{') {
            return Err(self.wrong(what, "an object"));
        }
        self.enter()?;
        Ok(Fields { empty: true, close: 0 })
    }

    /// The object's next key; the reader then stands before its value, which must be consumed. `None` at the end.
    ///
    /// # Errors
    /// On malformed JSON.
    pub fn key(&mut self, fields: &mut Fields) -> Result<Option<Text<'a>>> {
        match self.after_space() {
            Some(b'}') => {
                fields.close = self.at;
                self.leave();
                return Ok(None);
            }
            Some(b',') if !fields.empty => {
                self.at += 1;
                self.after_space();
            }
            Some(b'"') if fields.empty => {}
            _ => return Err(self.expected(if fields.empty { "a key or `}`" } else { "`,` or `}`" })),
        }
        fields.empty = false;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key"));
        }
        let key = self.plain()?;
        if self.after_space() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Enters the list that comes next.
    ///
    /// # Errors
    /// When it is none: `what` is the field's name in the error.
    pub fn list(&mut self, what: &'static str) -> Result<Elements> {
        if self.after_space() != Some(b'[') {
            return Err(self.wrong(what, "a list"));
        }
        self.enter()?;
        Ok(Elements { next: 0, close: 0 })
    }

    /// The index of the list's next element, which must then be consumed. `None` at the end.
    ///
    /// # Errors
    /// On malformed JSON.
    pub fn element(&mut self, elements: &mut Elements) -> Result<Option<usize>> {
        let first = elements.next == 0;
        match self.after_space() {
            Some(b']') => {
                elements.close = self.at;
                self.leave();
                return Ok(None);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.after_space();
            }
            Some(_) if first => {}
            _ => return Err(self.expected(if first { "a value or `]`" } else { "`,` or `]`" })),
        }
        elements.next += 1;
        Ok(Some(elements.next - 1))
    }

    /// The string that comes next; `None` for `null`.
    ///
    /// # Errors
    /// When it is neither: `what` is the field's name in the error.
    pub fn string(&mut self, what: &'static str) -> Result<Option<Text<'a>>> {
        match self.after_space() {
            Some(b'"') => self.plain().map(Some),
            Some(b'n') => self.literal("null").map(|()| None),
            _ => Err(self.wrong(what, "a string")),
        }
    }

    /// The truth value that comes next; `None` for `null`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn bool(&mut self, what: &'static str) -> Result<Option<bool>> {
        match self.after_space() {
            Some(b't') => self.literal("true").map(|()| Some(true)),
            Some(b'f') => self.literal("false").map(|()| Some(false)),
            Some(b'n') => self.literal("null").map(|()| None),
            _ => Err(self.wrong(what, "true or false")),
        }
    }

    /// The integer that comes next; `None` for `null`.
    ///
    /// # Errors
    /// When it is neither, or beyond 64 bits.
    pub fn integer(&mut self, what: &'static str) -> Result<Option<i64>> {
        match self.after_space() {
            Some(b'-' | b'0'..=b'9') => {
                let number = self.skip()?;
                number.text.parse().map(Some).map_err(|_| shape(what, "an integer"))
            }
            Some(b'n') => self.literal("null").map(|()| None),
            _ => Err(self.wrong(what, "an integer")),
        }
    }

    /// The string that comes next, unread; `None` for `null`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn raw_text(&mut self, what: &'static str) -> Result<Option<Raw<'a>>> {
        match self.after_space() {
            Some(b'"') => self.skip().map(Some),
            Some(b'n') => self.literal("null").map(|()| None),
            _ => Err(self.wrong(what, "a string")),
        }
    }

    /// Checks the next value's form and passes over it.
    ///
    /// # Errors
    /// On malformed JSON.
    pub fn skip(&mut self) -> Result<Raw<'a>> {
        self.after_space();
        let start = self.at;
        self.pass()?;
        Ok(Raw { text: self.text.get(start..self.at).unwrap_or_default(), at: start })
    }

    /// Checks the next value's form and passes over it, noting the values of some keys of the object that it is. Of a key
    /// that stands there twice the index is noted too. Answers the object's text, and what was noted: `None` where a key is
    /// written with escapes.
    ///
    /// # Errors
    /// On malformed JSON, and when it is no object.
    pub fn note<const N: usize>(&mut self, keys: [&str; N]) -> Result<(&'a str, Option<Noted<'a, N>>)> {
        let mut noted = Noted { values: [None; N], twice: None };
        let mut plain = true;
        let begin = {
            self.after_space();
            self.at
        };
        let mut fields = self.object("")?;
        loop {
            let next = self.after_space();
            if next == Some(b'}') {
                self.leave();
                break;
            }
            if !fields.empty {
                if next != Some(b',') {
                    return Err(self.expected("`,` or `}`"));
                }
                self.at += 1;
                self.after_space();
            }
            fields.empty = false;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key"));
            }
            let from = self.at + 1;
            plain &= !self.pass_string()?;
            let key = self.text.as_bytes().get(from..self.at - 1).unwrap_or_default();
            if self.after_space() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            self.after_space();
            let start = self.at;
            self.pass()?;
            // Byte by byte: for so few, the call of a comparison costs more.
            if let Some(index) =
                keys.iter().position(|wanted| wanted.len() == key.len() && wanted.bytes().eq(key.iter().copied()))
            {
                let text = self.text.get(start..self.at).unwrap_or_default();
                if let Some(value) = noted.values.get_mut(index)
                    && value.replace(text).is_some()
                {
                    noted.twice = Some(index);
                }
            }
        }
        Ok((self.text.get(begin..self.at).unwrap_or_default(), plain.then_some(noted)))
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// When something does.
    pub fn end(&mut self) -> Result<()> {
        match self.after_space() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end")),
        }
    }

    /// The error for a key of this object that was read twice.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn duplicate(&self, key: &'static str) -> Box<Unreadable> {
        Box::new(Unreadable::Duplicate { key })
    }

    #[cold]
    #[inline(never)]
    fn wrong(&mut self, field: &'static str, expected: &'static str) -> Box<Unreadable> {
        match self.kind().and_then(|_| self.skip()) {
            Ok(_) => shape(field, expected),
            Err(malformed) => malformed,
        }
    }

    #[cold]
    #[inline(never)]
    fn expected(&self, expected: &'static str) -> Box<Unreadable> {
        Box::new(Unreadable::Syntax { at: self.at, expected })
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn after_space(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                next => return next,
            }
        }
    }

    #[inline]
    fn enter(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Box::new(Unreadable::TooDeep));
        }
        Ok(())
    }

    #[inline]
    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    fn literal(&mut self, literal: &'static str) -> Result<()> {
        let end = self.at + literal.len();
        if self.text.as_bytes().get(self.at..end) != Some(literal.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at = end;
        Ok(())
    }

    /// Recurses at most [`MAX_DEPTH`] times.
    fn pass(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.pass_string().map(|_| ()),
            Some(b'{') => {
                self.enter()?;
                let mut next = self.after_space();
                if next == Some(b'}') {
                    self.leave();
                    return Ok(());
                }
                loop {
                    if next != Some(b'"') {
                        return Err(self.expected("a key"));
                    }
                    self.pass_string()?;
                    if self.after_space() != Some(b':') {
                        return Err(self.expected("`:`"));
                    }
                    self.at += 1;
                    self.after_space();
                    self.pass()?;
                    match self.after_space() {
                        Some(b',') => self.at += 1,
                        Some(b'}') => {
                            self.leave();
                            return Ok(());
                        }
                        _ => return Err(self.expected("`,` or `}`")),
                    }
                    next = self.after_space();
                }
            }
            Some(b'[') => {
                self.enter()?;
                if self.after_space() == Some(b']') {
                    self.leave();
                    return Ok(());
                }
                loop {
                    self.pass()?;
                    match self.after_space() {
                        Some(b',') => self.at += 1,
                        Some(b']') => {
                            self.leave();
                            return Ok(());
                        }
                        _ => return Err(self.expected("`,` or `]`")),
                    }
                    self.after_space();
                }
            }
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.pass_number(),
            _ => Err(self.expected("a value")),
        }
    }

    fn digits(&mut self) -> Result<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn pass_number(&mut self) -> Result<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Passes over a string's plain bytes, up to a quote, a backslash or a control character.
    #[inline]
    fn pass_plain(&mut self) -> Option<u8> {
        self.at = plain_end(self.text.as_bytes(), self.at);
        self.peek()
    }

    /// Passes over the string at which the reader stands; whether it holds escapes.
    #[inline(always)]
    fn pass_string(&mut self) -> Result<bool> {
        let end = plain_end(self.text.as_bytes(), self.at + 1);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(false);
        }
        self.at = end;
        self.pass_escapes()
    }

    /// Passes over the rest of a string that is not plain.
    #[cold]
    #[inline(never)]
    fn pass_escapes(&mut self) -> Result<bool> {
        let mut escaped = false;
        loop {
            match self.pass_plain() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    match self.text.as_bytes().get(self.at + 1) {
                        Some(b'"' | b'\\' | b'n') => self.at += 2,
                        _ => self.escape().map(|_| ())?,
                    }
                }
                _ => return Err(self.expected("`\"`")),
            }
        }
    }

    fn plain(&mut self) -> Result<Text<'a>> {
        let start = self.at;
        let escaped = self.pass_string()?;
        let inner = self.text.get(start + 1..self.at - 1).unwrap_or_default();
        if !escaped {
            return Ok(Text::Borrowed(inner));
        }
        let mut plain = String::with_capacity(inner.len());
        let mut again = Reader { text: self.text, at: start + 1, depth: 0 };
        loop {
            let from = again.at;
            let stop = again.pass_plain();
            plain.push_str(self.text.get(from..again.at).unwrap_or_default());
            if stop != Some(b'\\') {
                return Ok(Text::Owned(plain));
            }
            plain.push(again.escape()?);
        }
    }

    /// Reads one escape sequence. Half a surrogate pair is no character and refused.
    fn escape(&mut self) -> Result<char> {
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&high) {
                    if self.text.as_bytes().get(self.at..self.at + 2) != Some(b"\\u") {
                        return Err(self.expected("the second half of a surrogate pair"));
                    }
                    self.at += 2;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(self.expected("the second half of a surrogate pair"));
                    }
                    0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                } else {
                    high
                };
                return char::from_u32(code).ok_or_else(|| self.expected("a character"));
            }
            _ => {
                self.at -= 1;
                return Err(self.expected("an escape sequence"));
            }
        })
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let value = digits
            .into_iter()
            .flatten()
            .try_fold(0, |value, &digit| char::from(digit).to_digit(16).map(|digit| value << 4 | digit));
        match (digits, value) {
            (Some(_), Some(value)) => {
                self.at += 4;
                Ok(value)
            }
            _ => Err(self.expected("four hexadecimal digits")),
        }
    }
}

/// Where the bytes that a string holds without an escape end, from `at` on: at a quote, a backslash, a control character
/// or the text's end. Looks at eight at a time.
#[inline(always)]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // The lowest byte marked is exact; above it a borrow may mark more.
        let marked = (quote.wrapping_sub(ONES) & !quote
            | slash.wrapping_sub(ONES) & !slash
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGH;
        if marked != 0 {
            return at + (marked.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

#[cold]
fn shape(field: &'static str, expected: &'static str) -> Box<Unreadable> {
    Box::new(Unreadable::Shape { field, expected })
}
