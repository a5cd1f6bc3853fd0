//! What a fixture answers, by what its file lists.

use std::io::Write as _;

use e2e_tests::cluster::{Cluster, Fixture, FixtureError};
use serde_json::{Value, json};

const CLUSTER: &str = r#"
serviceAccounts:
  - {namespace: airflow, name: worker, annotations: {a: b}, automountServiceAccountToken: false}
  - {namespace: other, name: worker}
secrets:
  - {namespace: airflow, name: team-a, type: Opaque, keys: [key.json]}
access:
  - {user: jane, namespace: airflow, verbs: [get, list], resources: [pods, pods/log]}
  - {group: ops, verbs: ["*"], apiGroup: "*", resources: ["*"]}
"#;

fn load(text: &str) -> Result<Fixture, FixtureError> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it can be written");
    Fixture::load(file.path())
}

#[track_caller]
fn ask(operation: &str, question: &Value) -> Result<Value, String> {
    let fixture = load(CLUSTER).expect("a fixture");
    let answer = fixture.answer(operation, question.to_string().as_bytes())?;
    Ok(serde_json::from_slice(&answer).expect("JSON"))
}

fn get(kind: &str, namespace: &str, name: &str, masks: &Value) -> Result<Value, String> {
    let question = json!({"api_version": "v1", "kind": kind, "name": name, "namespace": namespace,
        "disable_cache": false, "field_masks": masks});
    ask("get_resource", &question)
}

#[track_caller]
fn can_i(user: &str, groups: &Value, namespace: &str, verb: &str, resource: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').map_or((resource, None), |(a, b)| (a, Some(b)));
    let question = json!({
        "subject_access_review": {"user": user, "groups": groups, "resource_attributes": {
            "group": "", "name": null, "namespace": namespace, "resource": resource,
            "subresource": subresource, "verb": verb, "version": null}},
        "disable_cache": false});
    ask("can_i", &question).expect("an answer")["allowed"].as_bool().expect("a boolean")
}

#[test]
fn objects_are_found_by_kind_namespace_and_name() {
    let account = get("ServiceAccount", "airflow", "worker", &Value::Null).expect("the ServiceAccount");
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(account["metadata"]["annotations"], json!({"a": "b"}));
    let account = get("ServiceAccount", "other", "worker", &Value::Null).expect("the ServiceAccount");
    assert!(account.get("automountServiceAccountToken").is_none());
}

#[test]
fn what_is_not_listed_is_not_found() {
    let error = get("Secret", "airflow", "nope", &Value::Null).expect_err("nothing");
    assert_eq!(error, "Cannot find v1/Secret named 'nope' inside of namespace 'Some(\"airflow\")'");
}

#[test]
fn a_secret_never_has_values() {
    let secret = get("Secret", "airflow", "team-a", &Value::Null).expect("the Secret");
    assert_eq!(secret["data"], json!({"key.json": "cmVkYWN0ZWQ="}));
}

#[test]
fn field_masks_prune_what_is_neither_type_nor_metadata() {
    let secret = get("Secret", "airflow", "team-a", &json!(["metadata.name", "type"])).expect("the Secret");
    let metadata = json!({"name": "team-a", "namespace": "airflow"});
    assert_eq!(secret, json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}));
}

#[test]
fn lists_are_of_one_namespace_or_of_all() {
    let count = |operation: &str, namespace: Value| {
        let mut question = json!({"api_version": "v1", "kind": "ServiceAccount", "label_selector": null,
            "field_selector": null, "field_masks": null});
        if !namespace.is_null() {
            question["namespace"] = namespace;
        }
        ask(operation, &question).expect("a list")["items"].as_array().map(Vec::len)
    };
    assert_eq!(count("list_resources_all", Value::Null), Some(2));
    assert_eq!(count("list_resources_by_namespace", json!("airflow")), Some(1));
}

#[test]
fn rights_follow_user_group_namespace_verb_and_subresource() {
    let none = Value::Null;
    assert!(can_i("jane", &none, "airflow", "get", "pods"));
    assert!(can_i("jane", &none, "airflow", "get", "pods/log"));
    assert!(!can_i("jane", &none, "airflow", "get", "pods/exec"));
    assert!(!can_i("jane", &none, "airflow", "delete", "pods"));
    assert!(!can_i("jane", &none, "other", "get", "pods"));
    assert!(!can_i("john", &none, "airflow", "get", "pods"));
    assert!(can_i("john", &json!(["ops"]), "other", "delete", "pods/exec"));
}

#[test]
fn a_question_with_an_unknown_field_is_refused() {
    let error = ask("can_i", &json!({"subject_access_reviews": {}})).expect_err("a typo");
    assert!(error.contains("unknown field `subject_access_reviews`"), "{error}");
    assert!(ask("can_you", &json!({})).is_err());
}

#[test]
fn lookups_can_be_made_to_fail() {
    let fixture = load("failures: [{operation: can_i, message: the API server is away}]").expect("a fixture");
    assert_eq!(fixture.answer("can_i", b"{}"), Err("the API server is away".to_owned()));
}

#[test]
fn mistakes_in_a_fixture_are_named() {
    let text = |text: &str| load(text).expect_err("a mistake").to_string();
    assert!(text("secret: []").contains("unknown field `secret`"), "{}", text("secret: []"));
    assert!(text("access: [{verbs: [get], resources: [pods]}]").contains("`access[0]` needs either"));
    assert!(text("failures: [{operation: can, message: m}]").contains(":1:"));
    assert!(text("").contains("empty"));
    assert!(text("access: []\n---\nsecrets: []").contains("several"));
}
