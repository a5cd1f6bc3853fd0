//! The waPC guest: what the policy server calls.

use wapc_guest::{CallResult, register_function};

/// Registers the policy's functions. The host calls it once for each instance, before anything else.
#[allow(unsafe_code, reason = "an exported name is part of the waPC protocol")]
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", |payload| -> CallResult { Ok(crate::validate(payload)) });
    register_function("validate_settings", |payload| -> CallResult { Ok(crate::validate_settings(payload)) });
    register_function("protocol_version", kubewarden_policy_sdk::protocol_version_guest);
}
