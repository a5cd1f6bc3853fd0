//! Pods of the corpora that ask for every type of credential, and hostile ones that are told off.

use std::collections::BTreeMap;

use e2e_tests::laws::Edit;
use serde_json::{Value, json};

use crate::every;
use crate::support::{Sample, pods, strict};
use crate::{CONFLICTS, DECLARED, NODE, ids, json_of};

/// The container that an edit adds something to.
fn gaining(edit: &Edit) -> Option<&str> {
    match edit {
        Edit::Env(container, ..) | Edit::SecretEnv(container, ..) | Edit::Mount(container, ..) => Some(container),
        _ => None,
    }
}

/// Holds a pod that asks for credentials against the laws, and against what everybody is promised: one container gains,
/// nothing is named twice that was not before, and the others are as they were. How many env variables and mounts it gains,
/// or what it is denied for.
#[track_caller]
fn grants(pod: &Sample, names: &str, document: &str, settings: &Value) -> Result<usize, Vec<String>> {
    let pod = pod.asking(names);
    let outcome = pod.check(document, settings);
    if let Some(message) = &outcome.mutate.message {
        return Err(ids(message));
    }
    let mut gained: Vec<&str> = outcome.edits.iter().filter_map(gaining).collect();
    gained.dedup();
    let containers = pod.value["spec"]["containers"].as_array().expect("containers");
    let names_of: Vec<&str> = containers.iter().filter_map(|container| container["name"].as_str()).collect();
    let target = names_of.iter().find(|name| **name == "base").or(names_of.first()).expect("a container");
    assert!(gained.iter().all(|name| *name == format!("containers/{target}")), "{}: {gained:?}", pod.name);
    let result = outcome.result.as_deref().map(json_of).expect("it passes");
    for (before, after) in containers.iter().zip(result["spec"]["containers"].as_array().expect("containers")) {
        assert_eq!(twice(after), twice(before), "{}", pod.name);
    }
    Ok(outcome.edits.iter().filter(|edit| gaining(edit).is_some()).count())
}

/// The env variables that a container has more than once.
fn twice(container: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        container["env"].as_array().into_iter().flatten().filter_map(|env| env["name"].as_str()).collect();
    names.sort_unstable();
    let pairs = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    pairs.collect()
}

#[test]
fn task_pods_get_every_credential_that_they_ask_for() {
    let Some(pods) = pods() else { return };
    let documents = [("default", every::with_all(json!({}))), ("strict", every::with_all(strict()))];
    let task = |pod: &&Sample| pod.name.starts_with("task-pods-admitted/");
    let asked: Vec<&str> = every::NAMES.into_iter().chain(every::TOGETHER).collect();
    let mut denied: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut gains: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, pod) in pods.iter().filter(task).enumerate() {
        for (turn, names) in asked.iter().enumerate() {
            // Every pod asks for everything, and meets each document with every other name.
            let (document, settings) = &documents[(index + turn) % 2];
            match grants(pod, names, document, settings) {
                Ok(gained) => gains.entry(names).or_default().push(gained),
                Err(ids) => *denied.entry((pod.name.as_str(), ids.join(" "))).or_default() += 1,
            }
        }
    }
    // How many env variables and mounts the container gains: the same in every pod.
    let expected = [4, 3, 0, 4, 7, 3, 5, 4, 1, 3, 4, 23, 13, 11].map(|gained| vec![gained]);
    for counts in gains.values_mut() {
        counts.sort_unstable();
        counts.dedup();
    }
    assert_eq!(gains, asked.into_iter().zip(expected).collect());
    let mut expected = BTreeMap::new();
    for (name, _) in CONFLICTS {
        // Google's three types, the last of which puts no variable there itself, alone and in company.
        expected.insert((name, "credentials/env-taken".to_owned()), 4);
        expected.insert((name, "credentials/shadowed".to_owned()), 2);
    }
    // It has an `API_KEY` of its own.
    expected.insert(("task-pods-admitted/airflow3/kpo-secrets.json", "credentials/env-taken".to_owned()), 3);
    expected.insert((NODE[0], "node-access/host-namespace".to_owned()), 7);
    expected.insert((DECLARED[1], "token-mounts/declared-token".to_owned()), 7);
    assert_eq!(denied, expected);
}

