//! Reads JSON and YAML text, one document or several, and writes YAML.
//!
//! JSON is read by a JSON parser, never as a dialect of YAML. YAML is read by the rules of version 1.2: `yes`, `no`, `on`
//! and `off` are strings, and a key may not occur twice. One thing is taken as kubectl takes it: `defaultMode: 0400` is octal.
//! Every error carries the line, the column and the number of its document.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Options, Spanned, UserMessageFormatter};

/// How deep a YAML document may nest: far deeper than any object does, and not so deep that a thread's stack could overflow.
/// JSON ends at 128, the limit of its parser, of policy-server and of the policy.
const MAX_DEPTH: usize = 64;

/// One document and where it begins.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// What the document holds.
    pub value: T,
    /// Its number, counted from 1.
    pub number: usize,
    /// The line on which its content begins, counted from 1.
    pub line: usize,
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line, counted from 1; `None` where the parser names none.
    pub line: Option<usize>,
    /// The column, counted from 1.
    pub column: usize,
    /// The number of the document, when the text holds several.
    pub document: Option<usize>,
    /// What is wrong, with the name of the format.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "{line}:{}: ", self.column)?;
        }
        if let Some(document) = self.document {
            write!(f, "document {document}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// Reads all documents of a text. Empty YAML documents (`---` twice in a row) are left out, but counted.
///
/// # Errors
/// The first place that is neither JSON nor YAML, or that does not fit `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<Document<T>>, SyntaxError> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json(text) { parse_json(text).map_err(|error| json_error(text, &error)) } else { parse_yaml(text) }
}

/// A text that begins with a brace is JSON, unless its first key lacks quotes (YAML's flow style) or documents are
/// separated as in YAML.
fn is_json(text: &str) -> bool {
    let start = text.trim_start();
    let first = start.trim_start_matches(|letter: char| letter.is_whitespace() || "{[".contains(letter));
    start.starts_with(['{', '['])
        && first.chars().next().is_none_or(|letter| letter.is_ascii_digit() || "\"}]-".contains(letter))
        && !text.lines().any(is_separator)
}

/// Writes a value as YAML, in the layout that kubectl prints.
#[must_use]
pub fn to_yaml<T: Serialize>(value: &T) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let mut text = String::new();
    match serde_saphyr::to_fmt_writer_with_options(&mut text, value, options) {
        Ok(()) => text,
        // JSON is YAML too: whatever the YAML writer refuses is still shown.
        Err(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<Vec<Document<T>>, serde_json::Error> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let mut documents = Vec::new();
    loop {
        let rest = &text[stream.byte_offset()..];
        let start = text.len() - rest.trim_start().len();
        match stream.next() {
            None => return Ok(documents),
            Some(value) => documents.push(Document {
                value: value?,
                number: documents.len() + 1,
                line: 1 + newlines(&text[..start]),
            }),
        }
    }
}

fn json_error(text: &str, error: &serde_json::Error) -> SyntaxError {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let before = stream.by_ref().take_while(Result::is_ok).count();
    SyntaxError {
        line: (error.line() > 0).then_some(error.line()),
        column: error.column(),
        document: (before > 0).then_some(before + 1),
        message: format!("not valid JSON: {}", message.strip_suffix(&place).unwrap_or(&message)),
    }
}

fn parse_yaml<T: DeserializeOwned>(text: &str) -> Result<Vec<Document<T>>, SyntaxError> {
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<T>>(text, yaml_options());
    let documents = documents.map_err(|error| yaml_error(text, &error))?;
    let place = |document: Spanned<T>| {
        let line = usize::try_from(document.referenced.line()).unwrap_or(usize::MAX);
        Document { value: document.value, number: document_number(text, line), line }
    };
    Ok(documents.into_iter().map(place).collect())
}

/// The rules of YAML 1.2 (and file modes in octal), with limits that a listing of a large cluster does not reach.
fn yaml_options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_events: 50_000_000,
            max_nodes: 20_000_000,
            max_documents: 1_000_000,
            max_total_scalar_bytes: 512 * 1024 * 1024,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        legacy_octal_numbers: true,
        underscored_numbers_as_strings: true,
    }
}

fn yaml_error(text: &str, error: &serde_saphyr::Error) -> SyntaxError {
    let number = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let place = error.location().map(|at| (number(at.line()), number(at.column())));
    let several = document_number(text, usize::MAX) > 1;
    SyntaxError {
        line: place.map(|(line, _)| line),
        column: place.map_or(0, |(_, column)| column),
        document: place.filter(|_| several).map(|(line, _)| document_number(text, line)),
        message: format!("not valid YAML: {}", yaml_message(error.without_snippet(), place)),
    }
}

fn yaml_message(error: &serde_saphyr::Error, place: Option<(usize, usize)>) -> String {
    if let serde_saphyr::Error::Budget { breach: BudgetBreach::Depth { .. }, .. } = error {
        return format!("nested deeper than {MAX_DEPTH}");
    }
    let message = error.render_with_formatter(&UserMessageFormatter);
    // The parser repeats the place in its text; it is printed in front.
    let suffix = place.map(|(line, column)| format!(" at line {line}, column {column}"));
    suffix.as_deref().and_then(|suffix| message.strip_suffix(suffix)).unwrap_or(&message).to_owned()
}

/// The number of the document that the given line belongs to: nothing but a separator stands at the start of a line.
fn document_number(text: &str, line: usize) -> usize {
    let mut number = 1;
    let mut content = false;
    for text in text.lines().take(line) {
        if is_separator(text) {
            number += usize::from(content);
            content = true;
        } else {
            content |= !(text.trim_start().is_empty() || text.trim_start().starts_with('#'));
        }
    }
    number
}

fn is_separator(line: &str) -> bool {
    line == "---" || line.starts_with("--- ")
}

fn not_utf8(bytes: &[u8], error: std::str::Utf8Error) -> SyntaxError {
    let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
    SyntaxError {
        line: Some(1 + newlines(&before)),
        column: 1 + before.lines().last().map_or(0, |line| line.chars().count()),
        document: None,
        message: "not valid UTF-8".to_owned(),
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}
