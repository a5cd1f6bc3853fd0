//! JSON as it was written: the order of keys, and every scalar's own spelling.
//!
//! A reader of its own, so that the laws do not rest on what they check; it takes only text that is JSON already.

use std::fmt;

/// A JSON value. Scalars and keys are kept as text: `1e3` is not `1000`, and `"\u0041"` is not `"A"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A string with its quotes, a number, `true`, `false` or `null`.
    Scalar(String),
    /// A list.
    List(Vec<Tree>),
    /// An object: its pairs as written, keys with their quotes.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Takes a text apart that some JSON parser has accepted.
    ///
    /// # Panics
    /// When it is not JSON: a bug of the test that handed it over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut cursor = Cursor { text, at: 0 };
        let tree = cursor.value();
        assert!(cursor.peek().is_none(), "something follows the JSON at byte {}", cursor.at);
        tree
    }

    /// The value of an object's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(pairs) = self else { return None };
        pairs.iter().find(|(name, _)| plain(name) == key).map(|(_, value)| value)
    }

    /// The elements of a list; none for `null` and anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The text of a string; empty for anything else.
    #[must_use]
    pub fn text(&self) -> String {
        if let Self::Scalar(raw) = self { plain(raw) } else { String::new() }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(raw) if raw == "null")
    }
}

/// A string without its quotes and escapes; anything else is empty.
fn plain(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_default()
}

/// The JSON without white space, everything else as it was.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(raw) => f.write_str(raw),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}:{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn value(&mut self) -> Tree {
        match self.peek() {
            Some(b'{') => {
                let mut pairs = Vec::new();
                while self.next_in(b'}') {
                    let key = self.scalar();
                    assert_eq!(self.peek(), Some(b':'), "no `:` at byte {}", self.at);
                    self.at += 1;
                    pairs.push((key, self.value()));
                }
                Tree::Object(pairs)
            }
            Some(b'[') => {
                let mut items = Vec::new();
                while self.next_in(b']') {
                    items.push(self.value());
                }
                Tree::List(items)
            }
            _ => Tree::Scalar(self.scalar()),
        }
    }

    /// Passes over `{`, `[` or `,`; `false` once the closing bracket was passed over.
    fn next_in(&mut self, close: u8) -> bool {
        if self.peek() != Some(close) {
            self.at += 1;
        }
        let more = self.peek() != Some(close);
        if !more {
            self.at += 1;
        }
        more
    }

    fn scalar(&mut self) -> String {
        self.peek();
        let rest = &self.text[self.at..];
        let len = if rest.starts_with('"') {
            let mut escaped = false;
            let close = rest.bytes().skip(1).position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            });
            close.map_or(0, |close| close + 2)
        } else {
            rest.find([',', ']', '}', ' ', '\n', '\t', '\r']).unwrap_or(rest.len())
        };
        assert!(len > 0, "no value at byte {}", self.at);
        self.at += len;
        rest[..len].to_owned()
    }

    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at = self.text.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }
}
