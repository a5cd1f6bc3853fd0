//! Every pod of the corpora through the built module, in both modes and under three settings documents, held against
//! the laws and against what an operator is promised.

#[path = "support/asking.rs"]
mod asking;
#[path = "support/catalogue.rs"]
mod every;
#[path = "support/corpus.rs"]
mod support;

use std::collections::BTreeMap;

use e2e_tests::laws::{Edit, Held, OTHER_SERVICES, Outcome, api_tokens};
use serde_json::{Value, json};

use crate::support::{Sample, catalogue, objects, pods, strict};

const HOME: &str = "/var/run/secrets/gcp/team-a";

/// Pods of the corpora that conflict with the credential on purpose, and what they are denied for.
const CONFLICTS: [(&str, &str); 3] = [
    ("task-pods-admitted/airflow2/ke-override-env-conflict.json", "credentials/env-taken"),
    ("task-pods-admitted/airflow3/ke-override-env-conflict.json", "credentials/env-taken"),
    ("task-pods-admitted/airflow3/kpo-env-conflict.json", "credentials/env-taken"),
];

/// Pods of the node's network.
const NODE: [&str; 1] = ["task-pods-admitted/airflow3/kpo-host-network.json"];

/// Pods that bring an API token along by themselves, which strict settings deny.
const DECLARED: [&str; 2] = [
    "chart/x-extravolumemounts-leak/admitted/Deployment-airflow-scheduler.json",
    "task-pods-admitted/airflow3/kpo-mounts-token-volume-itself.json",
];

/// Schedulers of the chart whose token is isolated already: the sixteen examples without those that leave automount on.
const ISOLATED: usize = 13;

#[test]
fn the_laws_hold_under_every_settings_document() {
    let documents = [("default", json!({})), ("strict", strict()), ("catalogue", catalogue())];
    let Some(pods) = pods() else { return };
    assert!(pods.len() > 200, "{} pods", pods.len());
    let mut answers = 0;
    for (name, settings) in &documents {
        answers += pods.iter().map(|pod| pod.check(name, settings).answers).sum::<usize>();
    }
    // Both modes, the five updates and the mirror pod, each asked twice; the result of those that pass comes on top.
    assert!(answers > 14 * documents.len() * pods.len(), "{answers} answers");
    println!("{} pods, {answers} answers", pods.len());
}

