//! What generated pods are made of.

const DEFAULT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The API server's own directory, and spellings of it and its neighbourhood.
pub const PATHS: [&str; 16] = [
    DEFAULT_PATH,
    DEFAULT_PATH,
    DEFAULT_PATH,
    DEFAULT_PATH,
    "/var/run/secrets/kubernetes.io/serviceaccount/",
    "/var/run/secrets/kubernetes.io/../kubernetes.io/serviceaccount",
    "/var/run/secrets",
    "/run/secrets/kubernetes.io/serviceaccount",
    "/var/run/secrets/gcp/team-a",
    "/var/run/secrets/gcp/team-a/below",
    "/var/run/secrets/gcp//team-a",
    "/custom/token",
    "/var/run/secrets/azure/tokens",
    "/etc/custom/m/",
    "/opt/airflow/logs",
    "",
];

/// Names of volumes.
pub const VOLUMES: [&str; 12] = [
    "kube-api-access-x7k2p",
    "kube-api-access-x7k2p",
    "kube-api-access-x7k2p",
    "kube-api-access-zzzzz",
    "kube-api-access",
    "token",
    "gcp-team-a",
    "aws-iam-token",
    "custom-files-c",
    "logs",
    "dotted.name",
    "n\\u00e4me",
];

/// Names of containers.
pub const CONTAINERS: [&str; 12] = [
    "base",
    "base",
    "scheduler",
    "scheduler",
    "scheduler-log-groomer",
    "airflow-xcom-sidecar",
    "istio-proxy",
    "vault-agent-init",
    "x123456789-123456789-123456789-123456789-123456789-123456789-12",
    "dotted.name",
    "名前",
    "q\\\"uote",
];

/// Audiences, as JSON.
pub const AUDIENCES: [&str; 8] = [
    "\"\"",
    "null",
    "\"sts.amazonaws.com\"",
    "\"https://kubernetes.default.svc\"",
    "\"vault\"",
    "\"//iam.googleapis.com/projects/1\"",
    "\"sts.googleapis.com\"",
    "\"sts\\u002eamazonaws.com\"",
];

/// Fields that the policy knows nothing of.
pub const UNKNOWN: [&str; 10] = [
    r#""x":null"#,
    r#""x":1e3"#,
    r#""x":1.0"#,
    r#""x":-0"#,
    r#""x":123456789012345678901234567890"#,
    r#""x":"\u0000\ud83d\ude00é""#,
    r#""x":{"b":[],"a":{},"a":{}}"#,
    r#""x":[ 1 ,2,[null]]"#,
    r#""resources" : {"limits":{"cpu":1.50}}"#,
    r#""restartPolicy":"Always""#,
];

/// Labels, as they stand in an object.
pub const LABELS: [&str; 9] = [
    r#""tier":"airflow""#,
    r#""tier":"airflow""#,
    r#""component":"scheduler""#,
    r#""component":"scheduler""#,
    r#""component":"worker""#,
    r#""kubernetes_executor":"True""#,
    r#""kubernetes_pod_operator":null"#,
    r#""dag_id":"etl""#,
    r#""te\u0061m":"a""#,
];

/// Annotations, as they stand in an object.
pub const ANNOTATIONS: [&str; 14] = [
    r#""airflow-pod-identity/credentials":"team-a""#,
    r#""airflow-pod-identity/credentials":"team-a""#,
    r#""airflow-pod-identity/credentials":" team-b , team-a ""#,
    r#""airflow-pod-identity/credentials":"team-a,,""#,
    r#""airflow-pod-identity/credentials":"unknown""#,
    r#""iam.cloud.google.com/service-account":"team-a""#,
    r#""iam.cloud.google.com/service-account":"some.secret""#,
    r#""iam.cloud.google.com/service-account":"""#,
    r#""airflow-pod-identity/containers":"*""#,
    r#""airflow-pod-identity/containers":"base""#,
    r#""airflow-pod-identity/containers":"base, istio-proxy""#,
    r#""airflow-pod-identity/gcp-team-a":"forged""#,
    r#""airflow-pod-identity/credentails":"team-a""#,
    r#""example.com/a":"{\"é\": 1e3}""#,
];

/// Entries of `env`.
pub const ENV: [&str; 13] = [
    r#"{"name":"A","value":"1"}"#,
    r#"{"value":"","name":"A"}"#,
    r#"{"name":"GOOGLE_APPLICATION_CREDENTIALS","value":"/var/run/secrets/gcp/team-a/key.json"}"#,
    r#"{"name":"GOOGLE_APPLICATION_CREDENTIALS","value":"/other"}"#,
    r#"{"name":"B","valueFrom":{"secretKeyRef":{"name":"kubeconfig-a","key":"k"}}}"#,
    r#"{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}},"x":1e3}"#,
    r#"{"name":"C","value":null,"valueFrom":null}"#,
    r#"{"name":"AWS_REGION","value":"eu-central-1"}"#,
    r#"{"name":"AWS_ACCESS_KEY_ID","value":"x"}"#,
    r#"{"name":"AWS_ROLE_ARN","value":"arn:aws:iam::111122223333:role/etl"}"#,
    r#"{"name":"AIRFLOW_CONN_WAREHOUSE","valueFrom":{"secretKeyRef":{"name":"warehouse","key":"connection"}}}"#,
    r#"{"name":"AZURE_CLIENT_ID","value":"00000000-0000-4000-8000-00000000000f"}"#,
    r#"{"name":"AZURE_CLIENT_SECRET","valueFrom":{"secretKeyRef":{"name":"shared","key":"k","optional":false}}}"#,
];
