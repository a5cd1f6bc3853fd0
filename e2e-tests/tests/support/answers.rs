//! Answers that say nothing, and hosts that fail: neither a yes nor a no.

use serde_json::json;

use crate::{Canned, asking, fails, says, settings};

/// What is wrong with an answer, as a warning says it.
const NO_ANSWERS: [(&str, &str, &str); 16] = [
    ("empty", "", "the answer can't be used: not valid JSON: expected a value at byte 0"),
    ("no JSON", "no such thing", "the answer can't be used: not valid JSON: expected a value at byte 0"),
    ("half an object", r#"{"metadata":{"name":"one""#, "the answer can't be used: not valid JSON: "),
    ("more than an object", r#"{"metadata":{"name":"one"}} {}"#, "the answer can't be used: not valid JSON: "),
    ("null", "null", "the answer can't be used: answer must be an object"),
    ("true", "true", "the answer can't be used: answer must be an object"),
    ("a text", r#""one""#, "the answer can't be used: answer must be an object"),
    ("a bare list", r#"[{"metadata":{"name":"one"}}]"#, "the answer can't be used: answer must be an object"),
    ("no metadata", "{}", "the answer can't be used: answer must be the object that was asked for"),
    ("metadata is null", r#"{"metadata":null}"#, "the answer can't be used: "),
    ("metadata is a text", r#"{"metadata":"one"}"#, "the answer can't be used: metadata must be an object"),
    ("no name", r#"{"metadata":{}}"#, "the answer can't be used: answer must be the object that was asked for"),
    ("a number for a name", r#"{"metadata":{"name":1}}"#, "the answer can't be used: metadata.name must be a string"),
    (
        "another object",
        r#"{"metadata":{"name":"other"}}"#,
        "the answer can't be used: answer must be the object that was asked for",
    ),
    (
        "a list of objects",
        r#"{"kind":"SecretList","metadata":{},"items":[{"metadata":{"name":"one"}}]}"#,
        "the answer can't be used: answer must be the object that was asked for",
    ),
    ("two names", r#"{"metadata":{"name":"one","name":"other"}}"#, "the answer can't be used: "),
];

/// What a host says when it has no answer, and how a warning says it.
const FAILURES: [(&str, &str, &str); 6] = [
    (
        "refused",
        r#"secrets "one" is forbidden: User "system:serviceaccount:kubewarden:policy-server" cannot get resource "secrets" in API group "" in the namespace "jobs""#,
        r#"secrets "one" is forbidden: User "system:serviceaccount:kubewarden:policy-server" cannot get"#,
    ),
    ("timeout", "timed out waiting for the API server", "timed out waiting for the API server"),
    (
        "not declared",
        "Policy has not been granted access to Kubernetes v1/Secret. The violation has been reported.",
        "Policy has not been granted access to Kubernetes v1/Secret. The violation has been reported.",
    ),
    (
        "another kind",
        "Cannot find v1/ConfigMap named 'one' inside of namespace 'Some(\"jobs\")'",
        "Cannot find v1/ConfigMap",
    ),
    ("nothing", "", "no reason given"),
    ("odd words", "a\n\u{1b}[31m`b`\u{e9}", "a [31mb"),
];

/// Under `Warn` the pod passes as if nothing had been looked up, and a warning says what was not checked; under `Deny` it
/// is denied with code 500. In neither case is the Secret said to be missing.
#[track_caller]
fn neither_yes_nor_no(what: &str, cluster: &Canned, told: &str) {
    let told = format!("Secret `one` of namespace `jobs` can't be looked up: {told}");
    for mode in ["mutate", "validate"] {
        let mut settings = settings();
        settings["mode"] = mode.into();
        let without = {
            let mut settings = settings.clone();
            settings["credentialInjection"]["verifySecrets"] = false.into();
            asking("one", &settings, cluster)
        };
        let warned = asking("one", &settings, cluster);
        assert_eq!((warned.accepted, &warned.message), (without.accepted, &without.message), "{what}, {mode}");
        assert_eq!(warned.mutated_object, without.mutated_object, "{what}, {mode}");
        if mode == "mutate" {
            assert_eq!((without.accepted, without.mutated_object.is_some()), (true, true));
        }
        let warnings: Vec<&String> = warned.warnings.iter().filter(|text| text.starts_with("not checked: ")).collect();
        let is_told = warnings.len() == 1 && warnings[0].starts_with(&format!("not checked: {told}"));
        assert!(is_told || mode == "validate", "{what}, {mode}: {:?} instead of {told}", warned.warnings);
        assert!(warned.warnings.iter().all(|text| text.chars().count() <= 256), "{what}: {:?}", warned.warnings);

        settings["onLookupError"] = "Deny".into();
        let denied = asking("one", &settings, cluster);
        assert!(!denied.accepted && denied.mutated_object.is_none(), "{what}, {mode}");
        let message = denied.message.unwrap_or_default();
        assert!(!message.contains("secret-missing"), "{what}, {mode}: {message}");
        if mode == "mutate" {
            let expected = format!("a lookup failed, and `onLookupError: Deny` lets nothing pass unchecked: {told}");
            assert_eq!(denied.code, Some(500), "{what}: {message}");
            assert!(message.starts_with(&expected), "{what}: {message}");
        }
    }
}

#[test]
fn what_is_no_answer_is_neither_a_yes_nor_a_no() {
    for (what, answer, told) in NO_ANSWERS {
        neither_yes_nor_no(what, &says(answer), told);
    }
    neither_yes_nor_no("not UTF-8", &says([b'{', 0xff, b'}']), "the answer can't be used: answer must be UTF-8");
    let deep = format!(r#"{{"x":{}{},"metadata":{{"name":"one"}}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    neither_yes_nor_no("nested deeply", &says(deep), "the answer can't be used: ");
    let huge = format!(r#"{{"metadata":{{"name":"{}"}}}}"#, "x".repeat(3_000_000));
    neither_yes_nor_no("huge, another object", &says(huge), "the answer can't be used: answer must be the object");
}

#[test]
fn a_host_that_fails_is_neither_a_yes_nor_a_no() {
    for (what, text, told) in FAILURES {
        neither_yes_nor_no(what, &fails(text), told);
    }
    neither_yes_nor_no("many words", &fails(&"no ".repeat(100_000)), "no no no no");
}

#[test]
fn a_huge_answer_that_is_the_object_is_a_yes() {
    let more = json!({"metadata": {"name": "one", "labels": {"x": "y".repeat(3_000_000)}}});
    let verdict = asking("one", &settings(), &says(more.to_string()));
    let mut unverified = settings();
    unverified["credentialInjection"]["verifySecrets"] = false.into();
    let expected = asking("one", &unverified, &fails("nobody is asked"));
    let injected = expected.mutated_object.as_ref().map(|pod| &pod["spec"]["volumes"][0]["secret"]["secretName"]);
    assert_eq!(injected, Some(&json!("one")));
    assert_eq!(String::from_utf8_lossy(&verdict.raw), String::from_utf8_lossy(&expected.raw));
}

#[test]
fn a_warning_about_long_names_keeps_to_its_length() {
    let mut settings = settings();
    let secret = ["x".repeat(62), "y".repeat(62), "z".repeat(62), "w".repeat(62)].join(".");
    settings["credentials"]["one"]["secretName"] = secret.clone().into();
    let verdict = asking("one", &settings, &fails(&"no ".repeat(1_000)));
    assert!(verdict.accepted);
    let lengths: Vec<usize> = verdict.warnings.iter().map(|text| text.chars().count()).collect();
    assert!(!lengths.is_empty() && lengths.iter().all(|length| *length <= 256), "{lengths:?}");
}

#[test]
fn a_host_that_failed_once_is_not_asked_again_and_what_was_not_checked_is_told() {
    let cluster = fails("timed out");
    let verdict = asking("one,lake,sea", &settings(), &cluster);
    assert_eq!(cluster.asked.borrow().len(), 1);
    assert!(verdict.accepted, "{:?}", verdict.message);
    let not_checked: Vec<&str> =
        verdict.warnings.iter().filter_map(|text| text.strip_prefix("not checked: ")).collect();
    assert_eq!(
        not_checked,
        [
            "Secret `one` of namespace `jobs` can't be looked up: timed out",
            "Secret `shared` of namespace `jobs` was not looked up either",
        ]
    );
    let mut deny = settings();
    deny["onLookupError"] = "Deny".into();
    let verdict = asking("one,lake,sea", &deny, &fails("timed out"));
    assert_eq!((verdict.accepted, verdict.code), (false, Some(500)));
}
