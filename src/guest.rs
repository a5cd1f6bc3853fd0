//! The waPC guest: what the policy server calls.

use crate::cluster::Cluster;
use kubewarden_policy_sdk::metadata::ProtocolVersion;
use wapc_guest::{CallResult, host_call, register_function};

/// The cluster, as the policy server knows it.
struct Host;

impl Cluster for Host {
    fn ask(&self, operation: &str, question: &str) -> Result<Vec<u8>, String> {
        host_call("kubewarden", "kubernetes", operation, question.as_bytes()).map_err(|error| error.to_string())
    }
}

/// Writes a record to the policy server's log. A host that takes none does not change the verdict.
fn log(record: &str) {
    drop(host_call("kubewarden", "tracing", "log", record.as_bytes()));
}

/// The SDK's protocol version in JSON; its own `protocol_version_guest` would bring a serializer of 10 kB along.
fn version(version: ProtocolVersion) -> &'static [u8] {
    match version {
        ProtocolVersion::V1 => br#""v1""#,
        ProtocolVersion::Unknown => br#""Unknown""#,
    }
}

/// Registers the policy's functions. The host calls it once for each instance, before anything else.
#[allow(unsafe_code, reason = "an exported name is part of the waPC protocol")]
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", |payload| -> CallResult { Ok(crate::validate_and_log(payload, &Host, log)) });
    register_function("validate_settings", |payload| -> CallResult { Ok(crate::validate_settings(payload)) });
    register_function("protocol_version", |_| -> CallResult { Ok(version(ProtocolVersion::default()).to_vec()) });
}
