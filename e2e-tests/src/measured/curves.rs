//! How a call's cost grows.

use serde_json::{Map, Value, json};

use super::calls::settings;
use super::pods::{items, others, task};
use super::{Call, Curve, REPLICASETS, SCHEDULER};
use crate::host::payload;
use crate::request::Request;

/// The curves, each from its smallest call to its largest.
#[must_use]
pub fn curves() -> Vec<Curve> {
    let curve = |name: &'static str, counts: &[usize], make: fn(usize) -> Vec<u8>| Curve {
        name,
        points: counts.iter().map(|count| Call { name: count.to_string(), payload: make(*count) }).collect(),
    };
    vec![
        curve("containers of a task pod", &[1, 2, 5, 10, 20, 50, 100, 150, 200], containers),
        curve("bytes of another application's pod", &[1_000, 10_000, 100_000, 300_000, 600_000, 1_000_000], bytes),
        curve("volumes of a task pod, each mounted", &[1, 2, 5, 10, 25, 50, 75, 100], volumes),
        curve("entries of the catalogue", &[1, 10, 100, 1_000, 3_000, 6_000, 10_000], catalogue),
    ]
}

fn create(object: Value, user: &str, settings: &Value) -> Vec<u8> {
    payload(&Request::create(object).user(user).build(), settings)
}

fn containers(count: usize) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|index| format!("c{index:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    create(task(&names), SCHEDULER, &settings())
}

fn bytes(count: usize) -> Vec<u8> {
    let mut pod = others();
    pod["spec"]["containers"][0]["args"] = vec!["x".repeat(99); count / 100].into();
    create(pod, REPLICASETS, &json!({}))
}

fn volumes(count: usize) -> Vec<u8> {
    let mut pod = task(&["base"]);
    for index in 0..count {
        let name = format!("v{index:03}");
        let config = json!({"name": format!("c{index:03}"), "defaultMode": 420});
        items(&mut pod["spec"]["volumes"]).push(json!({"name": name, "configMap": config}));
        let mount = json!({"name": name, "mountPath": format!("/v/{index:03}")});
        items(&mut pod["spec"]["containers"][0]["volumeMounts"]).push(mount);
    }
    create(pod, SCHEDULER, &settings())
}

fn catalogue(count: usize) -> Vec<u8> {
    let entry = |index: usize| {
        let name = format!("team-{index:05}");
        let fields = json!({"type": "gcpServiceAccountKey", "secretName": name, "allow": {"namespaces": ["airflow"]}});
        (name, fields)
    };
    let entries: Map<String, Value> = (0..count).map(entry).collect();
    let mut pod = task(&["base"]);
    // It names no Secret.
    items(&mut pod["spec"]["containers"][0]["env"]).pop();
    create(pod, SCHEDULER, &json!({"credentials": entries}))
}
