//! Reads the settings of a policy: a document of their own, or the policy resource that carries them.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use crate::documents;

/// Why there are no settings to work with, with the file and the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

/// Reads settings from YAML or JSON: the document itself, or `spec.settings` of a `ClusterAdmissionPolicy` or `AdmissionPolicy`.
///
/// # Errors
/// When the file can't be read, or holds no settings, or those of several policies.
pub fn load(path: impl AsRef<Path>) -> Result<Value, SettingsError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| SettingsError(format!("{name}: {error}")))?;
    parse(&name, &bytes)
}

/// Takes settings out of a text; `name` is what errors call it.
///
/// # Errors
/// When the text holds no settings, or those of several policies.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Value, SettingsError> {
    let fail = |reason: &str| Err(SettingsError(format!("{name}: {reason}")));
    let documents = documents::parse::<Value>(bytes).map_err(|error| SettingsError(format!("{name}:{error}")))?;
    let mut values: Vec<Value> =
        documents.into_iter().map(|document| document.value).filter(|value| !value.is_null()).collect();
    // A file may carry the namespace or the roles that the policy needs next to the policy itself.
    if values.len() > 1 {
        values.retain(is_policy);
    }
    match (values.pop(), values.len()) {
        (Some(value), 0) if is_policy(&value) => Ok(settings_of(&value)),
        (Some(Value::Object(settings)), 0) if is_resource(&settings) => {
            fail("this is a Kubernetes resource, but neither a ClusterAdmissionPolicy nor an AdmissionPolicy")
        }
        (Some(settings @ Value::Object(_)), 0) => Ok(settings),
        (Some(_), 0) => fail("settings are a mapping of names to values"),
        (None, _) => fail("it holds no settings (to try the defaults, leave the option out)"),
        _ => fail("it holds several policies: the settings of one are needed"),
    }
}

fn is_policy(value: &Value) -> bool {
    matches!(value["kind"].as_str(), Some("ClusterAdmissionPolicy" | "AdmissionPolicy"))
}

fn is_resource(settings: &Map<String, Value>) -> bool {
    settings.contains_key("apiVersion") && settings.contains_key("kind")
}

/// A policy without settings gets an empty object, as policy-server hands it over.
fn settings_of(policy: &Value) -> Value {
    match &policy["spec"]["settings"] {
        Value::Null => Value::Object(Map::new()),
        settings => settings.clone(),
    }
}
