//! The pods that a real Airflow makes of the example DAGs (`make test-airflow` keeps them true) get their credentials.

use std::collections::BTreeMap;
use std::path::Path;

use e2e_tests::cluster::NoCluster;
use e2e_tests::documents;
use e2e_tests::host;
use e2e_tests::laws::mutated;
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use serde_json::{Value, json};

const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

fn settings(mode: &str) -> Value {
    let bytes = std::fs::read(root().join("examples/settings/connections.yaml")).expect("readable");
    let mut documents = documents::parse::<Value>(&bytes).expect("YAML");
    let mut settings = documents.remove(0).value;
    settings["mode"] = json!(mode);
    settings
}

#[test]
fn the_pods_of_the_example_dags_get_their_credentials_in_their_task_alone() {
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in std::fs::read_dir(root().join("tests/airflow/pods")).expect("a folder") {
        let path = file.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let pod: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let judge = |object: Value, mode: &str| {
            let request = Request::create(object).user(SCHEDULER).build();
            policy().validate_payload(&host::payload(&request, &settings(mode)), &NoCluster).expect("an answer")
        };
        let verdict = judge(pod.clone(), "mutate");
        assert!(verdict.accepted, "{name}: {:?}", verdict.message);
        let result: Value = serde_json::from_str(&mutated(&verdict).expect("a change")).expect("JSON");
        let checked = judge(result.clone(), "validate");
        assert!(checked.accepted, "{name}: {:?}", checked.message);
        let pairs = |pod: &Value| -> Vec<(String, Vec<String>)> {
            let containers = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
            let names = |container: &Value| {
                let env = container["env"].as_array().cloned().unwrap_or_default();
                env.iter().map(|entry| entry["name"].as_str().unwrap_or_default().to_owned()).collect()
            };
            let name = |container: &Value| container["name"].as_str().unwrap_or_default().to_owned();
            containers.iter().map(|container| (name(container), names(container))).collect()
        };
        for ((container, before), (_, after)) in pairs(&pod).into_iter().zip(pairs(&result)) {
            let added: Vec<String> = after.into_iter().skip(before.len()).collect();
            assert_eq!(added.is_empty(), container != "base", "{name}: {container}: {added:?}");
            if container == "base" {
                given.insert(name.clone(), added);
            }
        }
    }
    assert_eq!(given.len(), 10, "{given:?}");
    let holds = |name: &str, variable: &str| given[name].iter().any(|found| found == variable);
    for kind in ["executor", "pod-operator"] {
        assert!(holds(&format!("google-{kind}"), "GOOGLE_APPLICATION_CREDENTIALS"), "{given:?}");
        assert!(holds(&format!("aws-{kind}"), "AWS_ROLE_ARN"), "{given:?}");
        assert!(holds(&format!("azure-{kind}"), "AZURE_FEDERATED_TOKEN_FILE"), "{given:?}");
        for connection in ["snowflake", "postgres"] {
            let added = &given[&format!("{connection}-{kind}")];
            assert!(added.iter().all(|name| name.starts_with("AIRFLOW_CONN_")), "{added:?}");
        }
    }
}
