//! What a policy asked and was answered, in the format of kwctl's `--replay-host-capabilities-interactions`.

use std::fmt::Write;

use e2e_tests::cluster::Cluster;
use e2e_tests::verdict::HostCall;
use serde_json::Value;

/// What policy-server and kwctl put before the text of a lookup that failed.
const PREFIX: &str = "Callback evaluation failure: ";

/// The cluster, with failures told in the words in which a policy hears them from policy-server and kwctl.
pub struct Told<'c>(pub &'c dyn Cluster);

impl Cluster for Told<'_> {
    fn answer(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        self.0.answer(operation, payload).map_err(|text| format!("{PREFIX}{text}"))
    }
}

/// The session's file. Its questions are YAML texts of their own, of which kwctl makes the calls that it expects.
///
/// ```text
/// - type: Exchange
///   request: |
///     !KubernetesGetResource
///     kind: "Secret"
///     …
///   response: {type: Success, payload: "{…}"}
/// ```
pub fn session(calls: &[HostCall]) -> String {
    let mut text = String::new();
    for call in calls {
        text.push_str("- type: Exchange\n  request: |\n");
        let (tag, fields) = question(call);
        let _ = writeln!(text, "    !{tag}");
        for (key, value) in fields {
            let _ = writeln!(text, "    {key}: {value}");
        }
        text.push_str("  response:\n");
        let _ = match &call.answer {
            Ok(answer) => writeln!(text, "    type: Success\n    payload: {}", quoted(&answer.to_string())),
            Err(told) => {
                let message = told.strip_prefix(PREFIX).unwrap_or(told);
                writeln!(text, "    type: Error\n    message: {}", Value::from(message))
            }
        };
    }
    text
}

/// The call as kwctl's `CallbackRequestType` names it, and its fields.
fn question(call: &HostCall) -> (&'static str, Vec<(&str, Value)>) {
    let field = |key: &'static str| (key, call.payload[key].clone());
    match &*call.operation {
        "get_resource" => {
            let keys = ["api_version", "kind", "name", "namespace", "disable_cache", "field_masks"];
            ("KubernetesGetResource", keys.map(field).to_vec())
        }
        "can_i" => {
            let review = call.payload["subject_access_review"].clone();
            ("KubernetesCanI", vec![("request", review), field("disable_cache")])
        }
        other => panic!("a session has no word for {other} yet"),
    }
}

/// In single quotes, JSON stays readable in YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
