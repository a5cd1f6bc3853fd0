//! What `kwctl run` needs to judge the cases, and what it must answer: the files under `kwctl/`, made of those under `cases/`.
//!
//! ```text
//!  cases/RULE/NAME.yaml ─► kwctl/RULE-NAME/request.json            the AdmissionRequest
//!                                         /settings-MODE.json      mutate, validate
//!                                         /host-MODE.yml           what the policy asks its host, and the answers
//!                                         /answers.json            what comes of it, for each mode
//!  REFUSED below ────────► kwctl/RULE-settings-refused/settings.json, message.txt
//! ```
//!
//! All cases in which the policy asks its host are written out, and of the others those that are listed here. The bats files
//! run kwctl over them. `UPDATE_CASES=1` writes the files.

#![cfg(feature = "engine")]

#[allow(dead_code, reason = "the cases' own tests use the rest of it")]
#[path = "support/case.rs"]
mod case;
#[path = "support/session.rs"]
mod session;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use e2e_tests::documents;
use e2e_tests::host::payload;
use e2e_tests::testing::{policy, workspace};
use serde_json::{Map, Value, json};

use crate::case::{Case, all};
use crate::session::{Told, session};

const MODES: [&str; 2] = ["mutate", "validate"];

/// Cases for every outcome that a rule has, but for those of rule rbac, which all ask the host.
const CHOSEN: [&str; 26] = [
    "credentials/already-injected",
    "credentials/audit-still-injects",
    "credentials/list-annotation",
    "credentials/misspelt-annotation",
    "credentials/not-allowed-namespace",
    "token-mounts/declared-at-the-default-path",
    "token-mounts/ephemeral-mounts-the-token",
    "token-mounts/scheduler-alone",
    "token-mounts/scheduler-sidecars",
    "token-mounts/task-pod-audit",
    "secret-access/admitted",
    "secret-access/audit",
    "secret-access/audit-scan",
    "secret-access/deployment",
    "secret-access/volume",
    "node-access/allowed",
    "node-access/audit",
    "node-access/socket",
    "pod-operator/audit",
    "pod-operator/default-account",
    "pod-operator/named-account",
    "service-accounts/automount-audit",
    "service-accounts/automount-false",
    "service-accounts/automount-repaired",
    "service-accounts/automount-true",
    "service-accounts/role-repaired",
];

/// Settings that no policy starts with, for each rule.
fn refused() -> Vec<(&'static str, Value)> {
    vec![
        ("credentials", json!({"credentials": {"team-a": {"type": "gcpKey", "allow": {"namespaces": []}}}})),
        ("token-mounts", json!({"tokenMounts": {"airflowPods": "Deny", "maxExpirationSeconds": 60}})),
        ("secret-access", json!({"secretAccess": {"tokenAudiences": "Sometimes"}})),
        ("node-access", json!({"nodeAccess": {"failureAction": "Deny"}})),
        ("service-accounts", json!({"serviceAccounts": {"repair": "yes"}})),
        ("pod-operator", json!({"podOperator": {"failureactions": "Audit"}})),
        ("rbac", json!({"rbac": {"components": [{"name": "scheduler"}]}})),
    ]
}

#[test]
fn the_files_are_those_of_the_cases() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("kwctl");
    let (wanted, found) = (wanted(), found(&root));
    let mut stale: Vec<&PathBuf> = wanted.keys().filter(|path| found.get(*path) != wanted.get(*path)).collect();
    stale.extend(found.keys().filter(|path| !wanted.contains_key(*path)));
    if update {
        for path in &stale {
            let at = root.join(path);
            match wanted.get(*path) {
                Some(text) => {
                    std::fs::create_dir_all(at.parent().unwrap_or(&root)).expect("a directory");
                    std::fs::write(&at, text).expect("a writable file");
                }
                None => {
                    std::fs::remove_file(&at).expect("a file");
                    // Fails where other files are left.
                    let _ = std::fs::remove_dir(at.parent().unwrap_or(&root));
                }
            }
        }
    }
    println!("{} files, {} stale", wanted.len(), stale.len());
    assert!(update || stale.is_empty(), "UPDATE_CASES=1 writes anew: {stale:?}");
}

#[test]
fn every_outcome_of_every_rule_is_there() {
    let mut outcomes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let cases = all();
    for case in cases.iter().filter(|case| is_written(case)) {
        let (rule, _) = case.name.split_once('/').unwrap_or_default();
        let answer = &case.expected.mutate;
        let outcome = match answer {
            answer if !answer.accepted => "deny",
            answer if !answer.changes.is_empty() => "mutate",
            answer if !answer.warnings.is_empty() => "warn",
            _ => "accept",
        };
        outcomes.entry(rule).or_default().push(outcome);
    }
    for (rule, _) in refused() {
        let outcomes = &outcomes[rule];
        for outcome in ["accept", "warn", "deny"] {
            assert!(outcomes.contains(&outcome), "{rule}: {outcome} is missing");
        }
        let changes = ["credentials", "token-mounts", "service-accounts"].contains(&rule);
        assert_eq!(outcomes.contains(&"mutate"), changes, "{rule}");
    }
}

