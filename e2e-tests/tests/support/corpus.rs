//! The corpora's objects, each with the requester who makes such an object.

use std::path::Path;

use e2e_tests::cluster::NoCluster;
use e2e_tests::documents;
use e2e_tests::laws::{self, Outcome, Trial};
use e2e_tests::request::Request;
use e2e_tests::testing::{corpora, policy, workspace};
use e2e_tests::verdict::Verdict;
use serde_json::Value;

/// An object of the corpora.
pub struct Sample {
    /// Its file, from the corpora's root.
    pub name: String,
    /// The object.
    pub value: Value,
    /// Who makes such an object.
    pub user: &'static str,
}

impl Sample {
    /// The credential that the pod names with Google's annotation.
    pub fn annotation(&self) -> Option<&str> {
        self.value["metadata"]["annotations"]["iam.cloud.google.com/service-account"].as_str()
    }

    /// The same pod asking for these credentials, and not with Google's annotation.
    pub fn asking(&self, names: &str) -> Self {
        let mut value = self.value.clone();
        let annotations = &mut value["metadata"]["annotations"];
        annotations["airflow-pod-identity/credentials"] = names.into();
        let others = annotations.as_object_mut().expect("annotations are an object");
        others.remove("iam.cloud.google.com/service-account");
        Self { name: format!("{} asking for {names}", self.name), value, user: self.user }
    }

    /// Holds the object against the laws.
    #[track_caller]
    pub fn check(&self, document: &str, settings: &Value) -> Outcome {
        let judge = |payload: &[u8]| policy().validate_raw(payload, &NoCluster);
        let outcome = laws::check(&judge, &self.trial(settings));
        outcome.unwrap_or_else(|violation| panic!("{} under {document}: {violation}", self.name))
    }

    /// The answer in a mode.
    pub fn answer(&self, mode: &str, settings: &Value) -> Verdict {
        let payload = self.trial(settings).payload(mode);
        policy().validate_payload(&payload, &NoCluster).expect("a verdict")
    }

    fn trial(&self, settings: &Value) -> Trial {
        Trial::new(&Request::create(self.value.clone()).user(self.user).build(), settings)
    }
}

/// The pods as a webhook receives them. `None`: there are no corpora, and it was said.
pub fn pods() -> Option<Vec<Sample>> {
    let root = corpora()?;
    let chart = directories(&root.join("chart")).map(|name| format!("chart/{name}/admitted"));
    Some(read(&root, chart.chain(["airflow2", "airflow3"].map(|of| format!("task-pods-admitted/{of}")))))
}

/// Everything that the chart renders and Airflow generates.
pub fn objects() -> Option<Vec<Sample>> {
    let root = corpora()?;
    let chart = directories(&root.join("chart")).map(|name| format!("chart/{name}/objects"));
    Some(read(&root, chart.chain(["airflow2", "airflow3"].map(|of| format!("task-pods/{of}")))))
}

/// The settings that enforce everything.
pub fn strict() -> Value {
    let path = workspace().join("examples/settings/strict.yaml");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut documents = documents::parse::<Value>(&bytes).expect("strict.yaml is YAML");
    documents.pop().expect("strict.yaml holds a document").value
}

/// The same catalogue, where other Airflow pods are only reported.
pub fn catalogue() -> Value {
    let mut settings = strict();
    settings.as_object_mut().expect("settings are an object").remove("tokenMounts");
    settings
}

fn directories(path: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.into_iter()
}

fn read(root: &Path, folders: impl Iterator<Item = String>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for folder in folders {
        for file in directories(&root.join(&folder)).filter(|file| file.ends_with(".json")) {
            let name = format!("{folder}/{file}");
            let bytes = std::fs::read(root.join(&name)).expect("a readable file");
            let value = serde_json::from_slice(&bytes).expect("JSON");
            samples.push(Sample { user: requester(&file), name, value });
        }
    }
    assert!(!samples.is_empty(), "the corpora are empty");
    samples
}

/// Who makes such objects: kube-system's controllers the chart's pods, Airflow its task pods.
fn requester(file: &str) -> &'static str {
    match file.split('-').next().unwrap_or_default() {
        "Deployment" => "system:serviceaccount:kube-system:replicaset-controller",
        "StatefulSet" => "system:serviceaccount:kube-system:statefulset-controller",
        "Job" | "CronJob" => "system:serviceaccount:kube-system:job-controller",
        "ke" => "system:serviceaccount:airflow:airflow-scheduler",
        "kpo" | "job" => "system:serviceaccount:airflow:airflow-worker",
        _ => "kubernetes-admin",
    }
}
