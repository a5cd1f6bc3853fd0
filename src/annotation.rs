//! The annotations that the policy reads and writes.

/// One name: a Google credential of the catalogue, or a Secret. Airflow 1.10 wrote it and Google's initializer read it.
pub const GOOGLE: &str = "iam.cloud.google.com/service-account";
/// Credential names, separated by commas.
pub const CREDENTIALS: &str = "airflow-pod-identity/credentials";
/// Names of the containers to inject into, separated by commas, or `*`.
pub const CONTAINERS: &str = "airflow-pod-identity/containers";
/// What task authors write.
pub const WRITTEN_BY_AUTHORS: [&str; 3] = [GOOGLE, CREDENTIALS, CONTAINERS];
/// What begins so belongs to the policy.
pub const OWN: &str = "airflow-pod-identity/gcp-";
/// The kubelet's mark of a static pod.
pub const MIRROR: &str = "kubernetes.io/config.mirror";

/// What the keys of all annotations begin with that are the policy's own.
pub const FAMILY: &str = "airflow-pod-identity/";

/// Whether the policy has to see the value of this annotation.
#[must_use]
pub fn is_read(key: &str) -> bool {
    key == GOOGLE || key == MIRROR || key.starts_with(FAMILY)
}

/// Whether the key looks like one of the policy's and is none.
#[must_use]
pub fn is_unknown(key: &str) -> bool {
    key.starts_with(FAMILY) && !key.starts_with(OWN) && !WRITTEN_BY_AUTHORS.contains(&key)
}
