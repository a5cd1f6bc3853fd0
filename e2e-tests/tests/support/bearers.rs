//! Random pods full of volumes and variables that bear tokens, as somebody writes them.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// Where the API server mounts its token.
pub const DEFAULT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// A ServiceAccount's token, written out.
pub const JWT: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YWlyZmxvdzphaXJmbG93LXNjaGVkdWxlciJ9.ZmFrZQ";
/// What Airflow hands to its tasks: a token of another issuer.
const AIRFLOWS: &str =
    "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiIwMTk4IiwiaXNzIjoiYWlyZmxvdyIsImF1ZCI6InVybjphaXJmbG93In0.c2lnbmF0dXJl";

const PATHS: [&str; 14] = [
    DEFAULT_PATH,
    DEFAULT_PATH,
    DEFAULT_PATH,
    "/var/run/secrets/kubernetes.io/serviceaccount/",
    "/var/run/secrets/x/../kubernetes.io/serviceaccount",
    "/run/secrets/kubernetes.io/serviceaccount",
    "/var/run/secrets/kubernetes.io",
    "/var/run",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
    "//var//run/secrets/kubernetes.io/serviceaccount",
    "/opt/airflow/logs",
    "/tmp/x",
    "/etc/groomer.conf",
    "/a",
];
const NORMAL: [&str; 9] = [
    "scheduler",
    "scheduler",
    "scheduler-log-groomer",
    "base",
    "triggerer",
    "triggerer-log-groomer",
    "vault-agent-init",
    "Scheduler",
    "airflow-xcom-sidecar",
];
const INIT: [&str; 5] = ["wait-for-airflow-migrations", "vault-agent-init", "scheduler", "git-sync-init", "triggerer"];
const VOLUMES: [&str; 9] = [
    "logs",
    "token",
    "config",
    "kube-api-access",
    "kube-api-access-zzzzz",
    "kube-api-access-aaaaa",
    "vault",
    "node",
    "scheduler-token",
];
const SECRETS: [&str; 6] =
    ["kubeconfig-a", "airflow-token-x7k2p", "settings", "kubeconfi", "team-a-gcp", "my-kubeconfig-a"];
const AUDIENCES: [&str; 9] = [
    "vault",
    "sts.amazonaws.com",
    "https://issuer.example",
    "https://kubernetes.default.svc",
    "unknown",
    "//iam.googleapis.com/projects/1",
    "istio-ca",
    "vault2",
    "",
];
const NODE_PATHS: [&str; 12] = [
    "/",
    "/var",
    "/var/lib/kubelet/pods",
    "/var/lib/kubelet/",
    "/var/run/containerd/containerd.sock",
    "/etc/kubernetes/pki",
    "/proc/1",
    "/opt/data",
    "/var/log/airflow",
    "/var/lib/kubelet-data",
    "/run/containerd2",
    "/mnt",
];
/// Who makes pods; `None` is an audit scan.
const CREATORS: [Option<&str>; 9] = [
    Some("system:serviceaccount:kube-system:replicaset-controller"),
    Some("system:serviceaccount:kube-system:statefulset-controller"),
    Some("system:serviceaccount:kube-system:job-controller"),
    Some("system:kube-controller-manager"),
    Some("system:serviceaccount:airflow:airflow-scheduler"),
    Some("system:serviceaccount:airflow:airflow-worker"),
    Some("system:serviceaccount:ops:deployer"),
    Some("jane"),
    None,
];

/// A pod as somebody writes it, who makes it, and whether its ServiceAccount automounts.
pub struct Written {
    /// The pod.
    pub pod: Value,
    /// Who makes it.
    pub creator: Option<&'static str>,
    /// What the ServiceAccount says of automounting.
    pub account_automounts: bool,
}

