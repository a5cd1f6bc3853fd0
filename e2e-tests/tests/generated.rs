//! Files that are made of the settings' types: none is stale, and what they say holds.
//!
//! `GENERATE=1` writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use e2e_tests::documents;
use e2e_tests::generated::{described, files};
use e2e_tests::testing::{policy, workspace};
use serde_json::{Value, json};

#[test]
fn no_generated_file_is_stale() {
    let mut stale = Vec::new();
    for file in files() {
        let path = workspace().join(file.path);
        if std::env::var_os("GENERATE").is_some() {
            std::fs::write(&path, &file.text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        if found != file.text {
            stale.push(file.path);
        }
    }
    assert_eq!(stale, [] as [&str; 0], "stale: run `make generate`");
    assert!(described()["properties"].as_object().is_some_and(|keys| keys.len() > 10));
}

/// The YAML files of a folder and those below it.
fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut documents = documents::parse::<Value>(&text).unwrap_or_else(|error| panic!("{}:{error}", path.display()));
    documents.pop().expect("a document").value
}

/// A document without its nulls, which stand for defaults; the one that means something stays.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, value)| !value.is_null() || *key == "automountServiceAccountToken");
            kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect()
        }
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        value => value.clone(),
    }
}

#[test]
fn what_the_policy_takes_the_schema_takes_and_a_wrong_key_neither() {
    let schema = described();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut taken = 0;
    let cases = yaml_files(&workspace().join("e2e-tests/cases"));
    let examples = yaml_files(&workspace().join("examples/settings"));
    let of_case = |path: &PathBuf| (path.clone(), read(path)["settings"].clone());
    let documents = cases.iter().map(of_case).chain(examples.iter().map(|path| (path.clone(), read(path))));
    for (path, settings) in documents {
        let settings = if settings.is_null() { json!({}) } else { settings };
        if policy().validate_settings(&settings).expect("an answer").message.is_some() {
            continue;
        }
        let settings = without_nulls(&settings);
        let errors: Vec<String> =
            validator.iter_errors(&settings).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [] as [&str; 0], "{}", path.display());
        taken += 1;
        let mut wrong = settings.clone();
        wrong["tokenMount"] = json!({});
        assert!(!validator.is_valid(&wrong), "{}", path.display());
    }
    assert!(taken > 500, "{taken}");
    for wrong in [
        json!({"mode": "audit"}),
        json!({"tokenMounts": {"components": [{"containers": ["a"]}]}}),
        json!({"tokenMounts": {"serviceAccountTokenVolume": {"expirationSeconds": 599}}}),
        json!({"credentials": {"a": {"type": "awsWebIdentity"}}}),
        json!({"credentials": {"a": {"type": "gcp"}}}),
        json!({"credentials": {"A": {"type": "gcpServiceAccountKey"}}}),
        json!({"failureActionOverrides": [{"action": "Audit", "namespaces": []}]}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
        assert!(policy().validate_settings(&wrong).expect("an answer").message.is_some(), "{wrong}");
    }
}

#[test]
fn every_example_of_settings_names_the_schema() {
    for path in yaml_files(&workspace().join("examples/settings")) {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(first, "# yaml-language-server: $schema=../../settings.schema.json", "{}", path.display());
    }
}

#[test]
fn an_untouched_form_is_no_settings_at_all() {
    let form = read(&workspace().join("questions-ui.yml"));
    let questions = form["questions"].as_array().expect("questions");
    let mut answers = json!({});
    for question in questions.iter().filter(|question| !question["default"].is_null()) {
        // What a condition hides is not answered.
        if question["show_if"].is_null() {
            let variable = question["variable"].as_str().expect("a variable");
            let place = variable.split('.').fold(&mut answers, |place, key| &mut place[key]);
            *place = question["default"].clone();
        }
    }
    assert_eq!(policy().validate_settings(&answers).expect("an answer").message, None, "{answers}");
    let mut judged = 0;
    for path in yaml_files(&workspace().join("e2e-tests/cases")) {
        let case = read(&path);
        if !case["settings"].is_null() && case["settings"] != json!({}) || case["object"].is_null() {
            continue;
        }
        let request = e2e_tests::request::Request::create(case["object"].clone()).user("jane").build();
        let verdict = |settings: &Value| policy().validate(&request, settings, &e2e_tests::cluster::NoCluster);
        let (one, other) = (verdict(&answers).expect("a verdict"), verdict(&json!({})).expect("a verdict"));
        assert_eq!(String::from_utf8_lossy(&one.raw), String::from_utf8_lossy(&other.raw), "{}", path.display());
        judged += 1;
    }
    assert!(judged > 10, "{judged}");
}

#[test]
fn the_form_names_settings_and_conditions_that_exist() {
    let form = read(&workspace().join("questions-ui.yml"));
    let questions = form["questions"].as_array().expect("questions");
    let variables: BTreeSet<&str> = questions.iter().filter_map(|question| question["variable"].as_str()).collect();
    assert_eq!(variables.len(), questions.len());
    assert!(questions.len() > 30, "{}", questions.len());
    for question in questions {
        let text = |key: &str| question[key].as_str().unwrap_or_default().to_owned();
        assert!(
            !text("label").is_empty() && !text("description").is_empty() && !text("group").is_empty(),
            "{question}"
        );
        for part in text("show_if").split("||").filter(|part| !part.is_empty()) {
            let (variable, _) = part.split_once('=').expect("a comparison");
            assert!(variables.contains(variable), "{question}");
        }
    }
}
