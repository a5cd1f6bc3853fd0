//! The nine kinds that carry a pod, and the same pod in each.

use serde_json::{Value, json};

/// A kind: `apiVersion`, name, and where its pod stands.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// `apiVersion`
    pub version: &'static str,
    /// `kind`
    pub name: &'static str,
    /// The fields that lead to the pod's metadata and spec.
    pub path: &'static [&'static str],
}

const SPEC: &[&str] = &["spec", "template"];

/// All of them, the Pod first.
pub const KINDS: [Kind; 9] = [
    Kind { version: "v1", name: "Pod", path: &[] },
    Kind { version: "v1", name: "PodTemplate", path: &["template"] },
    Kind { version: "v1", name: "ReplicationController", path: SPEC },
    Kind { version: "apps/v1", name: "ReplicaSet", path: SPEC },
    Kind { version: "apps/v1", name: "Deployment", path: SPEC },
    Kind { version: "apps/v1", name: "StatefulSet", path: SPEC },
    Kind { version: "apps/v1", name: "DaemonSet", path: SPEC },
    Kind { version: "batch/v1", name: "Job", path: SPEC },
    Kind { version: "batch/v1", name: "CronJob", path: &["spec", "jobTemplate", "spec", "template"] },
];

impl Kind {
    /// An object of this kind called `etl`, with a pod of these labels and this spec.
    pub fn object(self, labels: &Value, spec: &Value) -> Value {
        self.around(&json!({"metadata": {"labels": labels}, "spec": spec}))
    }

    /// An object of this kind around a pod's metadata and spec, or around anything else that stands there.
    pub fn around(self, pod: &Value) -> Value {
        let wrap = |inner: Value, step: &&str| json!({ *step: inner });
        let mut object = self.path.iter().rev().fold(pod.clone(), wrap);
        if object.is_object() {
            object["apiVersion"] = self.version.into();
            object["kind"] = self.name.into();
            object["metadata"]["name"] = "etl".into();
            object["metadata"]["namespace"] = "airflow".into();
        }
        object
    }
}
