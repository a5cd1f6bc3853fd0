/// Appends `text` as a JSON string.
pub fn quote(out: &mut String, text: &str) {
    // Writing a `str` to memory has no way to fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Writes an object, key by key, in the order of the calls. Keys are the policy's own and need no escapes.
#[derive(Debug)]
pub struct ObjectWriter {
    out: String,
}

impl Default for ObjectWriter {
    fn default() -> Self {
        Self { out: String::from("{") }
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