/// A random one.
pub fn written(random: &mut Random) -> Written {
    let calm = random.chance(35);
    let volumes = volumes(random, calm);
    let names: Vec<String> = volumes.iter().filter_map(|volume| volume["name"].as_str().map(str::to_owned)).collect();
    let mut taken = Vec::new();
    let count = 1 + random.below(3);
    let containers = containers(random, count, &NORMAL, &names, calm, &mut taken);
    let count = random.below(3);
    let mut inits = containers_of_init(random, count, &names, calm, &mut taken);
    for init in &mut inits {
        if random.chance(25) {
            init["restartPolicy"] = "Always".into();
        }
    }
    let mut spec = json!({"containers": containers, "volumes": volumes});
    if !inits.is_empty() || random.chance(20) {
        spec["initContainers"] = inits.into();
    }
    if random.chance(75) {
        spec["serviceAccountName"] = random.pick(&["airflow-scheduler", "airflow-triggerer", "app", "default"]).into();
    }
    match random.below(10) {
        0..=3 => spec["automountServiceAccountToken"] = false.into(),
        4 => spec["automountServiceAccountToken"] = true.into(),
        5 => spec["automountServiceAccountToken"] = Value::Null,
        _ => {}
    }
    for (field, percent) in [("shareProcessNamespace", 6), ("hostPID", 2), ("hostNetwork", 2)] {
        if !calm && random.chance(percent) {
            spec[field] = true.into();
        }
    }
    let mut metadata = json!({"name": "etl", "namespace": "airflow", "labels": labels(random)});
    if random.chance(10) {
        let value = if calm { AIRFLOWS } else { random.pick(&[JWT, AIRFLOWS, "plain"]) };
        metadata["annotations"] = json!({"x/cred": value});
    }
    let mut creator = random.pick(&CREATORS);
    // Chance alone makes too few pods of components.
    if random.chance(30) {
        let component = random.pick(&["scheduler", "triggerer"]);
        metadata["labels"] = json!({"tier": "airflow", "component": component});
        spec["serviceAccountName"] = format!("airflow-{component}").into();
        creator = random.pick(&CREATORS[..4]);
    }
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    Written { pod, creator, account_automounts: random.chance(75) }
}

/// A random ephemeral container for a pod that is there: no `subPath`, and existing volumes alone.
pub fn ephemeral(random: &mut Random, pod: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names = |value: &Value| -> Vec<String> {
        list(value).iter().filter_map(|entry| entry["name"].as_str().map(str::to_owned)).collect()
    };
    let volumes = names(&pod["spec"]["volumes"]);
    let mut container = container(random, "debugger", &volumes, random_calm(pod));
    for mount in container["volumeMounts"].as_array_mut().into_iter().flatten() {
        let mount = mount.as_object_mut().expect("a mount");
        mount.remove("subPath");
        mount.remove("subPathExpr");
    }
    let mut targets = names(&pod["spec"]["containers"]);
    targets.extend(names(&pod["spec"]["initContainers"]));
    if random.chance(50) {
        container["targetContainerName"] = random.pick(&targets).into();
    }
    container
}

/// Half of the debuggers bring nothing along; which, hangs on the pod.
fn random_calm(pod: &Value) -> bool {
    pod.to_string().len().is_multiple_of(2)
}

fn labels(random: &mut Random) -> Value {
    let mut labels = Map::new();
    let mut add = |random: &mut Random, key: &str, values: &[&str], percent| {
        if random.chance(percent) {
            labels.insert(key.to_owned(), random.pick(values).into());
        }
    };
    add(random, "tier", &["airflow", "airflow", "airflow", "web"], 75);
    add(random, "component", &["scheduler", "scheduler", "triggerer", "worker", "Scheduler"], 75);
    add(random, "kubernetes_executor", &["True", ""], 8);
    add(random, "kubernetes_pod_operator", &["True", "False"], 8);
    add(random, "dag_id", &["etl"], 10);
    labels.into()
}

fn containers_of_init(
    random: &mut Random,
    count: usize,
    volumes: &[String],
    calm: bool,
    taken: &mut Vec<&'static str>,
) -> Vec<Value> {
    containers(random, count, &INIT, volumes, calm, taken)
}