#[test]
fn what_is_no_pod_passes_untouched() {
    let Some(objects) = objects() else { return };
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for object in objects.iter().filter(|object| object.value["kind"] != "Pod") {
        // Its template mounts a token of its own into every container of the scheduler's.
        if object.name.contains("x-extravolumemounts-leak/objects/Deployment-airflow-scheduler") {
            continue;
        }
        for settings in [json!({}), strict()] {
            for mode in ["mutate", "validate"] {
                assert_eq!(object.answer(mode, &settings).raw, br#"{"accepted":true}"#, "{}", object.name);
            }
        }
        *kinds.entry(object.value["kind"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let found: Vec<&str> = kinds.keys().map(String::as_str).collect();
    assert_eq!(found, ["CronJob", "Deployment", "Job", "ServiceAccount", "StatefulSet"]);
}

#[test]
fn under_strict_settings_only_the_scheduler_holds_a_token() {
    let Some(pods) = pods() else { return };
    let mut holders = 0;
    for pod in &pods {
        let outcome = pod.check("strict", &strict());
        let is_scheduler = pod.value["metadata"]["labels"]["component"] == "scheduler";
        let Some(result) = outcome.result else {
            assert!(!api_tokens(&pod.value, &OTHER_SERVICES).is_empty() || pod.annotation().is_some(), "{}", pod.name);
            continue;
        };
        for Held { section, container, volume } in api_tokens(&json_of(&result), &OTHER_SERVICES) {
            let allowed = is_scheduler && section == "containers" && container == "scheduler";
            assert!(allowed, "{}: {section}/{container} keeps {volume}", pod.name);
            holders += 1;
        }
    }
    // All schedulers but those that have no token at all (automount off, no volume) or leak it (denied).
    assert_eq!(holders, 18);
}

#[test]
fn under_strict_settings_the_denied_are_those_that_are_meant_to_be() {
    let Some(pods) = pods() else { return };
    let mut denied = BTreeMap::new();
    for pod in &pods {
        let verdict = pod.check("strict", &strict()).mutate;
        if let Some(message) = verdict.message {
            denied.insert(pod.name.as_str(), ids(&message));
        }
    }
    let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    expected.extend(CONFLICTS.map(|(name, id)| (name, vec![id.to_owned()])));
    let tokens = |count| vec!["token-mounts/declared-token".to_owned(); count];
    expected.insert(DECLARED[0], tokens(2));
    expected.insert(DECLARED[1], tokens(1));
    expected.insert(NODE[0], vec!["node-access/host-namespace".to_owned()]);
    let names = ["bad-annotation", "not-allowed", "not-allowed"].map(|id| vec![format!("credentials/{id}")]);
    for (file, ids) in ["empty", "gsa-email", "unknown"].into_iter().zip(names) {
        let found = pods.iter().find(|pod| pod.name.ends_with(&format!("ke-annotation-{file}.json")));
        expected.insert(found.map_or(file, |pod| &pod.name), ids);
    }
    assert_eq!(denied, expected);
}

#[test]
fn under_default_settings_only_schedulers_lose_tokens_and_nothing_that_runs_is_stopped() {
    let Some(pods) = pods() else { return };
    let (mut schedulers, mut granted, mut denied) = (0, 0, Vec::new());
    for pod in &pods {
        let outcome = pod.check("default", &json!({}));
        if let Some(message) = &outcome.mutate.message {
            denied.push((pod.name.as_str(), ids(message)));
            continue;
        }
        if pod.value["metadata"]["labels"]["component"] == "scheduler" {
            schedulers += usize::from(loses_the_injected_token(pod, &outcome));
        } else if let Some(name) = pod.annotation() {
            let containers = containers_with(&outcome, |edit| matches!(edit, Edit::Mount(..)));
            assert_eq!((containers.len(), outcome.edits.len()), (1, 4), "{}: {name}: {:?}", pod.name, outcome.edits);
            granted += 1;
        } else {
            assert_eq!(outcome.edits, [], "{}", pod.name);
            assert!(outcome.mutate.mutated_object.is_none(), "{}", pod.name);
        }
    }
    // The schedulers of default, migration-step1 and -step2, x-all-components-kubernetes and x-executor-local-default.
    // Fifteen pods name `team-a` without a conflict, one `team-b` and one a name that only a catalogue would refuse.
    assert_eq!((schedulers, granted), (5, 17));
    let mut expected = CONFLICTS.map(|(name, id)| (name, vec![id.to_owned()])).to_vec();
    // Without a catalogue an annotation names a Secret: the empty text and an address are no names.
    for (file, id) in [("empty", "bad-annotation"), ("gsa-email", "bad-annotation")] {
        let found = pods.iter().find(|pod| pod.name.ends_with(&format!("ke-annotation-{file}.json")));
        expected.push((found.map_or(file, |pod| &pod.name), vec![format!("credentials/{id}")]));
    }
    // The workaround of charts before 1.19 hands the scheduler's token to its neighbours: declared, so never stripped.
    expected.push((DECLARED[0], vec!["token-mounts/declared-token".to_owned(); 2]));
    expected.sort();
    denied.sort();
    assert_eq!(denied, expected);
}

/// Whether the scheduler's neighbours lost the injected token; it itself keeps it, or had none injected.
fn loses_the_injected_token(pod: &Sample, outcome: &Outcome) -> bool {
    if pod.value["spec"]["automountServiceAccountToken"] == false {
        assert_eq!(outcome.mutate.raw, br#"{"accepted":true}"#, "{}", pod.name);
        return false;
    }
    let volume = "kube-api-access-x7k2p".to_owned();
    let gone = |container: &str| Edit::Unmounted(container.to_owned(), volume.clone());
    let expected =
        [gone("containers/scheduler-log-groomer"), gone("initContainers/wait-for-airflow-migrations"), Edit::Automount];
    assert_eq!(outcome.edits, expected, "{}", pod.name);
    true
}

#[test]
fn the_charts_own_isolation_is_accepted_without_a_patch() {
    let Some(pods) = pods() else { return };
    let mut isolated = 0;
    for pod in pods.iter().filter(|pod| pod.name.starts_with("chart/") && !pod.name.starts_with("chart/x-")) {
        let is_scheduler = pod.value["metadata"]["labels"]["component"] == "scheduler";
        if !is_scheduler || pod.value["spec"]["automountServiceAccountToken"] != false {
            continue;
        }
        assert_eq!(api_tokens(&pod.value, &OTHER_SERVICES).len(), 1, "{}", pod.name);
        for settings in [json!({}), strict(), catalogue()] {
            for mode in ["mutate", "validate"] {
                assert_eq!(pod.answer(mode, &settings).raw, br#"{"accepted":true}"#, "{}", pod.name);
            }
        }
        isolated += 1;
    }
    assert_eq!(isolated, ISOLATED);
}

#[test]
fn whoever_names_team_a_gets_its_key_and_nothing_else_changes() {
    let Some(pods) = pods() else { return };
    let mut injected = 0;
    for pod in pods.iter().filter(|pod| pod.annotation() == Some("team-a")) {
        if CONFLICTS.iter().any(|(name, _)| *name == pod.name) {
            continue;
        }
        let outcome = pod.check("catalogue", &catalogue());
        // The one pod whose main container has another name has no sidecar.
        let target =
            if pod.name.ends_with("/kpo-base-container-name.json") { "containers/main" } else { "containers/base" };
        let key = format!("{HOME}/key.json");
        let env = |name: &str| Edit::Env(target.to_owned(), name.to_owned(), key.clone());
        let source = json!({"secretName": "team-a-gcp", "items": [{"key": "key.json", "path": "key.json"}]});
        let mut expected = vec![
            env("GOOGLE_APPLICATION_CREDENTIALS"),
            env("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"),
            Edit::Mount(target.to_owned(), "gcp-team-a".to_owned(), HOME.to_owned()),
            Edit::Volume(json!({"name": "gcp-team-a", "secret": source})),
        ];
        let mut found = outcome.edits;
        for edits in [&mut expected, &mut found] {
            edits.sort_by_key(|edit| format!("{edit:?}"));
        }
        assert_eq!(found, expected, "{}", pod.name);
        injected += 1;
    }
    assert_eq!(injected, 15);
}

fn containers_with(outcome: &Outcome, is_meant: impl Fn(&Edit) -> bool) -> Vec<&Edit> {
    outcome.edits.iter().filter(|edit| is_meant(edit)).collect()
}

/// The ids of the findings that a message tells, in its order.
fn ids(message: &str) -> Vec<String> {
    let lines: Vec<&str> = message.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let lines = if lines.is_empty() { message.lines().take(1).collect() } else { lines };
    lines.iter().filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("a judged object is JSON")
}
