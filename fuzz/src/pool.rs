//! What JSON is changed into: keys and words that mean something, and values that are odd.

use std::sync::OnceLock;

use serde_json::Value;

/// Keys of requests and objects that the policy reads.
const KEYS: &str = "request kind group version operation namespace userInfo username groups object oldObject \
    subResource apiVersion metadata name generateName labels annotations ownerReferences deletionTimestamp spec \
    containers initContainers ephemeralContainers volumes env envFrom value valueFrom secretKeyRef secretRef key \
    volumeMounts mountPath subPath readOnly targetContainerName restartPolicy securityContext privileged \
    serviceAccountName serviceAccount automountServiceAccountToken shareProcessNamespace hostPID hostNetwork \
    projected sources serviceAccountToken audience expirationSeconds path configMap items downwardAPI fieldRef \
    fieldPath secret secretName hostPath csi nodePublishSecretRef azureFile template jobTemplate tier component \
    kubernetes_executor kubernetes_pod_operator dag_id airflow-pod-identity/credentials \
    airflow-pod-identity/containers iam.cloud.google.com/service-account airflow-pod-identity/gcp-team-a \
    eks.amazonaws.com/role-arn kubernetes.io/config.mirror world x";

/// Words that stand for something.
const WORDS: &str = "CREATE UPDATE DELETE CONNECT Pod ServiceAccount Deployment CronJob v1 apps/v1 batch/v1 airflow \
    scheduler worker base default team-a token token-mounts credentials * ? */* airflow/* airflow/airflow-worker \
    airflow-scheduler system:serviceaccount:airflow:airflow-scheduler group:system:authenticated jane \
    system:serviceaccount:kube-system:replicaset-controller kube-api-access-x7k2p kube-root-ca.crt ca.crt \
    metadata.namespace /var/run/secrets/kubernetes.io/serviceaccount /var/run/secrets /var/lib/kubelet / .. a/../b \
    sts.amazonaws.com vault https://kubernetes.default.svc airflow-xcom-sidecar ephemeralcontainers full empty odd \
    GOOGLE_APPLICATION_CREDENTIALS AWS_REGION arn:aws:iam::111122223333:role/etl True \
    00000000-0000-4000-8000-000000000001 projects/1/locations/global/workloadIdentityPools/p/providers/q";

/// Values that stand where others are expected.
pub const ODD: [&str; 22] = [
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "0",
    "1",
    "-1",
    "-0",
    "1e3",
    "3600",
    "599",
    "600",
    "7776000",
    "1.0",
    "4294967297",
    "123456789012345678901234567890",
    "[null]",
    "{\"a\":null}",
    "\" \"",
    "[[]]",
];

/// Pieces of strings: what is cut at, what looks alike, what takes more bytes than one.
pub const PIECES: [&str; 20] = [
    ",", " ", "/", "*", "?", "-", ".", "\0", "\n", "`", "\"", "\\", "é", "名", "\u{200b}", "\u{202e}", "😀", "ſ", "İ",
    "A",
];

/// What may stand between JSON's tokens.
pub const SPACES: [&str; 4] = ["", " ", "\n  ", "\t\r\n"];

/// Keys: those of objects, and those of settings as their schema lists them.
pub fn keys() -> &'static [&'static str] {
    static ALL: OnceLock<Vec<&str>> = OnceLock::new();
    ALL.get_or_init(|| gathered(KEYS, "properties"))
}

/// Words, the choices of the settings among them.
pub fn words() -> &'static [&'static str] {
    static ALL: OnceLock<Vec<&str>> = OnceLock::new();
    ALL.get_or_init(|| gathered(WORDS, "enum"))
}

/// Kept for as long as the program runs.
fn gathered(known: &str, keyword: &str) -> Vec<&'static str> {
    let mut found: Vec<String> = known.split_whitespace().map(str::to_owned).collect();
    let schema = serde_json::from_str(include_str!("../../settings.schema.json")).expect("the schema is JSON");
    gather(&schema, keyword, &mut found);
    found.sort();
    found.dedup();
    found.into_iter().map(|text| &*text.leak()).collect()
}

fn gather(schema: &Value, keyword: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            match fields.get(keyword) {
                Some(Value::Object(properties)) => found.extend(properties.keys().cloned()),
                Some(Value::Array(words)) => found.extend(words.iter().filter_map(Value::as_str).map(str::to_owned)),
                _ => {}
            }
            fields.values().for_each(|value| gather(value, keyword, found));
        }
        Value::Array(items) => items.iter().for_each(|value| gather(value, keyword, found)),
        _ => {}
    }
}
