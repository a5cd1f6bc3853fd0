//! A marker in every place that may hold a secret never shows in an answer.

use e2e_tests::cluster::NoCluster;
use e2e_tests::laws::Trial;
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use serde_json::{Value, json};

/// Neither a name nor a path: an answer has no reason to show it.
const MARKER: &str = "CANARY eyJhbGciOiJSUzI1NiJ9.c2VjcmV0_";

/// A pod that holds the marker wherever a value may stand.
fn pod(labels: &Value, annotations: &Value, spec: &Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "etl",
            "labels": {"team": MARKER, "dag_id": MARKER, "kubernetes_executor": MARKER},
            "annotations": {"example.com/a": MARKER, "airflow-pod-identity/containrs": MARKER},
        },
        "spec": {
            "containers": [{
                "name": "base",
                "command": [MARKER],
                "args": ["--json-string", MARKER],
                "env": [
                    {"name": "TOKEN", "value": MARKER},
                    {"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": MARKER},
                ],
                "lifecycle": {"postStart": {"exec": {"command": [MARKER]}}},
            }],
            "volumes": [],
        },
    });
    for (place, values) in [("/metadata/labels", labels), ("/metadata/annotations", annotations), ("/spec", spec)] {
        let found = pod.pointer_mut(place).and_then(Value::as_object_mut).expect("an object");
        found.extend(values.as_object().expect("an object").clone());
    }
    pod
}

/// What comes of a pod in a mode, as accepted and code; the marker shows nowhere but in the object itself.
#[track_caller]
fn silent(pod: &Value, old: Option<&Value>, settings: &Value, mode: &str) -> (bool, Option<u16>) {
    let mut request = Request::create(pod.clone()).user("system:serviceaccount:airflow:airflow-scheduler");
    if let Some(old) = old {
        request = request.operation("UPDATE").old(old.clone());
    }
    let payload = Trial::new(&request.build(), settings).payload(mode);
    let verdict = policy().validate_payload(&payload, &NoCluster).expect("a verdict");
    let told = (&verdict.message, &verdict.warnings, &verdict.audit_annotations, &verdict.logs, &verdict.host_calls);
    let told = format!("{told:?}");
    for part in ["CANARY", "eyJ", "c2Vjcm"] {
        assert!(!told.contains(part), "{mode} tells {part}: {told}");
    }
    (verdict.accepted, verdict.code)
}

fn strict() -> Value {
    let allow = json!({"namespaces": ["airflow"]});
    json!({
        "tokenMounts": {"airflowPods": "Enforce", "otherPods": "NoToken", "tokenSecrets": ["kubeconfig-*"]},
        "credentials": {"team-a": {"type": "gcpServiceAccountKey", "allow": allow}},
    })
}

const DENIED: (bool, Option<u16>) = (false, Some(403));
const ACCEPTED: (bool, Option<u16>) = (true, None);

#[test]
fn the_marker_shows_in_no_denial() {
    let none = json!({});
    let key = "airflow-pod-identity/credentials";
    let projected =
        json!({"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]});
    let token = json!({"name": "base", "args": [MARKER], "volumeMounts": [{"name": "v", "mountPath": "/v"}]});
    let mut declared = projected;
    declared["containers"] = json!([token]);
    let secret_env = json!({"containers": [{"name": "base", "env": [
        {"name": "K", "valueFrom": {"secretKeyRef": {"name": "kubeconfig-a", "key": MARKER}}}]}]});
    let mut denials = 0;
    for (annotations, spec) in [
        (json!({key: MARKER}), &none),
        (json!({key: format!("team-a,{MARKER}")}), &none),
        (json!({"iam.cloud.google.com/service-account": MARKER}), &none),
        (json!({key: "team-a"}), &none),
        (json!({key: "team-a", "airflow-pod-identity/containers": MARKER}), &none),
        (json!({key: "team-a", "airflow-pod-identity/containers": format!("base,{MARKER}")}), &none),
        (json!({"airflow-pod-identity/gcp-x": MARKER}), &none),
        (none.clone(), &declared),
        (none.clone(), &secret_env),
    ] {
        for mode in ["mutate", "validate"] {
            assert_eq!(silent(&pod(&none, &annotations, spec), None, &strict(), mode), DENIED, "{annotations} {spec}");
            denials += 1;
        }
    }
    assert_eq!(denials, 18);
}

#[test]
fn the_marker_shows_in_no_warning_and_no_report() {
    let none = json!({});
    let mut settings = strict();
    settings["failureAction"] = "Audit".into();
    let annotations = json!({"airflow-pod-identity/credentials": MARKER});
    for mode in ["mutate", "validate"] {
        assert_eq!(silent(&pod(&none, &annotations, &none), None, &settings, mode), ACCEPTED);
        assert_eq!(silent(&pod(&none, &none, &none), None, &settings, mode), ACCEPTED);
        let old = pod(&none, &none, &none);
        assert_eq!(silent(&pod(&none, &annotations, &none), Some(&old), &settings, mode), ACCEPTED);
        let claims = json!({"tier": "airflow", "component": "scheduler"});
        assert_eq!(silent(&pod(&claims, &none, &none), None, &settings, mode), ACCEPTED);
    }
}

#[test]
fn the_marker_shows_in_no_refusal() {
    let none = json!({});
    let mut settings = json!({});
    for (place, value) in [("/metadata/labels", json!({"a": [MARKER]})), ("/spec", json!({"containers": MARKER}))] {
        let mut pod = pod(&none, &none, &none);
        let found = pod.pointer_mut(place).and_then(Value::as_object_mut).expect("an object");
        found.extend(value.as_object().expect("an object").clone());
        assert_eq!(silent(&pod, None, &settings, "mutate"), (false, Some(422)));
    }
    settings["failureAction"] = MARKER.into();
    assert_eq!(silent(&pod(&none, &none, &none), None, &settings, "mutate"), (false, Some(422)));
}
