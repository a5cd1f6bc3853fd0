//! What pods are made of.

/// Names of containers.
pub const CONTAINERS: [&str; 14] = [
    "base",
    "scheduler",
    "main",
    "prepare",
    "scheduler-log-groomer",
    "airflow-xcom-sidecar",
    "istio-proxy",
    "git-sync",
    "vault-agent-init",
    "triggerer",
    "dotted.name",
    "名前",
    "q`u\"ote",
    "",
];

/// Names of volumes.
pub const VOLUMES: [&str; 12] = [
    "kube-api-access-x7k2p",
    "kube-api-access-zzzzz",
    "kube-api-access",
    "token",
    "gcp-team-a",
    "aws-iam-token",
    "custom-files-c",
    "logs",
    "dotted.name",
    "näme",
    "",
    "kube-api-access-",
];

/// Where they are mounted.
pub const PATHS: [&str; 16] = [
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "/var/run/secrets/kubernetes.io/serviceaccount/",
    "/var/run/secrets/kubernetes.io/../kubernetes.io/serviceaccount",
    "/run/secrets/kubernetes.io/serviceaccount",
    "/var/run/secrets",
    "/",
    "",
    "relative",
    "//var/run//secrets/",
    "/var/run/secrets/gcp/team-a",
    "/var/run/secrets/gcp/team-a/below",
    "/var/run/secrets/azure/tokens",
    "/etc/custom",
    "/custom/token",
    "/opt/airflow",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
];

/// Names of env variables.
pub const ENV: [&str; 12] = [
    "A",
    "PATH",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AIRFLOW_CONN_WAREHOUSE",
    "AZURE_CLIENT_ID",
    "API_KEY",
    "VAULT_ADDR",
    "",
];

/// Names of Secrets.
pub const SECRETS: [&str; 10] =
    ["kubeconfig-a", "airflow-jwt-1", "team-a", "team-a-gcp", "aws", "warehouse", "gcp", "own", "", "airflow-token-x"];

/// Audiences of tokens.
pub const AUDIENCES: [&str; 9] = [
    "",
    "sts.amazonaws.com",
    "vault",
    "https://kubernetes.default.svc",
    "https://issuer.example",
    "istio-ca",
    "//iam.googleapis.com/projects/1",
    "api://AzureADTokenExchange",
    "sts.googleapis.com ",
];

/// ServiceAccounts.
pub const ACCOUNTS: [&str; 6] = ["airflow-worker", "airflow-scheduler", "default", "other", "", "airflow-triggerer"];

/// Values of a field that the policy knows nothing of.
pub const UNKNOWN: [&str; 12] = [
    "null",
    "1e3",
    "1.0",
    "-0",
    "123456789012345678901234567890",
    "{\"b\":[],\"a\":{},\"a\":{}}",
    "[ 1 ,2,[null]]",
    "\"\\u0000\\ud83d\\ude00é\"",
    "true",
    "\"\"",
    "{}",
    "[]",
];

/// Labels and their values.
pub const LABELS: [(&str, &[&str]); 7] = [
    ("tier", &["airflow", "web"]),
    ("component", &["scheduler", "worker", "triggerer", "other"]),
    ("kubernetes_executor", &["True", ""]),
    ("kubernetes_pod_operator", &["True", ""]),
    ("dag_id", &["etl", "other"]),
    ("team", &["a"]),
    ("release", &["airflow"]),
];

/// Annotations and their values.
pub const ANNOTATIONS: [(&str, &[&str]); 7] = [
    (
        "airflow-pod-identity/credentials",
        &[
            "team-a",
            "team-b, team-a",
            "web",
            "keys,conn",
            "own,vault",
            "unknown",
            "",
            "team-a,",
            "gone",
            "CANARY",
            "all",
            "keys,keys",
        ],
    ),
    (
        "iam.cloud.google.com/service-account",
        &["team-a", "team-b", "some.secret", "airflow-jwt-1", "", "CANARY", "keys"],
    ),
    (
        "airflow-pod-identity/containers",
        &["*", "base", "base, istio-proxy", "prepare", "nobody", "", "scheduler,base", "CANARY"],
    ),
    ("airflow-pod-identity/gcp-team-b", &["forged CANARY", "{}"]),
    ("airflow-pod-identity/credentails", &["CANARY"]),
    ("example.com/note", &["CANARY"]),
    ("kubernetes.io/config.mirror", &["6f1b"]),
];

/// The annotations of those who know what they may have.
pub const ASKING: [(&str, &[&str]); 4] = [
    ("airflow-pod-identity/credentials", &["team-a", "own", "keys, conn", "aws-pod", "azure,conn"]),
    ("iam.cloud.google.com/service-account", &["team-a"]),
    ("airflow-pod-identity/containers", &["*"]),
    ("example.com/note", &["CANARY"]),
];
