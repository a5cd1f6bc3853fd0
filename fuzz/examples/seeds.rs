//! Writes inputs for every target: what the cases and the examples of the repository say for `request` and `settings`,
//! decisions at random for the targets that draw.
//!
//! `cargo run --example seeds -- FOLDER` makes `FOLDER/TARGET`; `make fuzz-seeds` keeps what of them reaches something
//! new.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use airflow_pod_identity_fuzz::draw::{Pick, Random};
use e2e_tests::laws::Trial;
use e2e_tests::request::Request;
use e2e_tests::{documents, settings};
use serde_json::{Value, json};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder to write to"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut requests, mut documents) = (BTreeSet::new(), BTreeSet::new());
    for path in files(&root.join("e2e-tests/cases")) {
        let case = read(&path).remove(0);
        let settings = if case["settings"].is_null() { json!({}) } else { case["settings"].clone() };
        let world = if case["cluster"].is_null() { "silent" } else { "full" };
        let payload = Trial::new(&request(&case), &settings).payload("mutate");
        let payload = String::from_utf8(payload).expect("text").replacen('{', &format!("{{\"world\":\"{world}\","), 1);
        requests.insert(payload);
        documents.insert(settings.to_string());
    }
    for path in files(&root.join("examples/settings")) {
        documents.insert(settings::load(&path).expect("settings").to_string());
    }
    let demo = settings::load(root.join("examples/settings/demo.yaml")).expect("settings");
    for object in files(&root.join("examples/pods")).iter().flat_map(|path| read(path)) {
        let request = Request::create(object).user("system:serviceaccount:airflow:airflow-scheduler").build();
        requests.insert(String::from_utf8(Trial::new(&plain(request), &demo).payload("mutate")).expect("text"));
    }
    for (name, texts) in [("request", requests), ("settings", documents)] {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (index, text) in texts.iter().enumerate() {
            std::fs::write(folder.join(format!("{index:04}")), text).expect("a file");
        }
    }
    for (target, most) in [("pod", 700), ("annotations", 120)] {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder).expect("a folder");
        for seed in 0..400 {
            let mut random = Random::new(seed);
            let length = 20 + random.below(most);
            // No more than a byte decides at once.
            let bytes: Vec<u8> = (0..length).map(|_| random.below(256).to_le_bytes()[0]).collect();
            std::fs::write(folder.join(format!("{seed:04}")), bytes).expect("a file");
        }
    }
}

/// The request of a case.
fn request(case: &Value) -> Value {
    let text = |key: &str| case[key].as_str();
    let mut request = Request::create(case["object"].clone());
    if !case["old"].is_null() {
        request = Request::update(case["object"].clone(), case["old"].clone());
    }
    if let Some(operation) = text("operation") {
        request = request.operation(operation);
    }
    if let Some(user) = text("user") {
        request = request.user(user);
    }
    if let Some(namespace) = text("namespace") {
        request = request.namespace(namespace);
    }
    if let Some(subresource) = text("subresource") {
        request = request.subresource(subresource);
    }
    if let Some(groups) = case["groups"].as_array() {
        request = request.groups(groups.iter().filter_map(Value::as_str));
    }
    plain(request.build())
}

/// A request without what the policy passes over.
fn plain(mut request: Value) -> Value {
    for key in ["uid", "resource", "requestKind", "requestResource", "requestSubResource", "options", "dryRun", "name"]
    {
        request.as_object_mut().map(|fields| fields.remove(key));
    }
    request
}

fn read(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).expect("a readable file");
    let documents = documents::parse::<Value>(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    documents.into_iter().map(|document| document.value).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