#[test]
fn chart_pods_get_credentials_too() {
    let Some(pods) = pods() else { return };
    let settings = every::with_all(strict());
    let asked: Vec<&str> = every::NAMES.into_iter().chain(every::TOGETHER).collect();
    let mut denied = Vec::new();
    let mut granted = 0;
    for (index, pod) in pods.iter().filter(|pod| pod.name.starts_with("chart/")).enumerate() {
        match grants(pod, asked[index % asked.len()], "strict", &settings) {
            Ok(_) => granted += 1,
            Err(ids) => denied.push((pod.name.as_str(), ids)),
        }
    }
    assert_eq!((granted, denied), (172, vec![(DECLARED[0], vec!["token-mounts/declared-token".to_owned(); 2])]));
}

/// A catalogue in which team B's Secret is team B's.
fn two_teams() -> Value {
    let allow = |account: &str| json!({"namespaces": ["airflow", "airflow-jobs"], "serviceAccounts": [account]});
    let team = |team: &str, account: &str| json!({"type": "gcpServiceAccountKey", "secretName": team, "allow": allow(account)});
    json!({"credentials": {
        "team-a": team("team-a", "*/*"),
        "team-b": team("team-b", "*/team-b-*"),
        "team-b-key": {"type": "custom", "secretName": "team-a-key", "files": {"mountPath": "/etc/team-b"},
            "allow": allow("*/team-b-*")},
    }})
}

#[test]
fn hostile_task_pods_are_told_what_is_wrong_and_how_to_mend_it() {
    let Some(pods) = pods() else { return };
    let settings = two_teams();
    let mut told = BTreeMap::new();
    for pod in pods.iter().filter(|pod| pod.name.starts_with("task-pods-admitted/")) {
        let outcome = pod.check("two teams", &settings);
        if let Some(message) = outcome.mutate.message {
            assert_eq!(outcome.mutate.code, Some(403));
            told.insert(pod.name.strip_prefix("task-pods-admitted/").expect("a task pod"), message);
        }
    }
    let taken = |entry: usize| {
        format!(
            "credentials/env-taken: spec.containers[0].env[{entry}] (container `base`): the pod sets the env variable \
             `GOOGLE_APPLICATION_CREDENTIALS` itself, and credential `team-a` needs it set otherwise; to mend it, remove \
             the variable from the pod, or remove the annotation that asks for the credential"
        )
    };
    let protected = |volume: usize, secret: &str| {
        format!(
            "secret-access/protected-secret: spec.volumes[{volume}]: names Secret `{secret}`, which is protected and not \
             for this pod; credentials that it may use: `team-a`; to mend it, remove the reference and name a \
             credential in the annotation `airflow-pod-identity/credentials`, or have the pod's namespace, \
             ServiceAccount and requester added to the `allow` that guards the Secret"
        )
    };
    let annotation = "metadata.annotations[iam.cloud.google.com/service-account]";
    let unknown = |name: &str| {
        format!(
            "credentials/not-allowed: {annotation}: names {name}, which is no credential that this pod may use; it may \
             use: `team-a`; to mend it, name one of these, or have the pod's namespace, ServiceAccount and requester added \
             to the credential's `allow`"
        )
    };
    let empty = format!(
        "credentials/bad-annotation: {annotation}: is empty: it names one credential; this pod may use: `team-a`; to mend \
         it, write the names as the operator gave them, or remove the annotation"
    );
    let expected = BTreeMap::from([
        ("airflow2/ke-override-env-conflict.json", taken(7)),
        ("airflow3/ke-override-env-conflict.json", taken(7)),
        ("airflow3/kpo-env-conflict.json", taken(0)),
        ("airflow3/ke-override-other-teams-secret.json", protected(2, "team-b")),
        // `team-a-key` is what this catalogue gives to team B.
        ("airflow3/kpo-secrets.json", protected(0, "team-a-key")),
        ("airflow3/ke-annotation-empty.json", empty),
        ("airflow3/ke-annotation-gsa-email.json", unknown("a text that is no name (not shown)")),
        ("airflow3/ke-annotation-unknown.json", unknown("`no-such-team`")),
        ("airflow3/kpo-pod-template-dict.json", unknown("`team-b`")),
    ]);
    assert_eq!(told, expected);
}
