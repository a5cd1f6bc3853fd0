//! The chart's ServiceAccounts of all its examples: automount and roles as asked, nothing else changed, and the laws hold.

#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "support/corpus.rs"]
mod support;

use std::collections::BTreeMap;

use e2e_tests::cluster::NoCluster;
use e2e_tests::laws::{self, Trial};
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use serde_json::{Value, json};

const GOOGLE: (&str, &str) = ("iam.gke.io/gcp-service-account", "airflow@my-project.iam.gserviceaccount.com");
const EKS: (&str, &str) = ("eks.amazonaws.com/role-arn", "arn:aws:iam::111122223333:role/airflow-worker");
const REGIONAL: (&str, &str) = ("eks.amazonaws.com/sts-regional-endpoints", "true");
const CLIENT: (&str, &str) = ("azure.workload.identity/client-id", "11111111-2222-3333-4444-555555555555");
const TENANT: (&str, &str) = ("azure.workload.identity/tenant-id", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
const USE: (&str, &str) = ("azure.workload.identity/use", "true");

fn settings(repair: bool) -> Value {
    let role = |(annotation, value): (&str, &str), more: Value| {
        let mut role = json!({"annotation": annotation, "value": value, "namespaces": ["airflow"]});
        role.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        role
    };
    json!({"serviceAccounts": {
        "failureAction": "Enforce", "repair": repair, "identityAnnotations": "Enforce",
        "match": {"labels": {"tier": "airflow"}},
        "roles": [
            role(EKS, json!({"components": ["worker"]})),
            role(REGIONAL, json!({"components": ["worker"]})),
            role(GOOGLE, json!({"components": ["scheduler", "api-server"]})),
            role(CLIENT, json!({"names": ["airflow-triggerer", "*-migrate-database-job"]})),
            role(TENANT, json!({"names": ["airflow-triggerer", "*-migrate-database-job"]})),
        ],
    }, "tokenMounts": {"serviceAccountTokenVolume": {"enabled": true}}})
}

/// The ServiceAccount as it is to be, put together by hand.
fn expected(account: &Value) -> Value {
    let (annotations, labels): (&[_], &[_]) = match account["metadata"]["name"].as_str().expect("a name") {
        "airflow-worker" => (&[EKS, REGIONAL], &[]),
        "airflow-scheduler" | "airflow-api-server" => (&[GOOGLE], &[]),
        "airflow-triggerer" | "airflow-migrate-database-job" => (&[CLIENT, TENANT], &[USE]),
        _ => (&[], &[]),
    };
    let mut account = account.clone();
    account["automountServiceAccountToken"] = false.into();
    for (key, value) in annotations {
        account["metadata"]["annotations"][*key] = (*value).into();
    }
    for (key, value) in labels {
        account["metadata"]["labels"][*key] = (*value).into();
    }
    account
}

fn trial(account: &Value, settings: &Value) -> Trial {
    Trial::new(&Request::create(account.clone()).user("helm").namespace("airflow").build(), settings)
}

/// The object that `mutate` makes of it; `None`: it stays as it is.
#[track_caller]
fn mutated(name: &str, account: &Value, settings: &Value) -> Option<Value> {
    let verdict =
        policy().validate_payload(&trial(account, settings).payload("mutate"), &NoCluster).expect("a verdict");
    assert!(verdict.accepted, "{name}: {:?}", verdict.message);
    assert_eq!(verdict.warnings, [] as [&str; 0], "{name}");
    verdict.mutated_object
}

#[test]
fn they_become_what_the_settings_say_and_nothing_else_of_them_changes() {
    let Some(objects) = support::objects() else { return };
    let (mut repaired, mut names) = (0, BTreeMap::<String, usize>::new());
    for object in objects.iter().filter(|object| object.value["kind"] == "ServiceAccount") {
        let (name, account) = (&object.name, &object.value);
        let settings = settings(true);
        let expected = expected(account);
        let result = mutated(name, account, &settings);
        assert_eq!(result.is_some(), expected != *account, "{name}");
        let result = result.unwrap_or_else(|| account.clone());
        assert_eq!(result, expected, "{name}");
        assert_eq!(mutated(name, &result, &settings), None, "{name}: twice is once");
        let passes = policy().validate_payload(&trial(&result, &settings).payload("validate"), &NoCluster);
        assert_eq!(passes.expect("a verdict").raw, br#"{"accepted":true}"#, "{name}");
        let judge = |payload: &[u8]| policy().validate_raw(payload, &NoCluster);
        laws::check(&judge, &trial(account, &settings)).unwrap_or_else(|violation| panic!("{name}: {violation}"));
        repaired += usize::from(expected != *account);
        *names.entry(account["metadata"]["name"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    // The chart's own default is `true`; the examples that say `false` need no more than their roles.
    assert!(repaired > 150, "{repaired} repaired");
    assert!(names.len() > 11, "{names:?}");
}

#[test]
fn without_repair_each_difference_is_told_and_nothing_changes() {
    let Some(objects) = support::objects() else { return };
    let mut denied = 0;
    for object in objects.iter().filter(|object| object.value["kind"] == "ServiceAccount") {
        let (name, account) = (&object.name, &object.value);
        let (settings, expected) = (settings(false), expected(account));
        for mode in ["mutate", "validate"] {
            let verdict = policy().validate_payload(&trial(account, &settings).payload(mode), &NoCluster);
            let verdict = verdict.expect("a verdict");
            assert_eq!(verdict.accepted, expected == *account, "{name}, {mode}: {:?}", verdict.message);
            assert_eq!(verdict.mutated_object, None, "{name}, {mode}");
            let message = verdict.message.unwrap_or_default();
            let count = |id: &str| message.matches(id).count();
            let automount = account["automountServiceAccountToken"] != json!(false);
            assert_eq!(
                count("service-accounts/account-automount"),
                usize::from(automount),
                "{name}, {mode}: {message}"
            );
            let roles = expected["metadata"]["annotations"].as_object().map_or(0, serde_json::Map::len)
                - account["metadata"]["annotations"].as_object().map_or(0, serde_json::Map::len);
            assert_eq!(count("service-accounts/role-lacking"), roles, "{name}, {mode}: {message}");
            denied += usize::from(!verdict.accepted);
        }
    }
    assert!(denied > 300, "{denied} denied");
}
