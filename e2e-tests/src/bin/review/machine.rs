//! The report for programs.

use std::collections::BTreeMap;

use e2e_tests::documents::to_yaml;
use serde::Serialize;
use serde_json::Value;

use crate::judge::Judged;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    object: Identity<'a>,
    allowed: bool,
    changed: bool,
    code: Option<u16>,
    message: Option<&'a str>,
    warnings: &'a [String],
    audit_annotations: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patched: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a [String]>,
}

#[derive(Serialize)]
struct Identity<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: String,
}

/// The report as a JSON list.
pub(crate) fn json(judged: &[Judged]) -> String {
    let mut text = serde_json::to_string_pretty(&entries(judged)).unwrap_or_default();
    text.push('\n');
    text
}

/// The report as a YAML list.
pub(crate) fn yaml(judged: &[Judged]) -> String {
    to_yaml(&entries(judged))
}

fn entries(judged: &[Judged]) -> Vec<Entry<'_>> {
    judged.iter().map(entry).collect()
}

fn entry(one: &Judged) -> Entry<'_> {
    Entry {
        object: Identity { kind: one.kind(), namespace: one.namespace(), name: one.name() },
        allowed: one.verdict.accepted,
        changed: one.changed().is_some(),
        code: one.verdict.code,
        message: one.verdict.message.as_deref(),
        warnings: &one.verdict.warnings,
        audit_annotations: &one.verdict.audit_annotations,
        patched: one.changed(),
        explain: one.explanation.as_deref(),
    }
}