fn containers(
    random: &mut Random,
    count: usize,
    names: &[&'static str],
    volumes: &[String],
    calm: bool,
    taken: &mut Vec<&'static str>,
) -> Vec<Value> {
    let mut found = Vec::new();
    while found.len() < count {
        let name = random.pick(names);
        if taken.contains(&name) {
            // Some names are all taken at last.
            if random.chance(20) && !found.is_empty() {
                break;
            }
            if taken.len() > 7 {
                break;
            }
            continue;
        }
        taken.push(name);
        found.push(container(random, name, volumes, calm));
    }
    found
}

fn container(random: &mut Random, name: &str, volumes: &[String], calm: bool) -> Value {
    let mut mounts: Vec<Value> = Vec::new();
    for _ in 0..random.below(3) {
        let path = random.pick(&PATHS);
        // The API server refuses the same text twice.
        if volumes.is_empty() || mounts.iter().any(|mount| mount["mountPath"] == path) {
            continue;
        }
        let mut mount = json!({"name": random.pick(volumes), "mountPath": path});
        match random.below(8) {
            0 => mount["subPath"] = random.pick(&["token", "", "a/b"]).into(),
            1 => mount["subPathExpr"] = "$(POD_NAME)".into(),
            2 | 3 => mount["readOnly"] = true.into(),
            _ => {}
        }
        mounts.push(mount);
    }
    let mut container = json!({"name": name, "image": "busybox", "volumeMounts": mounts});
    if mounts_are_absent(random, &container) {
        container.as_object_mut().map(|container| container.remove("volumeMounts"));
    }
    let mut env = Vec::new();
    for index in 0..random.below(3) {
        let name = format!("V{index}");
        env.push(match random.below(if calm { 3 } else { 6 }) {
            0 => json!({"name": name, "value": "plain"}),
            1 => json!({"name": name, "value": AIRFLOWS}),
            2 => json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": "kubeconfig-a", "key": "token"}}}),
            3 if random.chance(20) => json!({"name": name, "value": format!("Bearer {JWT}")}),
            _ => json!({"name": name, "valueFrom": {"secretKeyRef": {"name": random.pick(&SECRETS), "key": "token"}}}),
        });
    }
    if !env.is_empty() && random.chance(40) {
        container["env"] = env.into();
    }
    if !calm && random.chance(10) {
        container["envFrom"] = json!([{"configMapRef": {"name": "c"}}, {"secretRef": {"name": random.pick(&SECRETS)}}]);
    }
    if !calm && random.chance(2) {
        container["securityContext"] = json!({"privileged": true});
    }
    container
}

fn mounts_are_absent(random: &mut Random, container: &Value) -> bool {
    container["volumeMounts"] == json!([]) && random.chance(50)
}

fn volumes(random: &mut Random, calm: bool) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for _ in 0..random.below(5) {
        let name = random.pick(&VOLUMES);
        if found.iter().any(|volume| volume["name"] == name) {
            continue;
        }
        let mut volume = source(random, calm);
        volume["name"] = name.into();
        found.push(volume);
    }
    found
}

fn source(random: &mut Random, calm: bool) -> Value {
    match random.below(if calm { 4 } else { 11 }) {
        0 => json!({"emptyDir": {}}),
        1 => json!({"configMap": {"name": "kubeconfig-a"}}),
        2 => json!({"projected": {"sources": [ca(), namespace()]}}),
        3 => json!({"projected": {"sources": [{"serviceAccountToken": {"path": "token", "audience": random.pick(&[
            "vault", "sts.amazonaws.com", "//iam.googleapis.com/projects/1"])}}, ca()]}}),
        4 | 5 => {
            let sources: Vec<Value> = (0..=random.below(3)).map(|_| projected(random)).collect();
            json!({"projected": {"sources": sources}})
        }
        // What the API server would inject, declared by somebody.
        6 => json!({"projected": {"defaultMode": 420, "sources": [token(None), ca(), namespace()]}}),
        7 => json!({"secret": {"secretName": random.pick(&SECRETS)}}),
        8 => {
            let secret = random.pick(&SECRETS);
            random.pick(&[
                json!({"csi": {"driver": "d", "nodePublishSecretRef": {"name": secret}}}),
                json!({"flexVolume": {"driver": "d", "secretRef": {"name": secret}}}),
                json!({"csi": {"driver": "d"}}),
            ])
        }
        9 if random.chance(50) => json!({"hostPath": {"path": random.pick(&NODE_PATHS)}}),
        _ => json!({"persistentVolumeClaim": {"claimName": "c"}}),
    }
}

fn projected(random: &mut Random) -> Value {
    match random.below(8) {
        0 => ca(),
        1 => namespace(),
        2 => json!({"secret": {"name": random.pick(&SECRETS)}}),
        3 if random.chance(50) => json!({"podCertificate": {"signerName": "kubernetes.io/kube-apiserver-client-pod"}}),
        4 => json!({"clusterTrustBundle": {"name": "c", "path": "ca"}}),
        5 => token(None),
        _ => token(Some(random.pick(&AUDIENCES))),
    }
}

/// A source of a token.
pub fn token(audience: Option<&str>) -> Value {
    let mut token = json!({"path": "token", "expirationSeconds": 3607});
    if let Some(audience) = audience {
        token["audience"] = audience.into();
    }
    json!({"serviceAccountToken": token})
}

/// The cluster's certificate.
pub fn ca() -> Value {
    json!({"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}})
}

/// The pod's namespace.
pub fn namespace() -> Value {
    json!({"downwardAPI": {"items": [{"path": "namespace",
        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}})
}
