//! Who needs which right: every component and every launcher with all of its rights, and without each single one. The
//! finding names exactly what was taken away, and the rule to add is that right and no other.

#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "support/corpus.rs"]
mod support;

use std::collections::BTreeSet;

use e2e_tests::cluster::Fixture;
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use e2e_tests::verdict::Verdict;
use serde_json::{Value, json};

const REPLICASETS: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// A right: API group, resource with its subresource, verb.
type Right = (&'static str, &'static str, &'static str);

/// What the chart's Role `pod-launcher` holds.
const POD_LAUNCHER: &[(&str, &str, &[&str])] = &[
    ("", "pods", &["create", "list", "get", "patch", "watch", "delete"]),
    ("", "pods/log", &["get"]),
    ("", "pods/exec", &["create", "get"]),
    ("", "events", &["list"]),
];
const LOG_READER: &[(&str, &str, &[&str])] = &[("", "pods", &["get", "list"]), ("", "pods/log", &["get"])];
const CLEANUP: &[(&str, &str, &[&str])] = &[("", "pods", &["list", "delete"])];
const JOB_LAUNCHER: &[(&str, &str, &[&str])] =
    &[("batch", "jobs", &["create", "list", "get", "patch", "watch", "delete"])];

fn rights(role: &[(&'static str, &'static str, &'static [&'static str])]) -> Vec<Right> {
    role.iter().flat_map(|(group, resource, verbs)| verbs.iter().map(|verb| (*group, *resource, *verb))).collect()
}

/// A cluster in which one user has these rights in one namespace.
fn cluster(user: &str, namespace: &str, held: &[Right]) -> Fixture {
    let access: Vec<Value> = held
        .iter()
        .map(|(group, resource, verb)| {
            json!({"user": user, "namespace": namespace, "apiGroup": group, "resources": [resource], "verbs": [verb]})
        })
        .collect();
    serde_json::from_value(json!({ "access": access })).expect("a fixture")
}

fn settings(components: Value) -> Value {
    let entries: &[Value] = components.as_array().expect("a list");
    let named = entries.iter().map(|entry| {
        let name = &entry["name"];
        json!({"name": name, "match": {"labels": {"tier": "airflow", "component": name}}, "containers": [name]})
    });
    json!({"rbac": {"failureAction": "Enforce", "components": components},
        "tokenMounts": {"components": named.collect::<Vec<_>>()}})
}

fn component_pod(component: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "c-1", "namespace": "airflow", "labels": {"tier": "airflow", "component": component}},
        "spec": {"serviceAccountName": format!("airflow-{component}"), "automountServiceAccountToken": false,
            "containers": [{"name": component}]}})
}

fn judge(request: &Value, mode: &str, settings: &Value, cluster: &Fixture) -> Verdict {
    let mut settings = settings.clone();
    settings["mode"] = mode.into();
    assert_eq!(policy().validate_settings(&settings).expect("an answer").message, None);
    policy().validate(request, &settings, cluster).expect("a verdict")
}

