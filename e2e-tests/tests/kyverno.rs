//! Kyverno's own test resources: the same verdicts as those of the two policies that the chart's documentation names, and
//! the repairs of two others without their faults.

#[path = "support/kinds.rs"]
mod kinds;
#[path = "support/kyverno.rs"]
mod kyverno;
#[path = "support/review.rs"]
mod review;

use e2e_tests::laws::{OTHER_SERVICES, api_tokens};
use e2e_tests::request::Request;
use e2e_tests::settings;
use e2e_tests::testing::workspace;
use serde_json::{Value, json};

use crate::kinds::KINDS;
use crate::kyverno::{cases, resources};
use crate::review::{answer, told};

/// The document that stands for both policies.
fn compatible() -> Value {
    let path = workspace().join("examples/settings/kyverno-compatible.yaml");
    settings::load(path).unwrap_or_else(|error| panic!("{error}"))
}

fn create(object: &Value) -> Value {
    Request::create(object.clone()).namespace("default").user("kubernetes-admin").build()
}

/// What we say of an object, compared with Kyverno's `expected`.
#[track_caller]
fn assert_same(object: &Value, expected: &str, id: &str) {
    let verdict = answer(&create(object), &compatible(), "validate");
    match expected {
        "pass" => assert!(verdict.accepted && verdict.audit_annotations.is_empty(), "{object}: {verdict:?}"),
        "fail" => assert!(told(&verdict).iter().any(|told| told.id == id), "{object}: {verdict:?}"),
        "skip" => {
            // The label that Kyverno skips by is anybody's to write: only an exception that names the object excuses it.
            assert!(!verdict.accepted, "{object}");
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            for (names, accepted) in [(name, true), ("other", false)] {
                let mut settings = compatible();
                let matched = json!({"namespaces": ["default"], "names": [names]});
                settings["exceptions"] = json!([{"name": "reporter", "rules": ["token-mounts"], "match": matched}]);
                let verdict = answer(&create(object), &settings, "validate");
                assert_eq!(verdict.accepted, accepted, "{object}: {verdict:?}");
                let excused = verdict.audit_annotations.get("exceptions").map(String::as_str);
                assert_eq!(excused, accepted.then_some("reporter skips token-mounts"), "{object}");
            }
            // The document's own exception names a namespace instead.
            let there = Request::create(object.clone()).namespace("policy-reporter").user("kubernetes-admin").build();
            assert!(answer(&there, &compatible(), "validate").accepted, "{object}");
        }
        other => panic!("Kyverno expects {other} of {object}"),
    }
}

#[test]
fn restrict_automount_sa_token_has_the_same_verdicts() {
    let Some(cases) = cases("restrict-automount-sa-token") else { return };
    for case in &cases {
        assert_same(&case.object, &case.expected, "token-mounts/automount-true");
    }
    assert!(cases.len() >= 4, "{cases:?}");
}

#[test]
fn restrict_sa_automount_sa_token_has_the_same_verdicts() {
    let Some(cases) = cases("restrict-sa-automount-sa-token") else { return };
    for case in &cases {
        assert_same(&case.object, &case.expected, "service-accounts/account-automount");
    }
    assert!(cases.len() >= 2, "{cases:?}");
}

#[test]
fn what_says_anything_but_false_fails_in_every_kind_as_it_does_with_kyverno() {
    for kind in KINDS {
        for (value, id) in [
            (None, Some("token-mounts/automount-absent")),
            (Some(Value::Null), Some("token-mounts/automount-absent")),
            (Some(json!(true)), Some("token-mounts/automount-true")),
            (Some(json!(false)), None),
        ] {
            let mut spec = json!({"containers": [{"name": "nginx", "image": "nginx"}]});
            if let Some(value) = value {
                spec["automountServiceAccountToken"] = value;
            }
            let object = kind.object(&json!({"app": "myapp"}), &spec);
            let expected = if id.is_some() { "fail" } else { "pass" };
            assert_same(&object, expected, id.unwrap_or_default());
        }
    }
    for name in ["default", "demo"] {
        for (value, expected) in [(Value::Null, "fail"), (json!(true), "fail"), (json!(false), "pass")] {
            let mut account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
            assert_same(&account, "fail", "service-accounts/account-automount");
            account["automountServiceAccountToken"] = value;
            assert_same(&account, expected, "service-accounts/account-automount");
        }
    }
}

