//! Files that are made of the settings' types and of metadata.yml: a schema, a reference page, Rancher's form, Artifact
//! Hub's package file. A test compares them with what they would be.

mod artifacthub;
mod examples;
mod questions;
mod reference;

use std::path::Path;

use airflow_pod_identity::settings::schema;
use serde_json::Value;

use crate::documents;
use crate::testing::workspace;

/// A file that is made.
#[derive(Debug)]
pub struct Generated {
    /// Its path from the repository's root.
    pub path: &'static str,
    /// What it is to hold.
    pub text: String,
}

/// All of them.
///
/// # Panics
/// When metadata.yml or an example of settings can't be read: there is nothing to make them of.
#[must_use]
pub fn files() -> Vec<Generated> {
    let schema = described();
    let questions = questions::questions(&schema);
    let metadata = yaml(&workspace().join("metadata.yml"));
    let json = serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
    vec![
        Generated { path: "settings.schema.json", text: json },
        Generated { path: "docs/settings.md", text: reference::page(&schema) },
        Generated { path: "artifacthub-pkg.yml", text: artifacthub::package(&metadata, &questions) },
        Generated { path: "questions-ui.yml", text: questions },
    ]
}

/// The schema of the settings, with examples of use.
#[must_use]
pub fn described() -> Value {
    let mut schema = schema::schema();
    schema["title"] = "Settings of airflow-pod-identity".into();
    for document in examples::documents() {
        examples::note(&mut schema, &document);
    }
    schema
}

/// What a `$ref` names, or the schema itself.
fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) else { return schema };
    &root["$defs"][name]
}

/// A section's keys, or none.
fn keys(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema["properties"].as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn yaml(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut documents = documents::parse::<Value>(&bytes).unwrap_or_else(|error| panic!("{}:{error}", path.display()));
    documents.pop().unwrap_or_else(|| panic!("{}: it is empty", path.display())).value
}
