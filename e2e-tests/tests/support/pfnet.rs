//! The `external_account` of pfnet's webhook for workload identity federation, beside the policy's.

use e2e_tests::cluster::NoCluster;
use e2e_tests::host;
use e2e_tests::laws::mutated;
use e2e_tests::ordered::Ordered;
use e2e_tests::request::Request;
use e2e_tests::testing::{corpora, policy};
use serde_json::{Value, json};

/// The inputs of pfnet's `external_account`, and the text.
fn account() -> Option<String> {
    let path = corpora()?.join("cloud-webhooks/pfnet/external_account.expected.json");
    Some(std::fs::read_to_string(path).expect("a readable file"))
}

const PROVIDER: &str = "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/workload-identity-pool/providers/workload-identity";
const EMAIL: &str = "workload@PROJECT.iam.gserviceaccount.com";
const THEIR_FILE: &str = "/var/run/secrets/sts.googleapis.com/serviceaccount/token";

/// Key by key, in their order; numbers and texts as they are.
fn ordered(text: &str) -> Ordered {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_external_account_is_pfnets_but_for_the_tokens_file() {
    let Some(account) = account() else { return };
    assert_eq!(account.matches(THEIR_FILE).count(), 1);
    let allow = json!({"namespaces": ["airflow"]});
    let settings = json!({"credentials": {"pfnet": {"type": "gcpWorkloadIdentity", "audience": PROVIDER,
        "serviceAccountEmail": EMAIL, "allow": allow}}});
    assert_eq!(policy().validate_settings(&settings).expect("an answer").message, None);
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "annotations": {"airflow-pod-identity/credentials": "pfnet"}},
        "spec": {"containers": [{"name": "base"}]}});
    let request = Request::create(pod).user("system:serviceaccount:airflow:airflow-scheduler").build();
    let payload = host::payload(&request, &settings);
    let verdict = policy().validate_payload(&payload, &NoCluster).expect("a verdict");
    let result: Value = serde_json::from_str(&mutated(&verdict).expect("a change")).expect("JSON");
    let text = result["metadata"]["annotations"]["airflow-pod-identity/gcp-pfnet"].as_str().expect("the account");
    let mount = &result["spec"]["containers"][0]["volumeMounts"][0];
    let volume = &result["spec"]["volumes"][0];
    let token = &volume["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!(mount["name"], volume["name"]);
    assert_eq!(token["audience"], PROVIDER);
    let directory = mount["mountPath"].as_str().expect("a path");
    let file = format!("{directory}/{}", token["path"].as_str().expect("a path"));
    assert_eq!(file, "/var/run/secrets/gcp/pfnet/token");
    assert_eq!(ordered(text), ordered(&account.replace(THEIR_FILE, &file)));
}

#[test]
fn the_external_account_is_pfnets_natively() {
    let Some(account) = account() else { return };
    let text = airflow_pod_identity::credentials::external_account(PROVIDER, Some(EMAIL), THEIR_FILE);
    assert_eq!(ordered(&text), ordered(&account));
    let text = airflow_pod_identity::credentials::external_account(PROVIDER, None, THEIR_FILE);
    let Ordered::Object(mut pairs) = ordered(&account) else { panic!("an object") };
    pairs.retain(|(key, _)| key != "service_account_impersonation_url");
    assert_eq!(ordered(&text), Ordered::Object(pairs));
}
