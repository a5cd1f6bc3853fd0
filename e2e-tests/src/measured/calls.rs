//! The fixed set.

use serde_json::{Value, json};

use super::pods::{items, others, scheduler, task};
use super::{Call, REPLICASETS, SCHEDULER};
use crate::host::payload;
use crate::request::Request;

/// A catalogue of one credential, and every token taken that is none's business.
pub(super) fn settings() -> Value {
    json!({"tokenMounts": {"airflowPods": "Enforce"}, "credentials": {
        "team-a": {"type": "gcpServiceAccountKey", "secretName": "team-a-gcp", "allow": {"namespaces": ["airflow"]}}}})
}

/// The calls whose cost is held against the baseline.
#[must_use]
pub fn calls() -> Vec<Call> {
    let none = json!({});
    let repairs =
        json!({"serviceAccounts": {"repair": true}, "tokenMounts": {"serviceAccountTokenVolume": {"enabled": true}}});
    let call = |name: &str, object: Value, user: &str, settings: &Value| {
        let request = Request::create(object).user(user).build();
        Call { name: name.to_owned(), payload: payload(&request, settings) }
    };
    vec![
        call("task pod, a credential injected, its token taken", asking(), SCHEDULER, &settings()),
        call("task pod, its token taken", task(&["base"]), SCHEDULER, &settings()),
        call("task pod, isolated already", isolated(), SCHEDULER, &none),
        call("scheduler pod that complies", compliant(), REPLICASETS, &none),
        call("another application's pod", others(), REPLICASETS, &none),
        call("ServiceAccount, repaired", account(), "helm", &repairs),
        call("Deployment of the scheduler", deployment(), "helm", &none),
        call("denied with ten findings", tenfold(), REPLICASETS, &none),
    ]
}

fn asking() -> Value {
    let mut pod = task(&["base"]);
    pod["metadata"]["annotations"]["airflow-pod-identity/credentials"] = "team-a".into();
    pod
}

fn isolated() -> Value {
    let mut pod = task(&["base"]);
    pod["spec"]["automountServiceAccountToken"] = false.into();
    items(&mut pod["spec"]["volumes"]).pop();
    items(&mut pod["spec"]["containers"][0]["volumeMounts"]).pop();
    pod
}

fn compliant() -> Value {
    let mut pod = scheduler(&["scheduler", "scheduler-log-groomer"]);
    items(&mut pod["spec"]["containers"][1]["volumeMounts"]).pop();
    pod
}

fn deployment() -> Value {
    let pod = compliant();
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "airflow-scheduler", "namespace": "airflow"},
        "spec": {"selector": {"matchLabels": {"component": "scheduler"}}, "template": {"metadata": pod["metadata"], "spec": pod["spec"]}}})
}

fn account() -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": true,
        "metadata": {"name": "airflow-scheduler", "namespace": "airflow", "labels": {"tier": "airflow", "component": "scheduler"}}})
}

/// Ten containers of the scheduler's pod that mount a token of a volume of their own.
fn tenfold() -> Value {
    let mut pod = scheduler(&["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]);
    pod["spec"]["volumes"][1]["name"] = "own".into();
    for container in items(&mut pod["spec"]["containers"]) {
        container["volumeMounts"][1]["name"] = "own".into();
    }
    pod
}
