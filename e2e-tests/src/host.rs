//! Calls the policy as policy-server does. It is the built module, compiled once, with one fresh instance for each call; or the
//! library as it is linked, natively, for what must be fast to build and is no test of the module.

#[cfg(feature = "engine")]
mod engine;
mod exchange;
mod linked;

#[cfg(feature = "engine")]
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::cluster::{Cluster, NoCluster};
pub use crate::error::{CallError, LoadError, TIME_LIMIT};
use crate::verdict::{HostCall, SettingsVerdict, Verdict};

/// A policy that can be called.
pub struct Policy(Guest);

/// What answers the calls.
enum Guest {
    #[cfg(feature = "engine")]
    Module(Box<engine::Module>),
    Linked,
}

/// A call's response, not yet looked into.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What the module answered.
    pub response: Vec<u8>,
    /// The questions that it asked, in order.
    pub host_calls: Vec<HostCall>,
    /// The lines that it logged.
    pub logs: Vec<String>,
}

/// The bytes that policy-server hands to `validate`.
#[must_use]
pub fn payload<R: Serialize, S: Serialize>(request: &R, settings: &S) -> Vec<u8> {
    #[derive(Serialize)]
    struct Payload<'a, R, S> {
        request: &'a R,
        settings: &'a S,
    }
    serde_json::to_vec(&Payload { request, settings }).unwrap_or_default()
}

impl Policy {
    /// Reads and compiles the module in a file.
    ///
    /// # Errors
    /// When the file can't be read, or is no policy module.
    #[cfg(feature = "engine")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
    }

    /// Compiles a module: WebAssembly, or its text format.
    ///
    /// # Errors
    /// When the bytes are no module, or one that imports what policy-server does not offer.
    #[cfg(feature = "engine")]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        engine::Module::new(bytes).map(|module| Self(Guest::Module(Box::new(module))))
    }

    /// The library that this program is linked with: the same logic, without a module and without a time limit.
    #[must_use]
    pub fn linked() -> Self {
        Self(Guest::Linked)
    }

    /// Judges an AdmissionRequest.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn validate(&self, request: &Value, settings: &Value, cluster: &dyn Cluster) -> Result<Verdict, CallError> {
        self.validate_payload(&payload(request, settings), cluster)
    }

    /// Judges a payload, byte for byte as given.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn validate_payload(&self, payload: &[u8], cluster: &dyn Cluster) -> Result<Verdict, CallError> {
        let Reply { response, host_calls, logs } = self.call("validate", payload, cluster)?;
        Verdict::new(response.clone(), host_calls, logs).map_err(|reason| CallError::Response { reason, raw: response })
    }

    /// Hands any bytes to `validate` and returns whatever comes back.
    ///
    /// # Errors
    /// When the module fails.
    pub fn validate_raw(&self, payload: &[u8], cluster: &dyn Cluster) -> Result<Vec<u8>, CallError> {
        Ok(self.call("validate", payload, cluster)?.response)
    }

    /// Asks the module what it thinks of settings, as policy-server does when it starts.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn validate_settings(&self, settings: &Value) -> Result<SettingsVerdict, CallError> {
        let payload = serde_json::to_vec(settings).unwrap_or_default();
        let raw = self.call("validate_settings", &payload, &NoCluster)?.response;
        serde_json::from_slice(&raw).map_err(|reason| CallError::Response { reason, raw })
    }

    /// The version of Kubewarden's protocol that the module speaks, such as `v1`.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn protocol_version(&self) -> Result<String, CallError> {
        let raw = self.call("protocol_version", b"", &NoCluster)?.response;
        serde_json::from_slice(&raw).map_err(|reason| CallError::Response { reason, raw })
    }

    /// Makes an instance, starts it and drops it: what a call of a module pays before it is one.
    ///
    /// # Errors
    /// When the module fails.
    #[cfg(feature = "engine")]
    pub fn start(&self) -> Result<(), CallError> {
        match &self.0 {
            Guest::Module(module) => module.start(None).map(drop),
            Guest::Linked => Ok(()),
        }
    }

    /// Calls any operation, of a module in a fresh instance.
    ///
    /// # Errors
    /// When the module fails.
    pub fn call(&self, operation: &str, payload: &[u8], cluster: &dyn Cluster) -> Result<Reply, CallError> {
        match &self.0 {
            #[cfg(feature = "engine")]
            Guest::Module(module) => module.call(operation, payload, cluster),
            Guest::Linked => linked::call(operation, payload, cluster),
        }
    }
}
