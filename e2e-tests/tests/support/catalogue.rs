//! A catalogue that holds a credential of every type, each called like its type in kebab case.

use e2e_tests::testing::policy;
use serde_json::{Value, json};

/// The credentials, one of every type.
pub const NAMES: [&str; 11] = [
    "gcp-service-account-key",
    "gcp-workload-identity",
    "gke-workload-identity",
    "aws-access-key",
    "aws-web-identity",
    "aws-pod-identity",
    "azure-workload-identity",
    "azure-service-principal",
    "airflow-connection",
    "vault-token",
    "custom",
];

/// Credentials that get along with each other in one container.
pub const TOGETHER: [&str; 3] = [
    "aws-web-identity, gcp-workload-identity, azure-workload-identity, airflow-connection, vault-token, custom",
    "gcp-service-account-key,aws-access-key,azure-service-principal,airflow-connection",
    "custom,vault-token,airflow-connection,aws-pod-identity,gke-workload-identity",
];

/// The catalogue, for everybody in the namespaces of Airflow's tasks.
pub fn credentials() -> Value {
    let guid = "00000000-0000-4000-8000-000000000001";
    let email = "etl@my-project.iam.gserviceaccount.com";
    let pool = "projects/123456789/locations/global/workloadIdentityPools/pool";
    let mut credentials = json!({
        "gcp-service-account-key": {"type": "gcpServiceAccountKey", "secretName": "gcp", "key": "sa.json",
            "project": "my-project"},
        "gcp-workload-identity": {"type": "gcpWorkloadIdentity",
            "audience": format!("//iam.googleapis.com/{pool}/providers/cluster"), "serviceAccountEmail": email},
        "gke-workload-identity": {"type": "gkeWorkloadIdentity", "serviceAccountEmail": email},
        "aws-access-key": {"type": "awsAccessKey", "secretName": "aws", "region": "eu-central-1"},
        "aws-web-identity": {"type": "awsWebIdentity", "roleArn": "arn:aws:iam::111122223333:role/etl",
            "region": "eu-central-1", "sessionName": "airflow"},
        "aws-pod-identity": {"type": "awsPodIdentity"},
        "azure-workload-identity": {"type": "azureWorkloadIdentity", "clientId": guid, "tenantId": guid},
        "azure-service-principal": {"type": "azureServicePrincipal", "clientId": guid, "tenantId": guid,
            "certificateKey": "cert.pem"},
        "airflow-connection": {"type": "airflowConnection", "connectionId": "warehouse"},
        "vault-token": {"type": "vaultToken", "role": "etl", "address": "https://vault.example.com:8200"},
        "custom": {"type": "custom", "env": [{"name": "API_URL", "value": "https://api.example.com"},
            {"name": "API_KEY", "secretKey": "api-key"}], "files": {"mountPath": "/etc/custom"},
            "token": {"audience": "api.example.com", "path": "/var/run/tokens/custom/jwt"}},
    });
    for fields in credentials.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        fields["allow"] = json!({"namespaces": ["airflow", "airflow-jobs"]});
    }
    credentials
}

/// Settings with the catalogue put in.
///
/// # Panics
/// When the policy refuses them.
#[track_caller]
pub fn with_all(mut settings: Value) -> Value {
    settings["credentials"] = credentials();
    let answer = policy().validate_settings(&settings).expect("an answer");
    assert!(answer.valid, "{answer:?}");
    settings
}
