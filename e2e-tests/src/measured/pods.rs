//! Objects as the API server sends them, with everything that defaulting fills in.

use serde_json::{Value, json};

/// A pod with its token mounted into each container.
pub(super) fn pod(labels: &Value, containers: &[&str]) -> Value {
    let token = json!({"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true});
    let container = |name: &&str| {
        json!({"name": name, "image": "apache/airflow:3.3.2", "args": ["airflow", "tasks", "run"], "imagePullPolicy": "IfNotPresent",
            "env": [{"name": "AIRFLOW__CORE__EXECUTOR", "value": "LocalExecutor"}, {"name": "AIRFLOW__CORE__FERNET_KEY",
                "valueFrom": {"secretKeyRef": {"name": "airflow-fernet-key", "key": "fernet-key"}}}],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
            "volumeMounts": [{"name": "logs", "mountPath": "/opt/airflow/logs"}, token],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
    };
    let sources = json!([{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]);
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl-1", "namespace": "airflow", "labels": labels, "annotations": {"dag_id": "etl"}},
        "spec": {"serviceAccountName": "airflow-worker", "containers": containers.iter().map(container).collect::<Vec<_>>(),
            "volumes": [{"name": "logs", "emptyDir": {}},
                {"name": "kube-api-access-x7k2p", "projected": {"defaultMode": 420, "sources": sources}}],
            "restartPolicy": "Never", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "priority": 0,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]}})
}

/// A task pod.
pub(super) fn task(containers: &[&str]) -> Value {
    pod(&json!({"kubernetes_executor": "True", "dag_id": "etl", "task_id": "load", "tier": "airflow"}), containers)
}

/// A pod of the scheduler with these containers.
pub(super) fn scheduler(containers: &[&str]) -> Value {
    pod(&json!({"tier": "airflow", "component": "scheduler"}), containers)
}

/// A pod that is not Airflow's.
pub(super) fn others() -> Value {
    let mut pod = pod(&json!({"app": "shop"}), &["web", "proxy"]);
    pod["spec"]["serviceAccountName"] = "shop".into();
    pod
}

/// The items of a list; nothing else is one here.
pub(super) fn items(list: &mut Value) -> &mut Vec<Value> {
    list.as_array_mut().expect("a list")
}