/// Settings that take the token from every pod.
fn taking() -> Value {
    json!({"tokenMounts": {"otherPods": "NoToken", "airflowPods": "Enforce"}})
}

#[test]
fn remove_serviceaccount_token_is_covered_without_its_faults() {
    let Some(cases) = cases("remove-serviceaccount-token") else { return };
    for case in &cases {
        let verdict = answer(&create(&case.object), &taking(), "mutate");
        let mut result = verdict.mutated_object.expect("a repaired pod");
        // Kyverno leaves automounting on: the API server would put the token back.
        assert_eq!(result["spec"]["automountServiceAccountToken"], false, "{}", case.name);
        assert_eq!(case.patched["spec"].get("automountServiceAccountToken"), None, "{}", case.name);
        result["spec"].as_object_mut().map(|spec| spec.remove("automountServiceAccountToken"));
        assert_eq!(without_empty_mounts(result), case.patched, "{}", case.name);

        // Kyverno leaves the mounts of init containers: nothing would start.
        let mut object = case.object.clone();
        let container = object["spec"]["containers"][1].clone();
        object["spec"]["initContainers"] = json!([container]);
        object["spec"]["initContainers"][0]["name"] = "init".into();
        let verdict = answer(&create(&object), &taking(), "mutate");
        let result = verdict.mutated_object.expect("a repaired pod");
        assert_eq!(api_tokens(&result, &OTHER_SERVICES), [], "{}", case.name);
        assert_no_mount_dangles(&result);
        assert!(answer(&create(&result), &taking(), "validate").accepted, "{}", case.name);
    }
}

/// Kyverno removes a list that it has emptied.
fn without_empty_mounts(mut pod: Value) -> Value {
    for container in pod["spec"]["containers"].as_array_mut().into_iter().flatten() {
        if container["volumeMounts"] == json!([]) {
            container.as_object_mut().map(|container| container.remove("volumeMounts"));
        }
    }
    pod
}

#[track_caller]
fn assert_no_mount_dangles(pod: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let volumes: Vec<Value> = list(&pod["spec"]["volumes"]).iter().map(|volume| volume["name"].clone()).collect();
    for section in ["initContainers", "containers"] {
        for container in list(&pod["spec"][section]) {
            for mount in list(&container["volumeMounts"]) {
                assert!(volumes.contains(&mount["name"]), "{container} mounts what is gone");
            }
        }
    }
}

#[test]
fn disable_automountserviceaccounttoken_is_covered() {
    let policy = "disable-automountserviceaccounttoken";
    let (Some(cases), Some(resources)) = (cases(policy), resources(policy)) else { return };
    let settings = json!({
        "tokenMounts": {"serviceAccountTokenVolume": {"enabled": true}},
        "serviceAccounts": {"match": {"labels": {}, "names": ["default"]}, "repair": true},
    });
    for object in &resources {
        let verdict = answer(&create(object), &settings, "mutate");
        assert!(verdict.accepted, "{verdict:?}");
        match cases.iter().find(|case| case.object == *object) {
            Some(case) => assert_eq!(verdict.mutated_object.as_ref(), Some(&case.patched), "{}", case.name),
            // Kyverno's policy concerns `default` alone, and so does this document.
            None => assert_eq!(verdict.mutated_object, None, "{object}"),
        }
    }
    assert!(resources.len() > cases.len(), "{resources:?}");
}
