//! Large requests: they are judged like any other, within policy-server's time limit.

use e2e_tests::cluster::NoCluster;
use e2e_tests::laws::{self, Edit, Trial, edits};
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use e2e_tests::verdict::Verdict;
use serde_json::{Value, json};

const VOLUME: &str = "kube-api-access-x7k2p";

/// A task pod with the injected token, which asks for a credential.
fn task_pod() -> Value {
    let sources = json!([
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "etl",
            "labels": {"kubernetes_executor": "True"},
            "annotations": {"airflow-pod-identity/credentials": "team-a"},
        },
        "spec": {
            "containers": [{"name": "base", "volumeMounts": [mount()]}],
            "volumes": [{"name": VOLUME, "projected": {"sources": sources}}],
        },
    })
}

fn mount() -> Value {
    json!({"name": VOLUME, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true})
}

/// The verdict under strict settings, and what it changes.
#[track_caller]
fn judge(pod: &Value) -> (Verdict, Vec<Edit>) {
    let settings = json!({
        "tokenMounts": {"airflowPods": "Enforce"},
        "credentials": {"team-a": {"type": "gcpServiceAccountKey", "allow": {"namespaces": ["airflow"]}}},
    });
    let request = Request::create(pod.clone()).user("system:serviceaccount:airflow:airflow-scheduler").build();
    let payload = Trial::new(&request, &settings).payload("mutate");
    let verdict = policy().validate_payload(&payload, &NoCluster);
    let verdict = verdict.unwrap_or_else(|error| panic!("{} bytes: {error}", payload.len()));
    let changes = laws::mutated(&verdict).map(|after| edits(&pod.to_string(), &after).expect("planned changes alone"));
    (verdict, changes.unwrap_or_default())
}

/// Whatever is added to a pod that concerns no rule, the changes stay the same.
#[track_caller]
fn judged_like_any(pod: &Value, at_least: usize) {
    let size = pod.to_string().len();
    assert!(size >= at_least, "{size} bytes");
    // What the token and the credential need: one mount and the volume gone, `false`, two variables, mount and volume.
    let sorted = |mut edits: Vec<Edit>| {
        edits.sort_by_key(|edit| format!("{edit:?}"));
        edits
    };
    let usual = sorted(judge(&task_pod()).1);
    assert_eq!((usual.len(), sorted(judge(pod).1)), (7, usual));
}

#[test]
fn an_annotation_of_a_megabyte_changes_nothing() {
    let mut pod = task_pod();
    pod["metadata"]["annotations"]["example.com/notes"] = "x".repeat(1 << 20).into();
    judged_like_any(&pod, 1 << 20);
}

#[test]
fn ten_thousand_annotations_change_nothing() {
    let mut pod = task_pod();
    for index in 0..10_000 {
        pod["metadata"]["annotations"][format!("example.com/note-{index}")] = "x".into();
        pod["metadata"]["labels"][format!("example.com/label-{index}")] = "x".into();
    }
    judged_like_any(&pod, 10_000 * 20);
}

#[test]
fn a_request_of_two_megabytes_is_judged() {
    let mut pod = task_pod();
    let env: Vec<Value> =
        (0..20_000).map(|index| json!({"name": format!("V{index}"), "value": "x".repeat(80)})).collect();
    pod["spec"]["containers"][0]["env"] = env.into();
    judged_like_any(&pod, 2 << 20);
}

#[test]
fn five_hundred_containers_are_judged() {
    let mut pod = task_pod();
    let names: Vec<String> = (0..500).map(|index| format!("c{index}")).collect();
    pod["spec"]["containers"] = names.iter().map(|name| json!({"name": name, "volumeMounts": [mount()]})).collect();
    let (_, edits) = judge(&pod);
    let gone = |name: &String| Edit::Unmounted(format!("containers/{name}"), VOLUME.to_owned());
    let expected: Vec<Edit> = names.iter().map(gone).collect();
    let found: Vec<Edit> = edits.into_iter().filter(|edit| matches!(edit, Edit::Unmounted(..))).collect();
    assert_eq!(found, expected);
}

