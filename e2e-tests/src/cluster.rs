//! The cluster that a policy sees: what answers its lookups.

mod access;
mod fixture;
mod objects;

use serde_json::Value;

pub use access::Access;
pub use fixture::{Failure, Fixture, FixtureError, Operation};
pub use objects::{Secret, ServiceAccount};

/// Answers the calls of Kubewarden's `kubernetes` capabilities.
///
/// A closure over JSON values is a cluster too, which is enough for most tests.
pub trait Cluster {
    /// Answers one call: `get_resource`, `list_resources_by_namespace`, `list_resources_all` or `can_i`.
    ///
    /// # Errors
    /// The text that the module gets to see when the lookup fails.
    fn answer(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String>;
}

impl<F: Fn(&str, &Value) -> Result<Value, String>> Cluster for F {
    fn answer(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let question = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        self(operation, &question).map(|answer| answer.to_string().into_bytes())
    }
}

/// No cluster at all: every lookup fails, as it does where policy-server can't reach the API server.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCluster;

impl Cluster for NoCluster {
    fn answer(&self, operation: &str, _payload: &[u8]) -> Result<Vec<u8>, String> {
        Err(format!("kubernetes/{operation}: there is no cluster to ask"))
    }
}
