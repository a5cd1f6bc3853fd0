//! What the chart renders and Airflow generates, as written and as admitted, each with who makes it.

use std::path::Path;

use e2e_tests::request::Request;
use e2e_tests::testing::corpora;
use serde_json::Value;

/// An object of the corpora.
pub struct Sample {
    /// Its file, from the corpora's root.
    pub name: String,
    /// The object.
    pub value: Value,
}

/// All of them. `None`: there are no corpora, and it was said.
pub fn samples() -> Option<Vec<Sample>> {
    let root = corpora()?;
    let mut folders = Vec::new();
    for example in names(&root.join("chart")) {
        folders.extend(["objects", "admitted"].map(|part| format!("chart/{example}/{part}")));
    }
    for part in ["task-pods", "task-pods-admitted"] {
        folders.extend(names(&root.join(part)).into_iter().map(|airflow| format!("{part}/{airflow}")));
    }
    let mut samples = Vec::new();
    for folder in folders {
        for file in names(&root.join(&folder)).into_iter().filter(|file| file.ends_with(".json")) {
            let name = format!("{folder}/{file}");
            let bytes = std::fs::read(root.join(&name)).expect("a readable file");
            samples.push(Sample { value: serde_json::from_slice(&bytes).expect("JSON"), name });
        }
    }
    assert!(samples.len() > 500, "{} objects", samples.len());
    Some(samples)
}

impl Sample {
    /// The chart's example that it belongs to.
    pub fn example(&self) -> Option<&str> {
        self.name.strip_prefix("chart/").and_then(|rest| rest.split('/').next())
    }

    /// Whether it is a pod of the chart's, as a webhook receives it.
    pub fn is_admitted(&self) -> bool {
        self.name.contains("/admitted/") || self.name.starts_with("task-pods-admitted/")
    }

    /// The request that makes it: controllers make the chart's pods, Airflow its task pods, somebody with Helm the rest.
    pub fn request(&self) -> Value {
        let file = self.name.rsplit('/').next().unwrap_or_default();
        let user = match file.split('-').next() {
            Some("ke") => "system:serviceaccount:airflow:airflow-scheduler",
            Some("kpo" | "job") => "system:serviceaccount:airflow:airflow-worker",
            Some("Deployment") if self.is_admitted() => "system:serviceaccount:kube-system:replicaset-controller",
            Some("StatefulSet") if self.is_admitted() => "system:serviceaccount:kube-system:statefulset-controller",
            Some("Job" | "CronJob") if self.is_admitted() => "system:serviceaccount:kube-system:job-controller",
            _ => "kubernetes-admin",
        };
        Request::create(self.value.clone()).user(user).build()
    }
}

fn names(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