/// The rules at the end of the findings of a message, parsed: what the message would have added.
fn told(message: &str) -> BTreeSet<(String, String, String)> {
    let mut told = BTreeSet::new();
    for finding in message.lines().filter(|line| line.contains("rbac/lacks-access: ")) {
        let (_, rule) = finding.rsplit_once(": {").unwrap_or_else(|| panic!("no rule in {finding}"));
        let rule = format!("{{{rule}");
        let documents = e2e_tests::documents::parse::<Value>(rule.as_bytes());
        let rule = documents.ok().and_then(|mut list| list.pop()).unwrap_or_else(|| panic!("no YAML in {rule}")).value;
        let texts = |key: &str| -> Vec<String> {
            let list = rule[key].as_array().unwrap_or_else(|| panic!("{key} of {rule}"));
            list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
        };
        assert_eq!(rule.as_object().map(serde_json::Map::len), Some(3), "{rule}");
        for (group, resource) in texts("apiGroups").iter().zip(texts("resources")) {
            told.extend(texts("verbs").into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
        }
    }
    told
}

fn owned(rights: &[Right]) -> BTreeSet<(String, String, String)> {
    let owned = |right: &Right| (right.0.to_owned(), right.1.to_owned(), right.2.to_owned());
    rights.iter().map(owned).collect()
}

/// All rights: no finding. Without each: that one. Without any: all of them, once each.
#[track_caller]
fn table(what: &str, request: &Value, settings: &Value, user: &str, namespace: &str, needed: &[Right]) {
    for mode in ["mutate", "validate"] {
        let verdict = judge(request, mode, settings, &cluster(user, namespace, needed));
        let message = verdict.message.unwrap_or_default();
        assert!(!message.contains("rbac/"), "{what}, {mode}: {message}");
        let questions = verdict.host_calls.len();
        assert_eq!(questions, needed.len(), "{what}, {mode}: a question for each right");
        for lacking in needed {
            let held: Vec<Right> = needed.iter().filter(|right| right != &lacking).copied().collect();
            let verdict = judge(request, mode, settings, &cluster(user, namespace, &held));
            let message = verdict.message.unwrap_or_default();
            assert!(!verdict.accepted, "{what}, {mode}, without {lacking:?}");
            assert_eq!(told(&message), owned(&[*lacking]), "{what}, {mode}: {message}");
            assert_eq!(verdict.host_calls.len(), questions, "{what}, {mode}, without {lacking:?}");
        }
        let verdict = judge(request, mode, settings, &cluster(user, namespace, &[]));
        let message = verdict.message.unwrap_or_default();
        assert_eq!(told(&message), owned(needed), "{what}, {mode}: {message}");
        assert!(message.chars().count() < 2_500, "{what}: more than a screen: {message}");
    }
}

#[test]
fn a_component_needs_what_its_access_says_and_nothing_else() {
    let explicit =
        json!({"verbs": ["get", "update"], "group": "apps", "resource": "deployments", "subresource": "scale"});
    let rows: [(&str, Value, Vec<Right>); 9] = [
        ("scheduler", json!(["pod-launcher"]), rights(POD_LAUNCHER)),
        ("worker", json!(["pod-launcher"]), rights(POD_LAUNCHER)),
        ("triggerer", json!(["pod-launcher"]), rights(POD_LAUNCHER)),
        ("api-server", json!(["log-reader"]), rights(LOG_READER)),
        ("webserver", json!(["log-reader"]), rights(LOG_READER)),
        ("airflow-cleanup-pods", json!(["cleanup"]), rights(CLEANUP)),
        (
            "dag-processor",
            json!([explicit]),
            vec![("apps", "deployments/scale", "get"), ("apps", "deployments/scale", "update")],
        ),
        ("scheduler", json!(["pod-launcher", "job-launcher"]), [rights(POD_LAUNCHER), rights(JOB_LAUNCHER)].concat()),
        // What two of them need is asked for once and told once.
        ("worker", json!(["pod-launcher", "log-reader", "cleanup"]), rights(POD_LAUNCHER)),
    ];
    for (component, access, needed) in rows {
        let user = format!("system:serviceaccount:airflow:airflow-{component}");
        let request = Request::create(component_pod(component)).user(REPLICASETS).build();
        let own = settings(json!([{"name": component, "access": access}]));
        table(component, &request, &own, &user, "airflow", &needed);
        let elsewhere = settings(json!([{"name": component, "access": access, "namespaces": ["jobs"]}]));
        table(&format!("{component} in jobs"), &request, &elsewhere, &user, "jobs", &needed);
    }
}

#[test]
fn rights_of_the_own_namespace_do_not_count_in_another() {
    let settings =
        settings(json!([{"name": "scheduler", "access": ["pod-launcher"], "namespaces": ["airflow", "jobs"]}]));
    let request = Request::create(component_pod("scheduler")).user(REPLICASETS).build();
    let user = "system:serviceaccount:airflow:airflow-scheduler";
    let verdict = judge(&request, "validate", &settings, &cluster(user, "airflow", &rights(POD_LAUNCHER)));
    let message = verdict.message.expect("a denial");
    assert_eq!(told(&message), owned(&rights(POD_LAUNCHER)));
    let findings: Vec<&str> = message.lines().filter(|line| line.contains("rbac/lacks-access")).collect();
    assert!(
        findings.iter().all(|text| text.contains("in namespace `jobs`, where Roles of `airflow` do not count")),
        "{message}"
    );
    assert_eq!(verdict.host_calls.len(), 2 * rights(POD_LAUNCHER).len());
}

/// The executors' launchers of task pods: KubernetesExecutor's scheduler, and whoever runs KubernetesPodOperator.
const LAUNCHERS: [(&str, &str); 3] =
    [("ke-", "airflow-scheduler"), ("kpo-", "airflow-worker"), ("kpo-", "airflow-triggerer")];

#[test]
fn every_task_pod_can_be_followed_with_the_charts_role_and_not_without_any_right_of_it() {
    let Some(pods) = support::pods() else { return };
    let settings = json!({"rbac": {"failureAction": "Enforce"}, "failureActionOverrides":
        [{"namespaces": ["*"], "action": "Audit", "rules": ["credentials", "token-mounts", "secret-access"]}]});
    let mut followed = 0;
    for pod in pods.iter().filter(|pod| pod.name.starts_with("task-pods-admitted/")) {
        let file = pod.name.rsplit('/').next().unwrap_or_default();
        let containers = pod.value["spec"]["containers"].as_array().expect("containers");
        let xcom = containers.iter().any(|container| container["name"] == "airflow-xcom-sidecar");
        let needed: Vec<Right> = rights(POD_LAUNCHER)
            .into_iter()
            .filter(|right| *right != ("", "pods", "create") && (xcom || right.1 != "pods/exec"))
            .collect();
        for (_, launcher) in LAUNCHERS.iter().filter(|(prefix, _)| file.starts_with(prefix)) {
            let user = format!("system:serviceaccount:airflow:{launcher}");
            let namespace = pod.value["metadata"]["namespace"].as_str().unwrap_or("airflow");
            let request = Request::create(pod.value.clone()).user(&*user).namespace(namespace).build();
            table(&format!("{} by {launcher}", pod.name), &request, &settings, &user, namespace, &needed);
            // The whole Role holds more than is asked for, and gives no finding either.
            let whole = judge(&request, "mutate", &settings, &cluster(&user, namespace, &rights(POD_LAUNCHER)));
            assert!(!whole.message.unwrap_or_default().contains("rbac/"), "{}", pod.name);
            followed += 1;
        }
    }
    assert!(followed >= 60, "{followed}");
}
