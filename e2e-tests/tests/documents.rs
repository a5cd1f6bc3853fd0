//! YAML and settings, as they are read and written.

use e2e_tests::{documents, settings};
use serde_json::{Value, json};

#[track_caller]
fn value(text: &str) -> Value {
    documents::parse::<Value>(text.as_bytes()).expect("YAML").remove(0).value
}

#[test]
fn yaml_keeps_what_was_written() {
    let read = value(
        "{a: yes, b: off, c: null, d: ~, e: 1, f: 1.5, g: '1', h: true, i: 12345678901234567890, j: 0400, k: On, l: 1e3}",
    );
    let expected = json!({"a": "yes", "b": "off", "c": null, "d": null, "e": 1, "f": 1.5, "g": "1", "h": true,
        "i": 12_345_678_901_234_567_890_u64, "j": 0o400, "k": "On", "l": 1e3});
    assert_eq!(read, expected);
    assert_eq!(value("a: &x {b: 1}\nc: *x"), json!({"a": {"b": 1}, "c": {"b": 1}}));
    assert_eq!(value("\u{feff}a: 1"), json!({"a": 1}));
}

#[test]
fn yaml_survives_being_written_and_read() {
    let object = json!({"on": "yes", "n": "1", "empty": {}, "list": [], "null": null, "text": "a\nb\n", "tail": "a\n\n",
        "long": "word ".repeat(50), "mode": "0400", "date": "2024-01-01", "space": " a", "esc": "\u{1b}[31m",
        "nested": [[1, 2], [{"a": [{}]}]], "colon": "a: b", "hash": "a #b", "float": 1.5, "big": u64::MAX});
    assert_eq!(value(&documents::to_yaml(&object)), object);
    assert!(!documents::to_yaml(&object).contains('\u{1b}'));
}

#[test]
fn settings_come_bare_or_in_a_policy() {
    let parse = |text: &str| settings::parse("FILE", text.as_bytes()).map_err(|error| error.to_string());
    assert_eq!(parse("mode: validate"), Ok(json!({"mode": "validate"})));
    assert_eq!(parse("{\"mode\": \"mutate\"}"), Ok(json!({"mode": "mutate"})));
    let policy =
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nspec:\n  settings: {mode: mutate}\n";
    assert_eq!(parse(policy), Ok(json!({"mode": "mutate"})));
    assert_eq!(parse(&format!("apiVersion: v1\nkind: Namespace\n---\n{policy}")), Ok(json!({"mode": "mutate"})));
    assert_eq!(parse("apiVersion: v1\nkind: AdmissionPolicy\nspec: {}"), Ok(json!({})));

    let fails = |text: &str, expected: &str| {
        let error = parse(text).expect_err("refused");
        assert!(error.contains(expected), "{error}");
    };
    fails(&format!("{policy}---\n{policy}"), "several policies");
    fails("apiVersion: v1\nkind: ConfigMap", "neither a ClusterAdmissionPolicy nor an AdmissionPolicy");
    fails("[1]", "a mapping");
    fails("", "no settings");
    fails("mode: [", "FILE:1:");
}
