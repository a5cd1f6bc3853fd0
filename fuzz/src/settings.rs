//! Arbitrary bytes as a settings document. One that is found right is used: no request may find it wrong, and the laws
//! hold under it for some pods. One that is found wrong is told where.

use airflow_pod_identity::{validate, validate_settings};
use e2e_tests::laws::Trial;
use e2e_tests::request::Request;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::judge::{hold, sound};
use crate::tree;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    valid: bool,
    message: Option<String>,
}

/// Holds what there is to hold.
///
/// # Errors
/// What does not hold.
pub fn check(data: &[u8]) -> Result<(), String> {
    let answer = validate_settings(data);
    let told = String::from_utf8_lossy(&answer).into_owned();
    let Answer { valid, message } = serde_json::from_slice(&answer).map_err(|error| format!("{error}: {told}"))?;
    if validate_settings(data) != answer {
        return Err(format!("it answers twice, and not the same: {told}"));
    }
    let mut refused = false;
    match &message {
        None if valid => {}
        Some(message) if !valid => refused = problems(message)?,
        _ => return Err(format!("a problem without a message, or a message without one: {told}")),
    }
    let Some(document) = std::str::from_utf8(data).ok().and_then(tree::parse) else {
        let other = serde_json::from_slice::<IgnoredAny>(data);
        return if valid && other.is_err() { Err("another parser takes this for no JSON".to_owned()) } else { Ok(()) };
    };
    if told.contains("not valid JSON") {
        return Err(format!("another parser takes this for JSON: {told}"));
    }
    used(&document.to_string(), valid, refused)?;
    match serde_json::from_str::<Value>(&document.to_string()) {
        Ok(settings @ Value::Object(_)) if valid => laws(&settings),
        _ => Ok(()),
    }
}

/// Every problem tells its place. Whether requests are refused for one: they do not read the whole catalogue.
fn problems(message: &str) -> Result<bool, String> {
    let mut lines = message.lines();
    let heading = lines.next().unwrap_or_default();
    let count = heading.split(' ').next().and_then(|count| count.parse::<usize>().ok());
    let list: Vec<&str> = message.split("\n- ").skip(1).collect();
    if count != Some(list.len()) || list.is_empty() {
        return Err(format!("the heading counts otherwise: {message}"));
    }
    let placed = |problem: &&str| problem.starts_with('`') || problem.starts_with("the settings ");
    match list.iter().find(|problem| !placed(problem)) {
        Some(problem) => Err(format!("a problem without a place: {problem}")),
        None => Ok(list.iter().any(|problem| !problem.starts_with("`credentials"))),
    }
}

/// A request finds no fault with settings that are right, and refuses those that are wrong.
fn used(settings: &str, valid: bool, wrong: bool) -> Result<(), String> {
    let request = Request::create(json!({"apiVersion": "v1", "kind": "Pod"})).user("jane").build();
    let payload = format!("{{\"settings\":{settings},\"request\":{request}}}");
    let answer = validate(payload.as_bytes(), &World::Silent);
    sound(&answer, false)?;
    let told = String::from_utf8_lossy(&answer);
    let refused = told.contains("\"code\":422");
    // A payload is one level deeper.
    let deep = told.contains("nested deeper");
    let fits = if refused { !valid || deep } else { !wrong };
    if fits { Ok(()) } else { Err(format!("valid is {valid}, and a request says {told}")) }
}

/// The laws, for a few pods and a ServiceAccount.
fn laws(settings: &Value) -> Result<(), String> {
    let injected = json!({"name": "kube-api-access-x7k2p", "projected": {"sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}});
    let mounts = json!([{"name": "kube-api-access-x7k2p", "readOnly": true,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
    let container = |name: &str| json!({"name": name, "volumeMounts": mounts});
    let pod = |metadata: Value, account: &str, names: [&str; 2]| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"serviceAccountName": account,
            "containers": names.map(container), "volumes": [injected]}})
    };
    let scheduler = json!({"name": "s", "labels": {"tier": "airflow", "component": "scheduler"}});
    let names: Vec<&str> = settings["credentials"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let asking = json!({"name": "t", "labels": {"kubernetes_executor": "True", "tier": "airflow"},
        "annotations": {"airflow-pod-identity/credentials": names.join(",")}});
    let one = json!({"generateName": "t-", "labels": {"kubernetes_pod_operator": "", "dag_id": "etl"},
        "annotations": {"iam.cloud.google.com/service-account": names.first().unwrap_or(&"team-a")}});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "airflow-worker",
        "labels": {"tier": "airflow", "component": "worker"}}});
    let controller = "system:serviceaccount:kube-system:replicaset-controller";
    let launcher = "system:serviceaccount:airflow:airflow-scheduler";
    for (object, user) in [
        (pod(scheduler, "airflow-scheduler", ["scheduler", "groomer"]), controller),
        (pod(asking, "airflow-worker", ["base", "istio-proxy"]), launcher),
        (pod(one, "other", ["main", "airflow-xcom-sidecar"]), launcher),
        (account, "jane"),
    ] {
        let trial = Trial::new(&Request::create(object).user(user).build(), settings);
        for world in [World::Silent, World::Full] {
            hold(&trial, world, false).map_err(|complaint| complaint.to_string())?;
        }
    }
    Ok(())
}
