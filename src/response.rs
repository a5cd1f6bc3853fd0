//! The answer, as the host reads it: Kubewarden's ValidationResponse.

use crate::json::{ObjectWriter, quote};
use std::fmt::Write;

/// The most characters of a warning that the API server passes on whole.
pub const WARNING: usize = 256;

/// What the policy says of a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Response {
    /// The denial, if it is one.
    pub denial: Option<Denial>,
    /// The object's JSON with the changes made.
    pub mutated: Option<String>,
    /// What the client is told besides.
    pub warnings: Vec<String>,
    /// What the API server's audit log is told.
    pub annotations: Vec<(&'static str, String)>,
    /// What was judged: operation, kind, namespace and name.
    pub about: String,
}

/// Why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The HTTP status.
    pub code: u16,
    /// What the user reads.
    pub message: String,
}

impl Response {
    /// Denies what can't be read.
    #[must_use]
    pub fn unreadable(why: &str) -> Self {
        let message = format!("the request can't be read and is denied: {why}");
        Self { denial: Some(Denial { code: 422, message }), ..Self::default() }
    }

    /// Denies everything while the settings are wrong.
    #[must_use]
    pub fn misconfigured(problem: &str) -> Self {
        let message = format!("the policy's settings are wrong, and the request is denied: {problem}");
        Self { denial: Some(Denial { code: 422, message }), ..Self::default() }
    }

    /// What the policy server's log is told: a JSON record for the host's `tracing`. A request about which there is nothing
    /// to say has none. Names, ids and counts alone: no message, which the log of the API server's client has.
    #[must_use]
    pub fn record(&self) -> Option<String> {
        let said = |wanted: &str| self.annotations.iter().any(|(key, _)| *key == wanted);
        let (level, what) = match &self.denial {
            Some(denial) if denial.code == 403 => ("warning", "denied"),
            Some(denial) if denial.code == 500 => ("warning", "denied: a lookup failed"),
            Some(_) => ("warning", "denied: unreadable"),
            None if said("not-checked") => ("warning", "accepted, not all of it checked"),
            None if self.mutated.is_some() => ("info", "mutated"),
            None if said("findings") || said("exceptions") => ("info", "accepted, with findings"),
            None if !self.annotations.is_empty() => ("info", "accepted"),
            None => return None,
        };
        let mut record = ObjectWriter::default().text("level", level).text("message", what).text("object", &self.about);
        for (key, value) in &self.annotations {
            record = record.text(key, value);
        }
        Some(record.finish())
    }

    /// The answer's JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut out = String::with_capacity(self.mutated.as_ref().map_or(0, String::len) + 256);
        match &self.denial {
            None => out.push_str(r#"{"accepted":true"#),
            Some(denial) => {
                out.push_str(r#"{"accepted":false,"message":"#);
                quote(&mut out, &denial.message);
                // Writing to a string does not fail.
                let _ = write!(out, r#","code":{}"#, denial.code);
            }
        }
        if let Some(object) = self.mutated.as_ref().filter(|_| self.denial.is_none()) {
            out.push_str(r#","mutated_object":"#);
            out.push_str(object);
        }
        if !self.annotations.is_empty() {
            out.push_str(r#","audit_annotations":"#);
            let mut open = '{';
            for (key, value) in &self.annotations {
                out.push(open);
                quote(&mut out, key);
                out.push(':');
                quote(&mut out, value);
                open = ',';
            }
            out.push('}');
        }
        if !self.warnings.is_empty() {
            out.push_str(r#","warnings":"#);
            let mut open = '[';
            for warning in &self.warnings {
                out.push(open);
                quote(&mut out, &cut(warning));
                open = ',';
            }
            out.push(']');
        }
        out.push('}');
        out.into_bytes()
    }
}

/// The warning, cut at a word's end when it is too long.
fn cut(warning: &str) -> String {
    if warning.chars().count() <= WARNING {
        return warning.to_owned();
    }
    let head: String = warning.chars().take(WARNING - 2).collect();
    let end = head.rfind(' ').unwrap_or(head.len());
    format!("{} …", head.get(..end).unwrap_or(&head))
}
