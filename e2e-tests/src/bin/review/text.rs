//! The report for people.

use std::fmt::Write as _;

use e2e_tests::diff::{Paint, unified};

use crate::judge::{Judged, Outcome};

/// One paragraph for each object, and a summary when there was not exactly one.
pub(crate) fn report(judged: &[Judged], colored: bool) -> String {
    let paint = Paint(colored);
    let mut text = String::new();
    for one in judged {
        paragraph(&mut text, one, paint);
        if judged.len() > 1 {
            text.push('\n');
        }
    }
    if judged.len() != 1 {
        let count = |outcome| judged.iter().filter(|one| one.outcome() == outcome).count();
        let (allowed, changed) = (count(Outcome::Allowed), count(Outcome::Changed));
        let _ = writeln!(text, "{allowed} allowed, {changed} changed, {} denied", count(Outcome::Denied));
    }
    text
}

fn paragraph(text: &mut String, one: &Judged, paint: Paint) {
    let object = printable(&format!("{} {}/{}", one.kind(), one.namespace(), one.name()));
    let _ = writeln!(text, "{} ({})", paint.bold(&object), printable(&one.item.origin));
    let verdict = match (one.outcome(), one.verdict.code) {
        (Outcome::Allowed, _) => paint.green("allowed"),
        (Outcome::Changed, _) => paint.yellow("allowed, changed"),
        (Outcome::Denied, Some(code)) => paint.red(&format!("denied {code}")),
        (Outcome::Denied, None) => paint.red("denied"),
    };
    let _ = writeln!(text, "  {verdict}");
    if let Some(message) = &one.verdict.message {
        indented(text, "  ", &printable(message));
    }
    for warning in &one.verdict.warnings {
        indented(text, "  ", &format!("{} {}", paint.yellow("warning:"), printable(warning)));
    }
    for (key, value) in &one.verdict.audit_annotations {
        let key = paint.cyan(&format!("audit {}:", printable(key)));
        indented(text, "  ", &format!("{key} {}", printable(value)));
    }
    for line in one.explanation.iter().flatten() {
        indented(text, "    ", &printable(line));
    }
    if let Some(changed) = one.changed() {
        indented(text, "  ", &unified(&one.item.request["object"], changed, paint));
    }
}

fn indented(text: &mut String, indent: &str, lines: &str) {
    for line in lines.lines() {
        let _ = writeln!(text, "{indent}{line}");
    }
}

/// Names come from the input: none of their bytes may steer the terminal.
fn printable(text: &str) -> String {
    let safe = |letter: char| letter == '\n' || !letter.is_control();
    text.chars().map(|letter| if safe(letter) { letter } else { '\u{fffd}' }).collect()
}