#[test]
fn ten_thousand_mounts_of_the_injected_volume_are_taken_away() {
    let mut pod = task_pod();
    pod["spec"]["containers"][0]["volumeMounts"] = vec![mount(); 10_000].into();
    let (_, edits) = judge(&pod);
    assert_eq!(edits.iter().filter(|edit| matches!(edit, Edit::Unmounted(..))).count(), 10_000);
}

#[test]
fn an_annotation_that_names_a_hundred_thousand_things_is_denied_in_time() {
    let names: Vec<String> = (0..100_000).map(|index| format!("name-{index}")).collect();
    for key in ["airflow-pod-identity/credentials", "airflow-pod-identity/containers"] {
        let mut pod = task_pod();
        pod["metadata"]["annotations"][key] = names.join(",").into();
        let (verdict, _) = judge(&pod);
        let message = verdict.message.unwrap_or_default();
        assert_eq!((verdict.code, message.contains("names more than 64")), (Some(403), true), "{key}");
        assert!(message.len() < 16_384, "{key}: a message of {} bytes", message.len());
    }
}

#[test]
fn ten_thousand_unknown_annotations_of_the_policys_family_give_a_few_warnings() {
    let mut pod = task_pod();
    for index in 0..10_000 {
        pod["metadata"]["annotations"][format!("airflow-pod-identity/x{index}")] = "x".into();
    }
    let (verdict, _) = judge(&pod);
    assert!((1..=20).contains(&verdict.warnings.len()), "{} warnings", verdict.warnings.len());
}

#[test]
fn credentials_that_collide_in_every_container_are_denied_in_time() {
    let names: Vec<String> = (0..60).map(|index| format!("team-{index}")).collect();
    let entry = |name: &String| (name.clone(), json!({"type": "gcpServiceAccountKey", "allow": {"namespaces": ["*"]}}));
    let catalogue: serde_json::Map<String, Value> = names.iter().map(entry).collect();
    let mut pod = task_pod();
    pod["metadata"]["annotations"]["airflow-pod-identity/credentials"] = names.join(",").into();
    pod["metadata"]["annotations"]["airflow-pod-identity/containers"] = "*".into();
    pod["spec"]["containers"] = (0..10_000).map(|index| json!({"name": format!("c{index}")})).collect();
    let request = Request::create(pod).user("jane").build();
    let payload = Trial::new(&request, &json!({"credentials": catalogue})).payload("mutate");
    let verdict = policy().validate_payload(&payload, &NoCluster);
    let verdict = verdict.unwrap_or_else(|error| panic!("{} bytes: {error}", payload.len()));
    assert_eq!((verdict.accepted, verdict.code), (false, Some(403)));
}

#[test]
fn a_holder_that_mounts_hundreds_of_tokens_thousands_of_times_is_judged_in_time() {
    let sources = vec![json!({"serviceAccountToken": {"path": "t"}}); 300];
    let mounts: Vec<Value> =
        (0..10_000).map(|index| json!({"name": "own", "mountPath": format!("/t{index}")})).collect();
    let mut pod = task_pod();
    pod["metadata"] = json!({"name": "scheduler", "labels": {"tier": "airflow", "component": "scheduler"}});
    pod["spec"]["containers"] = json!([{"name": "scheduler", "volumeMounts": mounts}]);
    pod["spec"]["volumes"] = json!([{"name": "own", "projected": {"sources": sources}}]);
    let settings = json!({"tokenMounts": {"maxExpirationSeconds": 600}});
    let request = Request::create(pod).user("system:kube-controller-manager").build();
    let payload = Trial::new(&request, &settings).payload("mutate");
    let verdict = policy().validate_payload(&payload, &NoCluster);
    let verdict = verdict.unwrap_or_else(|error| panic!("{} bytes: {error}", payload.len()));
    let limited = vec![json!({"serviceAccountToken": {"path": "t", "expirationSeconds": 600}}); 300];
    let mut expected = request["object"].clone();
    expected["spec"]["volumes"][0]["projected"]["sources"] = limited.into();
    assert_eq!((verdict.message, verdict.mutated_object), (None, Some(expected)));
}
