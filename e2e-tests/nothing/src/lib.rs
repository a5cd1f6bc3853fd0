//! A policy that accepts everything unread. What its calls cost is the floor: every policy receives the request and answers.

#[cfg(target_os = "wasi")]
mod guest {
    use wapc_guest::{CallResult, register_function};

    /// Registers the one function, as the policy registers its own.
    #[allow(unsafe_code, reason = "an exported name is part of the waPC protocol")]
    #[unsafe(no_mangle)]
    pub extern "C" fn wapc_init() {
        register_function("validate", |_| -> CallResult { Ok(br#"{"accepted":true}"#.to_vec()) });
    }
}
