//! One file a case, under `cases/RULE/NAME.yaml` or `cases/CREDENTIAL-TYPE/NAME.yaml`: a request, what the cluster knows, and
//! the whole answer that each mode must give.
//!
//! `UPDATE_CASES=1` writes the answers into the files, to be reviewed by eye.

#[path = "support/case.rs"]
mod case;

use std::collections::BTreeMap;

use e2e_tests::diff::{Color, Paint, unified};
use e2e_tests::laws;
use e2e_tests::testing::policy;
use serde_json::json;

use crate::case::{Answer, Answers, Case, all};

#[test]
fn every_case_gets_its_answers() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    let cases = all();
    for case in &cases {
        let found = case.answers();
        if found == case.expected {
            continue;
        }
        if update {
            case.write(&found);
        }
        let (expected, found) = (json!(case.expected), json!(found));
        let paint = Paint(Color::Auto.is_on());
        wrong.push(format!("{}: {}\n{}", case.name, case.description, unified(&expected, &found, paint)));
    }
    println!("{} cases, {} wrong", cases.len(), wrong.len());
    assert!(update || wrong.is_empty(), "{} of {} cases:\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What is judged natively, as by the fuzz targets and the mutants' tests, is what the module judges: to the byte, questions and
/// log included.
#[cfg(feature = "engine")]
#[test]
fn the_library_answers_as_the_module_does() {
    let linked = e2e_tests::host::Policy::linked();
    for case in all() {
        for mode in ["mutate", "validate"] {
            let payload = case.trial().payload(mode);
            let [module, library] = [policy(), &linked].map(|policy| {
                let reply = policy.call("validate", &payload, case.cluster()).expect("an answer");
                (reply.response, reply.logs, reply.host_calls)
            });
            assert!(module == library, "{}, {mode}: {module:?} {library:?}", case.name);
        }
        let [module, library] = [policy(), &linked]
            .map(|policy| policy.call("validate_settings", case.settings.to_string().as_bytes(), case.cluster()));
        assert_eq!(module.expect("an answer").response, library.expect("an answer").response, "{}", case.name);
    }
}

#[test]
fn every_case_keeps_the_laws() {
    let mut broken = Vec::new();
    let mut answers = 0;
    for case in all() {
        let judge = |payload: &[u8]| policy().validate_raw(payload, case.cluster());
        // A failed lookup is no rule's denial: the laws are held against what is judged without it.
        let failed = case.expected.mutate.code == Some(500);
        let trial = if failed { case.trial_that_only_warns() } else { case.trial() };
        match laws::check(&judge, &trial) {
            Ok(outcome) => answers += outcome.answers,
            Err(violation) => broken.push(format!("{}: {violation}", case.name)),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(answers > 1_000, "{answers} answers");
}

/// What `onLookupError: Deny` denies passes in no mode, changes nothing and is denied again.
#[test]
fn a_failed_lookup_is_denied_as_such() {
    let mut failed = 0;
    for case in all() {
        let answers = case.answers();
        let Answers { mutate, validate } = &answers;
        if mutate.code != Some(500) && validate.code != Some(500) {
            continue;
        }
        failed += 1;
        assert!(!mutate.accepted && mutate.changes.is_empty(), "{}: {mutate:?}", case.name);
        // What a rule denies it denies first.
        assert!(!validate.accepted && mutate.code == Some(500), "{}: {answers:?}", case.name);
        assert_eq!(case.settings["onLookupError"], "Deny", "{}", case.name);
        assert_eq!(answers, case.answers(), "{}: another answer to the same", case.name);
    }
    assert!(failed > 1, "{failed} cases");
}

#[test]
fn the_settings_of_every_case_are_valid() {
    for case in all() {
        let answer = policy().validate_settings(&case.settings).expect("an answer");
        assert!(answer.valid, "{}: {answer:?}", case.name);
    }
}

/// The findings that warnings tell: what is too long for one warning is told in two, what is wrong and how to mend it.
fn whole(warnings: &[String]) -> Vec<String> {
    let mut findings: Vec<String> = Vec::new();
    for text in warnings.iter().filter_map(|warning| warning.strip_prefix("not enforced: ")) {
        match (text.strip_prefix("to mend ").and_then(|text| text.split_once(", ")), findings.last_mut()) {
            (Some((brief, mend)), Some(finding)) => {
                assert!(finding.starts_with(brief.split(' ').next().unwrap_or_default()), "{brief}: {finding}");
                finding.push_str("; to mend it, ");
                finding.push_str(mend);
            }
            _ => findings.push(text.to_owned()),
        }
    }
    findings
}

/// Rule and id, place, container, what is wrong, how to mend it: nothing of it may be missing, however it is told.
#[test]
fn every_finding_says_where_it_is_and_what_to_do() {
    let (mut told, mut wrong) = (0, Vec::new());
    for case in all() {
        for Answer { message, warnings, code, .. } in [&case.expected.mutate, &case.expected.validate] {
            // That a lookup failed is no finding.
            let message = message.as_deref().filter(|_| *code != Some(500)).unwrap_or_default();
            let many = message.lines().filter_map(|line| line.strip_prefix("- "));
            let one = message.lines().take(usize::from(!message.contains("\n- ")));
            let reported = whole(warnings);
            let reported = reported.iter().map(String::as_str);
            for finding in many.chain(one).chain(reported).filter(|finding| !finding.starts_with("and ")) {
                told += 1;
                wrong.extend(case.lacks(finding).map(|what| format!("{}: no {what}: {finding}", case.name)));
            }
        }
    }
    assert!(told > 200, "{told} findings");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_cases_of_every_kind() {
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    let (mut accepted, mut changed, mut denied, mut warned) = (0, 0, 0, 0);
    let mut descriptions = BTreeMap::new();
    for Case { name, description, expected, .. } in all() {
        *rules.entry(name.split('/').next().unwrap_or_default().to_owned()).or_default() += 1;
        accepted += usize::from(expected.mutate.accepted && expected.mutate.changes.is_empty());
        changed += usize::from(!expected.mutate.changes.is_empty());
        denied += usize::from(!expected.mutate.accepted);
        warned += usize::from(!expected.mutate.warnings.is_empty());
        if let Some(other) = descriptions.insert(description, name.clone()) {
            panic!("{name} and {other} say that they show the same");
        }
    }
    let found: Vec<&str> = rules.keys().map(String::as_str).collect();
    // The type gcpServiceAccountKey is what most cases of rule credentials inject.
    let types = [
        "airflow-connection",
        "aws-access-key",
        "aws-pod-identity",
        "aws-web-identity",
        "azure-service-principal",
        "azure-workload-identity",
        "custom",
        "gcp-workload-identity",
        "gke-workload-identity",
        "vault-token",
    ];
    let others = [
        "credentials",
        "lookups",
        "node-access",
        "pod-operator",
        "rbac",
        "secret-access",
        "service-accounts",
        "settings",
        "token-mounts",
    ];
    let mut known = [&types[..], &others[..]].concat();
    known.sort_unstable();
    assert_eq!(found, known);
    let least = |rule: &str| if types.contains(&rule) { 6 } else { 10 };
    assert!(rules.iter().all(|(rule, count)| *count >= least(rule)), "{rules:?}");
    assert!(
        [accepted, changed, denied, warned].into_iter().all(|count| count >= 10),
        "{accepted} {changed} {denied} {warned}"
    );
}
