//! Shows what the policy changes: as a unified diff of YAML for people, as a list of [`Change`]s for tests.

mod changes;

use std::fmt::Write as _;
use std::io::IsTerminal;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

pub use changes::{Change, ChangeKind, changes};

use crate::documents::to_yaml;

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "engine", derive(clap::ValueEnum))]
pub enum Color {
    /// On a terminal, unless the environment variable NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether standard output is to be coloured.
    #[must_use]
    pub fn is_on(self) -> bool {
        let no_color = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Auto => std::io::stdout().is_terminal() && !no_color(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Colours text, or leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// Text for what is added, or good.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Text for what is removed, or bad.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Text for what needs a look.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Text for places.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    /// Text for headings.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The unified diff between two objects, written as YAML. Equal objects give an empty text.
#[must_use]
pub fn unified(before: &Value, after: &Value, paint: Paint) -> String {
    let (before, after) = (to_yaml(before), to_yaml(after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let _ = writeln!(text, "{}", paint.cyan(&hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            let line = match change.tag() {
                ChangeTag::Equal => format!(" {line}"),
                ChangeTag::Delete => paint.red(&format!("-{line}")),
                ChangeTag::Insert => paint.green(&format!("+{line}")),
            };
            let _ = writeln!(text, "{line}");
        }
    }
    text
}
