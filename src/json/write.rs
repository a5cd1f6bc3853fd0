use super::reader::plain_end;

/// Appends `text` as a JSON string.
pub fn quote(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at_checked(plain_end(rest.as_bytes(), 0)).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = special.chars();
        let Some(char) = chars.next() else { break };
        escape(out, char);
        rest = chars.as_str();
    }
    out.push('"');
}

/// Appends a character that can't stand in a string as it is: a quote, a backslash, a control character.
fn escape(out: &mut String, char: char) {
    out.push('\\');
    match char {
        '\u{8}' => out.push('b'),
        '\t' => out.push('t'),
        '\n' => out.push('n'),
        '\u{c}' => out.push('f'),
        '\r' => out.push('r'),
        '"' | '\\' => out.push(char),
        _ => {
            out.push_str(if char < '\u{10}' { "u000" } else { "u001" });
            out.extend(char::from_digit(u32::from(char) % 16, 16));
        }
    }
}

/// What an object that the policy writes takes up, in bytes.
const USUAL: usize = 120;

/// Writes an object, key by key, in the order of the calls. Keys are the policy's own and need no escapes.
#[derive(Debug)]
pub struct ObjectWriter {
    out: String,
}

impl Default for ObjectWriter {
    fn default() -> Self {
        let mut out = String::with_capacity(USUAL);
        out.push('{');
        Self { out }
    }
}

impl ObjectWriter {
    /// Adds a key whose value is JSON already.
    #[must_use]
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        self.out.push_str(json);
        self
    }

    /// Adds a key whose value is a string.
    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self = self.raw(key, "");
        quote(&mut self.out, value);
        self
    }

    /// The object's JSON.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}
