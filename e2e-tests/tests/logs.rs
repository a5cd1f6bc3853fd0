//! What the policy server's log is told: one record for a request about which there is something to say, whole; and over all
//! cases what the audit annotations say, and no more.

#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "support/case.rs"]
mod case;

use e2e_tests::cluster::NoCluster;
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use serde_json::{Map, Value, json};

use crate::case::all;

const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";

/// The records of one request.
#[track_caller]
fn records(request: &Value, settings: &Value) -> Vec<Value> {
    let verdict = policy().validate(request, settings, &NoCluster).expect("a verdict");
    verdict.logs.iter().map(|record| serde_json::from_str(record).expect("JSON")).collect()
}

fn pod(annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "etl-", "namespace": "airflow", "labels": {"kubernetes_executor": "True"}, "annotations": annotations},
        "spec": {"serviceAccountName": "airflow-worker", "automountServiceAccountToken": false, "containers": [{"name": "base"}]}})
}

fn settings() -> Value {
    json!({"credentialInjection": {"verifySecrets": false}, "credentials": {"team-a":
        {"type": "gcpServiceAccountKey", "secretName": "team-a-gcp", "allow": {"namespaces": ["airflow"]}}}})
}

#[test]
fn each_outcome_has_its_record() {
    let create = |annotations: Value| Request::create(pod(annotations)).user(SCHEDULER).build();
    let asks = |name: &str| create(json!({"airflow-pod-identity/credentials": name}));
    assert_eq!(records(&create(json!({})), &settings()), [] as [Value; 0], "nothing to say");
    assert_eq!(
        records(&asks("team-a"), &settings()),
        [json!({"level": "info", "message": "mutated", "object": "CREATE Pod airflow/etl-",
            "credentials": "team-a: base", "containers": "base"})]
    );
    let not_allowed = "credentials/not-allowed metadata.annotations[airflow-pod-identity/credentials]";
    assert_eq!(
        records(&asks("team-b"), &settings()),
        [
            json!({"level": "warning", "message": "denied", "object": "CREATE Pod airflow/etl-", "findings": not_allowed})
        ]
    );
    let mut audit = settings();
    audit["failureAction"] = "Audit".into();
    assert_eq!(
        records(&asks("team-b"), &audit),
        [json!({"level": "info", "message": "accepted, with findings", "object": "CREATE Pod airflow/etl-",
            "findings": not_allowed})]
    );
    let mut verified = settings();
    verified["credentialInjection"]["verifySecrets"] = true.into();
    assert_eq!(
        records(&asks("team-a"), &verified),
        [json!({"level": "warning", "message": "accepted, not all of it checked", "object": "CREATE Pod airflow/etl-",
            "not-checked": "lookups that failed: 1", "credentials": "team-a: base", "containers": "base"})]
    );
    verified["onLookupError"] = "Deny".into();
    assert_eq!(
        records(&asks("team-a"), &verified),
        [json!({"level": "warning", "message": "denied: a lookup failed", "object": "CREATE Pod airflow/etl-",
            "not-checked": "lookups that failed: 1"})]
    );
    let mut unreadable = create(json!({}));
    unreadable["object"]["spec"]["containers"] = "none".into();
    assert_eq!(
        records(&unreadable, &settings()),
        [json!({"level": "warning", "message": "denied: unreadable", "object": ""})]
    );
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "airflow-worker",
        "namespace": "airflow", "labels": {"tier": "airflow"}}});
    let repair =
        json!({"serviceAccounts": {"repair": true}, "tokenMounts": {"serviceAccountTokenVolume": {"enabled": true}}});
    assert_eq!(
        records(&Request::create(account).user("helm").build(), &repair),
        [json!({"level": "info", "message": "mutated", "object": "CREATE ServiceAccount airflow/airflow-worker"})]
    );
}

#[test]
fn a_record_says_what_the_audit_annotations_say_and_no_more() {
    let (mut told, mut silent) = (0, 0);
    for case in all() {
        for mode in ["mutate", "validate"] {
            let verdict = policy().validate_payload(&case.trial().payload(mode), case.cluster()).expect("a verdict");
            let says = !verdict.accepted || verdict.mutated_object.is_some() || !verdict.audit_annotations.is_empty();
            assert_eq!(verdict.logs.len(), usize::from(says), "{}, {mode}: {:?}", case.name, verdict.logs);
            let Some(record) = verdict.logs.first() else {
                silent += 1;
                continue;
            };
            let mut record: Map<String, Value> = serde_json::from_str(record).expect("JSON");
            for key in ["level", "message", "object"] {
                assert!(record.remove(key).is_some_and(|value| value.is_string()), "{}, {mode}: {key}", case.name);
            }
            assert_eq!(json!(record), json!(verdict.audit_annotations), "{}, {mode}", case.name);
            told += 1;
        }
    }
    assert!(told > 500 && silent > 100, "{told}, {silent}");
}
