//! What a call of the module came to: its answer, and what it asked and logged on the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The answer to one admission request.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whether the object may pass.
    pub accepted: bool,
    /// Why it may not.
    pub message: Option<String>,
    /// The HTTP status of a denial.
    pub code: Option<u16>,
    /// The object as the policy wants it to be; `None` when the policy changes nothing.
    pub mutated_object: Option<Value>,
    /// Warnings, which clients like kubectl print.
    pub warnings: Vec<String>,
    /// What the API server's audit log and Kubewarden's reports show.
    pub audit_annotations: BTreeMap<String, String>,
    /// The questions that the module asked its host, in order, without the log lines.
    pub host_calls: Vec<HostCall>,
    /// What the module logged: the events of Kubewarden's `tracing/log`, one JSON text each.
    pub logs: Vec<String>,
    /// The answer as the module wrote it.
    pub raw: Vec<u8>,
}

/// One question that the module asked its host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostCall {
    /// The binding; Kubewarden's is `kubewarden`.
    pub binding: String,
    /// The capability's namespace, such as `kubernetes`.
    pub namespace: String,
    /// The operation, such as `can_i`.
    pub operation: String,
    /// What was asked. A payload that is not JSON is a string here.
    pub payload: Value,
    /// What was answered: JSON, or the error's text.
    pub answer: Result<Value, String>,
}

/// The answer to `validate_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsVerdict {
    /// Whether the policy can work with these settings.
    pub valid: bool,
    /// All problems that it has with them.
    #[serde(default)]
    pub message: Option<String>,
}

/// Kubewarden's `ValidationResponse`. A field that it does not know is an error: the host would drop it in silence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    accepted: bool,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    code: Option<u16>,
    #[serde(default)]
    mutated_object: Option<Value>,
    #[serde(default, deserialize_with = "null_is_empty")]
    audit_annotations: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    warnings: Vec<String>,
}

impl Verdict {
    pub(crate) fn new(raw: Vec<u8>, host_calls: Vec<HostCall>, logs: Vec<String>) -> Result<Self, serde_json::Error> {
        let response: Response = serde_json::from_slice(&raw)?;
        Ok(Self {
            accepted: response.accepted,
            message: response.message,
            code: response.code,
            mutated_object: response.mutated_object,
            warnings: response.warnings,
            audit_annotations: response.audit_annotations,
            host_calls,
            logs,
            raw,
        })
    }

    /// The object after the policy, if the policy changes the given one.
    #[must_use]
    pub fn changed(&self, object: &Value) -> Option<&Value> {
        self.mutated_object.as_ref().filter(|mutated| self.accepted && *mutated != object)
    }
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
