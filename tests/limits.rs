//! How much a pod may ask for.

#![cfg(not(target_arch = "wasm32"))]

use airflow_pod_identity::cluster::NoCluster;
use airflow_pod_identity::validate;
use serde_json::{Value, json};

/// The answer to a pod with so many containers that asks for so many credentials in each.
fn answer(credentials: usize, containers: usize) -> Value {
    let names: Vec<String> = (0..credentials).map(|index| format!("c{index}")).collect();
    let entry = |name: &String| {
        (name.clone(), json!({"type": "airflowConnection", "connectionId": name, "allow": {"namespaces": ["airflow"]}}))
    };
    let catalogue: Value = names.iter().map(entry).collect::<serde_json::Map<_, _>>().into();
    let containers: Vec<Value> = (0..containers).map(|index| json!({"name": format!("t{index}")})).collect();
    let annotations = json!({
        "airflow-pod-identity/credentials": names.join(","),
        "airflow-pod-identity/containers": "*",
    });
    let object = json!({
        "metadata": {"name": "etl", "labels": {"kubernetes_executor": "True"}, "annotations": annotations},
        "spec": {"containers": containers},
    });
    let payload = json!({
        "request": {"kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "airflow",
                    "userInfo": {"username": "system:serviceaccount:airflow:airflow-scheduler"}, "object": object},
        "settings": {"credentials": catalogue},
    });
    serde_json::from_slice(&validate(payload.to_string().as_bytes(), &NoCluster)).unwrap()
}

#[test]
fn a_pod_may_ask_for_4096_injections() {
    for (credentials, containers) in [(64, 64), (1, 200)] {
        let answer = answer(credentials, containers);
        assert_eq!(answer["accepted"], true, "{}", answer["message"]);
        let injected = answer["mutated_object"]["spec"]["containers"].as_array().unwrap().iter();
        let injected: usize = injected.map(|container| container["env"].as_array().unwrap().len()).sum();
        assert_eq!(injected, credentials * containers);
    }
    for (credentials, containers) in [(64, 65), (63, 200)] {
        let answer = answer(credentials, containers);
        assert_eq!(answer["accepted"], false);
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("asks for more than 4096 injections, credentials times containers"), "{message}");
        assert!(answer.get("mutated_object").is_none());
    }
}
