//! Who holds a Kubernetes API token, told from the object alone and without the policy's code.

use serde_json::Value;

/// The audiences of other services that the contract lists as defaults.
pub const OTHER_SERVICES: [&str; 7] = [
    "sts.amazonaws.com",
    "pods.eks.amazonaws.com",
    "api://AzureADTokenExchange",
    "istio-ca",
    "sts.googleapis.com",
    "//iam.googleapis.com/*",
    "https://iam.googleapis.com/*",
];

/// The lists of a PodSpec that hold containers.
pub const SECTIONS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A container that mounts a projected token which may open the API server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The list that the container stands in.
    pub section: &'static str,
    /// The container's name.
    pub container: String,
    /// The volume.
    pub volume: String,
}

/// All containers that mount a token whose audience is absent, empty or not one of `others` (a `*` stands for anything).
#[must_use]
pub fn api_tokens(pod: &Value, others: &[&str]) -> Vec<Held> {
    let mut found = Vec::new();
    let bearers: Vec<&str> =
        list(&pod["spec"]["volumes"]).iter().filter(|volume| bears(volume, others)).map(name).collect();
    for section in SECTIONS {
        for container in list(&pod["spec"][section]) {
            for mount in list(&container["volumeMounts"]).iter().filter(|mount| bearers.contains(&name(mount))) {
                let (container, volume) = (name(container).to_owned(), name(mount).to_owned());
                found.push(Held { section, container, volume });
            }
        }
    }
    found
}

/// Whether the volume is the API server's own work: its prefix, and exactly its three sources.
#[must_use]
pub fn is_injected(volume: &Value) -> bool {
    let [token, ca, namespace] = list(&volume["projected"]["sources"]) else { return false };
    let audience = token["serviceAccountToken"]["audience"].as_str().unwrap_or_default();
    name(volume).starts_with("kube-api-access-")
        && token["serviceAccountToken"]["path"] == "token"
        && audience.is_empty()
        && ca["configMap"]["name"] == "kube-root-ca.crt"
        && namespace["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"] == "metadata.namespace"
}

fn bears(volume: &Value, others: &[&str]) -> bool {
    list(&volume["projected"]["sources"]).iter().any(|source| {
        let token = &source["serviceAccountToken"];
        token.is_object() && !is_other(token["audience"].as_str().unwrap_or_default(), others)
    })
}

fn is_other(audience: &str, others: &[&str]) -> bool {
    others.iter().any(|other| matches(audience, other))
}

/// Whether a pattern means the text: a `*` stands for anything, nothing included.
fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            let ends = (0..=tail.len()).filter_map(|at| tail.get(at..));
            ends.into_iter().any(|end| matches(end, rest))
        }),
    }
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
