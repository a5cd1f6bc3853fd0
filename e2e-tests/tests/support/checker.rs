//! Who gets at a Kubernetes API credential, told from the final object alone: written from the contract, with none of the
//! policy's code, and without its notion of a finding.

use serde_json::Value;

use crate::bearers::{DEFAULT_PATH, JWT, ca, namespace, token};

/// What the API server takes tokens for, as far as the settings of the test say so.
const API: [&str; 1] = ["https://issuer.example"];
/// What it does not: the contract's defaults, and what the settings add.
const OTHER: [&str; 6] = [
    "vault",
    "sts.amazonaws.com",
    "pods.eks.amazonaws.com",
    "api://AzureADTokenExchange",
    "istio-ca",
    "sts.googleapis.com",
];
const OTHER_PREFIXES: [&str; 2] = ["//iam.googleapis.com/", "https://iam.googleapis.com/"];
const CONTROLLERS: [&str; 6] = [
    "replicaset-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "job-controller",
    "cronjob-controller",
    "replication-controller",
];
/// What opens the node. `/var/run` is `/run`.
const NODE: [&str; 5] = ["/var/lib/kubelet", "/run/containerd", "/etc/kubernetes", "/proc", "/run/docker.sock"];

/// A way to a credential that nobody allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// List and name of the container; the whole pod where there is none.
    pub container: Option<(&'static str, String)>,
    /// How it gets there.
    pub how: String,
    /// The API server put it there, and not whoever wrote the pod.
    pub injected: bool,
}

/// The pod's containers of all lists.
fn containers(pod: &Value) -> Vec<(&'static str, &Value)> {
    let sections = ["initContainers", "containers", "ephemeralContainers"];
    sections
        .into_iter()
        .flat_map(|section| list(&pod["spec"][section]).iter().map(move |entry| (section, entry)))
        .collect()
}

/// The containers that may hold a token: those of the scheduler, and those of the triggerer, which a deployer may make too.
pub fn holders(pod: &Value, creator: Option<&str>) -> Vec<(&'static str, String)> {
    let labels = &pod["metadata"]["labels"];
    let is_task = labels.get("kubernetes_executor").is_some() || labels.get("kubernetes_pod_operator").is_some();
    let by_launcher = creator.is_some_and(|name| name.starts_with("system:serviceaccount:airflow:airflow-"));
    if is_task || by_launcher || labels["tier"] != "airflow" {
        return Vec::new();
    }
    let by_controller = creator.is_none_or(|name| {
        let account = name.strip_prefix("system:serviceaccount:kube-system:");
        account.is_some_and(|account| CONTROLLERS.contains(&account)) || name == "system:kube-controller-manager"
    });
    let named: &[(&str, &str)] = match labels["component"].as_str() {
        Some("scheduler") if by_controller => &[("containers", "scheduler")],
        Some("triggerer")
            if (by_controller || creator == Some("system:serviceaccount:ops:deployer"))
                && pod["spec"]["serviceAccountName"] == "airflow-triggerer" =>
        {
            &[("containers", "triggerer"), ("initContainers", "vault-agent-init")]
        }
        _ => &[],
    };
    let there = containers(pod).into_iter().map(|(section, container)| (section, name(container).to_owned()));
    there.filter(|(section, name)| named.contains(&(*section, name.as_str()))).collect()
}

/// Every way to a credential that is nobody's who may hold one.
pub fn leaks(pod: &Value, creator: Option<&str>) -> Vec<Leak> {
    let holders = holders(pod, creator);
    let mut leaks = Vec::new();
    let spec = &pod["spec"];
    let whole = |how: &str| Leak { container: None, how: how.to_owned(), injected: false };
    for field in ["hostPID", "hostNetwork"] {
        leaks.extend((spec[field] == true).then(|| whole(field)));
    }
    let node = list(&spec["volumes"]).iter().filter_map(|volume| volume["hostPath"]["path"].as_str());
    leaks.extend(node.filter(|path| opens_node(path)).map(whole));
    for value in pod["metadata"]["annotations"].as_object().into_iter().flatten().map(|(_, value)| value) {
        leaks.extend(value.as_str().filter(|text| text.contains(JWT)).map(|_| whole("a token in an annotation")));
    }
    let shared = spec["shareProcessNamespace"] == true;
    for (section, container) in containers(pod) {
        let who = (section, name(container).to_owned());
        let mut add = |how: &str, injected| {
            leaks.push(Leak { container: Some(who.clone()), how: how.to_owned(), injected });
        };
        // These are wrong whoever does them.
        if container["securityContext"]["privileged"] == true {
            add("privileged", false);
        }
        for variable in list(&container["env"]) {
            if variable["value"].as_str().is_some_and(|value| value.contains(JWT)) {
                add("a token in env", false);
            }
        }
        if holders.contains(&who) {
            continue;
        }
        for mount in list(&container["volumeMounts"]) {
            let volume = list(&spec["volumes"]).iter().find(|volume| volume["name"] == mount["name"]);
            if let Some(volume) = volume.filter(|volume| bears(volume)) {
                add(&format!("{mount}"), is_the_api_servers(volume, mount) && section != "ephemeralContainers");
            }
        }
        for variable in list(&container["env"]) {
            if is_known(&variable["valueFrom"]["secretKeyRef"]["name"]) {
                add(&format!("{variable}"), false);
            }
        }
        for source in list(&container["envFrom"]) {
            if is_known(&source["secretRef"]["name"]) {
                add(&format!("{source}"), false);
            }
        }
        let target = container["targetContainerName"].as_str();
        if holders.iter().any(|(_, holder)| shared || target == Some(holder)) {
            add("a holder's processes", false);
        }
    }
    leaks
}

