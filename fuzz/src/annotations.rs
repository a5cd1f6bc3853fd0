//! The texts of the three annotations that task authors write. What is denied shows nothing of them but names, nothing
//! of what others may use, and what passes was asked for as the contract says.

use e2e_tests::laws::{Edit, Outcome, Trial};
use e2e_tests::request::Request;
use serde_json::{Map, Value, json};

use crate::draw::{Draw, Pick};
use crate::judge::{CANARY, hold};
use crate::world::World;

const LISTED: &str = "airflow-pod-identity/credentials";
const GOOGLE: &str = "iam.cloud.google.com/service-account";
const CONTAINERS: &str = "airflow-pod-identity/containers";

/// Names of credentials: two that may be had, two that may not, and what is none.
const NAMES: [&str; 8] = ["team-a", "conn", "canary-other", "canary-away", "unknown", "TEAM-A", "team-a.", "téam-a"];
const BETWEEN: [&str; 10] = [",", ", ", " ,", " , ", ",,", " ", "\u{a0},", "\t,", "\n", "，"];

/// The catalogue.
const KNOWN: [&str; 4] = ["team-a", "conn", "canary-other", "canary-away"];

/// Holds what there is to hold.
///
/// # Errors
/// What does not hold.
pub fn check(data: &[u8]) -> Result<(), String> {
    let draw = &mut Draw::new(data);
    let settings = settings(draw);
    let mut annotations = Map::new();
    let containers = ["base", "main", "istio-proxy", "prepare", "*", "nobody", "", CANARY];
    for (key, names) in [(LISTED, NAMES), (GOOGLE, NAMES), (CONTAINERS, containers)] {
        if draw.below(3) > 0 {
            annotations.insert(key.to_owned(), written(draw, &names).into());
        }
    }
    let trial = trial(draw, &settings, &annotations);
    // Names that may not be had are names like others: they may be told to whom wrote them, and to nobody else.
    let wrote = Value::from(annotations.clone()).to_string();
    let outcome = hold(&trial, World::Silent, true).map_err(|complaint| complaint.to_string())?;
    let Some(outcome) = outcome else { return Ok(()) };
    for verdict in [&outcome.mutate, &outcome.validate] {
        let told = format!("{:?} {:?} {:?}", verdict.message, verdict.warnings, verdict.audit_annotations);
        for name in ["canary-other", "canary-away", "canary-secret"] {
            if told.contains(name) && !wrote.contains(name) {
                return Err(format!("it tells {name}, which nobody wrote: {told}\nannotations: {wrote}"));
            }
        }
    }
    let uncatalogued = settings["credentialInjection"]["uncatalogued"] == "Allow";
    granted(&annotations, uncatalogued, &outcome)
        .map_err(|what| format!("{what}\nannotations: {wrote}\nsettings: {settings}"))
}

/// What was injected was asked for, in a list that is as it must be.
fn granted(annotations: &Map<String, Value>, uncatalogued: bool, outcome: &Outcome) -> Result<(), String> {
    let text = |key: &str| annotations.get(key).and_then(Value::as_str);
    let gained = |edit: &&Edit| matches!(edit, Edit::Env(..) | Edit::SecretEnv(..) | Edit::Mount(..));
    let gained: Vec<&Edit> = outcome.edits.iter().filter(gained).collect();
    let names: Vec<&str> =
        text(LISTED).into_iter().flat_map(|list| list.split(',')).map(|name| name.trim_matches(' ')).collect();
    let google = text(GOOGLE);
    let may = |name: &&str| ["team-a", "conn"].contains(name);
    let unique = names.iter().enumerate().all(|(index, name)| !names[..index].contains(name));
    let fits = unique && names.iter().all(may);
    if !gained.is_empty() && !fits {
        return Err(format!("{gained:?} for a list that must be denied"));
    }
    if outcome.mutate.accepted && text(LISTED).is_some() && !fits {
        return Err("a list that must be denied passes".to_owned());
    }
    let admitted = |name: &str| name == "team-a" || uncatalogued && is_subdomain(name) && !KNOWN.contains(&name);
    if outcome.mutate.accepted && google.is_some_and(|name| !admitted(name)) {
        return Err("a Google credential that nobody may have passes".to_owned());
    }
    if names.is_empty() && google.is_none() && !gained.is_empty() {
        return Err(format!("{gained:?}, and nothing was asked for"));
    }
    Ok(())
}

/// Whether a Secret may be called so.
fn is_subdomain(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn settings(draw: &mut Draw<'_>) -> Value {
    let here = json!({"namespaces": ["airflow"]});
    let away = json!({"namespaces": ["other"]});
    let mut settings = json!({
        "tokenMounts": {"airflowPods": draw.one(&["Enforce", "Audit"])},
        "credentials": {
            "team-a": {"type": "gcpServiceAccountKey", "secretName": "team-a-gcp", "allow": here},
            "conn": {"type": "airflowConnection", "connectionId": "warehouse", "allow": here},
            "canary-other": {"type": "awsPodIdentity", "allow": {"namespaces": ["airflow"], "requesters": ["nobody"]}},
            "canary-away": {"type": "gcpServiceAccountKey", "secretName": "canary-secret", "allow": away},
        },
    });
    settings["credentialInjection"] = json!({
        "uncatalogued": draw.one(&["Deny", "Allow"]),
        "initContainers": draw.once_in(3),
        "skipContainers": draw.one(&[&["istio-proxy"][..], &[], &["*"]]),
    });
    settings
}

/// A list of names, or any text.
fn written(draw: &mut Draw<'_>, names: &[&str]) -> String {
    let mut text = String::new();
    for index in 0..=draw.below(5) {
        if index > 0 {
            text.push_str(draw.one(&BETWEEN));
        }
        match draw.below(12) {
            0..=8 => text.push_str(draw.one(names)),
            9 => text.push_str(&draw.text(40)),
            10 => text.push_str(&format!("eyJ{CANARY}")),
            _ => text.push_str(&draw.one(names).repeat(1 + draw.below(40))),
        }
    }
    text
}

fn trial(draw: &mut Draw<'_>, settings: &Value, annotations: &Map<String, Value>) -> Trial {
    let container = |name: &str| json!({"name": name});
    let names = draw.one(&[&["base", "istio-proxy"][..], &["main"], &["istio-proxy", "main", "base"]]);
    let containers: Vec<Value> = names.iter().map(|name| container(name)).collect();
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "namespace": "airflow", "labels": {"kubernetes_executor": "True"},
            "annotations": annotations},
        "spec": {"serviceAccountName": "airflow-worker", "containers": containers,
            "initContainers": [container("prepare")]}});
    let user = draw.one(&["system:serviceaccount:airflow:airflow-scheduler", "jane"]);
    Trial::new(&Request::create(pod).user(user).build(), settings)
}