/// The example for a policy server without Kubernetes.
#[test]
fn policies_yml_holds_one_set_of_settings_in_both_modes() {
    let text = std::fs::read(workspace().join("examples/policy-server/policies.yml")).expect("a readable file");
    let documents = documents::parse::<Value>(&text).unwrap_or_else(|error| panic!("{error}"));
    let [document] = &documents[..] else { panic!("{} documents", documents.len()) };
    let mut without_mode = Vec::new();
    for mode in MODES {
        let entry = &document.value[format!("airflow-pod-identity-{mode}")];
        let mut settings = entry["settings"].clone();
        assert_eq!(settings["mode"], mode);
        assert_eq!(entry["allowedToMutate"], mode == "mutate");
        let verdict = policy().validate_settings(&settings).expect("an answer");
        assert!(verdict.valid, "{mode}: {:?}", verdict.message);
        settings["mode"] = Value::Null;
        without_mode.push((settings, &entry["contextAwareResources"], &entry["hostCapabilities"]));
    }
    assert_eq!(without_mode[0], without_mode[1]);
}

fn is_chosen(name: &str) -> bool {
    CHOSEN.contains(&name)
}

fn is_written(case: &Case) -> bool {
    is_chosen(&case.name) || MODES.iter().any(|mode| Run::of(case, mode).asks)
}

/// Every file, by its path below `kwctl/`.
fn wanted() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut written = 0;
    for case in all() {
        let runs = MODES.map(|mode| (mode, Run::of(&case, mode)));
        if !is_chosen(&case.name) && runs.iter().all(|(_, run)| !run.asks) {
            continue;
        }
        written += usize::from(is_chosen(&case.name));
        let folder = PathBuf::from(case.name.replace('/', "-"));
        let mut answers = Map::new();
        for (mode, run) in runs {
            files.insert(folder.join("request.json"), pretty(&run.request));
            files.insert(folder.join(format!("settings-{mode}.json")), pretty(&run.settings));
            if run.asks {
                files.insert(folder.join(format!("host-{mode}.yml")), run.session);
            }
            answers.insert(mode.to_owned(), run.answer);
        }
        files.insert(folder.join("answers.json"), pretty(&Value::Object(answers)));
    }
    assert_eq!(written, CHOSEN.len(), "a case is listed that does not exist");
    for (rule, settings) in refused() {
        let verdict = policy().validate_settings(&settings).expect("an answer");
        assert!(!verdict.valid, "{rule}: these are accepted: {settings}");
        let folder = PathBuf::from(format!("{rule}-settings-refused"));
        files.insert(folder.join("settings.json"), pretty(&settings));
        files.insert(folder.join("message.txt"), verdict.message.unwrap_or_default() + "\n");
    }
    files
}

fn found(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let Ok(folders) = std::fs::read_dir(root) else { return files };
    for folder in folders.map(|entry| entry.expect("an entry").path()) {
        for file in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            files.insert(file.strip_prefix(root).unwrap_or(&file).to_owned(), text);
        }
    }
    files
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A case in one mode, as kwctl runs it.
struct Run {
    request: Value,
    settings: Value,
    /// Whether the policy asks its host anything.
    asks: bool,
    session: String,
    answer: Value,
}

impl Run {
    fn of(case: &Case, mode: &str) -> Self {
        let input: Value = serde_json::from_slice(&case.trial().payload(mode)).expect("JSON");
        let (mut request, settings) = (input["request"].clone(), input["settings"].clone());
        if let Some(fields) = request.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
            // kwctl asks for it, and a request without a requester has it empty.
            fields.entry("userInfo").or_insert(json!({}));
        }
        let verdict = policy().validate_payload(&payload(&request, &settings), &Told(case.cluster()));
        let verdict = verdict.unwrap_or_else(|error| panic!("{}: {mode}: {error}", case.name));
        let expected = if mode == "mutate" { &case.expected.mutate } else { &case.expected.validate };
        assert_eq!(verdict.accepted, expected.accepted, "{}: {mode}: kwctl's request is judged otherwise", case.name);
        let changed = verdict.changed(&request["object"]).cloned();
        let answer = json!({
            "allowed": verdict.accepted,
            "code": verdict.code,
            "message": verdict.message,
            "warnings": verdict.warnings,
            "auditAnnotations": verdict.audit_annotations,
            "object": changed,
        });
        Self { request, settings, asks: !verdict.host_calls.is_empty(), session: session(&verdict.host_calls), answer }
    }
}