/// What the API server does to a pod before and after it asks webhooks: it mounts its token where automounting is on.
pub fn admit(pod: &mut Value, account_automounts: bool) {
    let spec = &mut pod["spec"];
    if !spec["automountServiceAccountToken"].as_bool().unwrap_or(account_automounts) {
        return;
    }
    let existing = list(&spec["volumes"]).iter().map(name).find(|name| name.starts_with("kube-api-access-"));
    let volume = existing.map_or_else(|| "kube-api-access-x7k2p".to_owned(), str::to_owned);
    let is_new = existing.is_none();
    let mut is_used = false;
    for section in ["initContainers", "containers"] {
        for container in spec[section].as_array_mut().into_iter().flatten() {
            // Compared as text: another spelling of the path does not count.
            if list(&container["volumeMounts"]).iter().any(|mount| mount["mountPath"] == DEFAULT_PATH) {
                continue;
            }
            let mount = serde_json::json!({"name": volume, "readOnly": true, "mountPath": DEFAULT_PATH});
            push(&mut container["volumeMounts"], mount);
            is_used = true;
        }
    }
    if is_new && is_used {
        let sources = serde_json::json!([token(None), ca(), namespace()]);
        let projected = serde_json::json!({"defaultMode": 420, "sources": sources});
        push(&mut spec["volumes"], serde_json::json!({"name": volume, "projected": projected}));
    }
}

fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) => items.push(item),
        None => *list = serde_json::json!([item]),
    }
}

/// Whether a volume holds what opens the API server.
fn bears(volume: &Value) -> bool {
    let sources = list(&volume["projected"]["sources"]);
    let projected = sources.iter().any(|source| {
        let token = &source["serviceAccountToken"];
        token.is_object() && !is_other(token["audience"].as_str().unwrap_or_default())
            || source["podCertificate"].is_object()
            || is_known(&source["secret"]["name"])
    });
    projected
        || is_known(&volume["secret"]["secretName"])
        || is_known(&volume["csi"]["nodePublishSecretRef"]["name"])
        || is_known(&volume["flexVolume"]["secretRef"]["name"])
}

fn is_other(audience: &str) -> bool {
    let listed = OTHER.contains(&audience) || OTHER_PREFIXES.iter().any(|prefix| audience.starts_with(prefix));
    listed && !API.contains(&audience)
}

/// `kubeconfig-*` and `airflow-token-*`, as the settings have it.
fn is_known(secret: &Value) -> bool {
    secret.as_str().is_some_and(|name| name.starts_with("kubeconfig-") || name.starts_with("airflow-token-"))
}

/// The API server's own volume, mounted whole where it mounts it.
fn is_the_api_servers(volume: &Value, mount: &Value) -> bool {
    let made = volume["projected"]["sources"] == serde_json::json!([token(None), ca(), namespace()])
        || volume["projected"]["sources"] == serde_json::json!([token(Some("")), ca(), namespace()]);
    let whole = ["subPath", "subPathExpr"].iter().all(|key| mount[*key].as_str().is_none_or(str::is_empty));
    let path = steps(mount["mountPath"].as_str().unwrap_or_default());
    made && whole && name(volume).starts_with("kube-api-access-") && path == steps(DEFAULT_PATH)
}

fn opens_node(path: &str) -> bool {
    let mut path = steps(path);
    if path.starts_with(&["var", "run"]) {
        path.remove(0);
    }
    NODE.iter().map(|node| steps(node)).any(|node| node.starts_with(&path) || path.starts_with(&node))
}

/// The steps of a path.
fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            _ => steps.push(step),
        }
    }
    steps
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
