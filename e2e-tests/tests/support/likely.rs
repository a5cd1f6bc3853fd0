//! Pods and settings drawn from a number: such as API servers store, with what the rules are about in all of its variants.

use serde_json::{Map, Value, json};

use crate::random::Random;

const DEFAULT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Who makes requests; an empty text is nobody, as in audit scans.
const USERS: [&str; 9] = [
    "system:serviceaccount:kube-system:replicaset-controller",
    "system:serviceaccount:kube-system:replicaset-controller",
    "system:serviceaccount:kube-system:statefulset-controller",
    "system:kube-controller-manager",
    "system:serviceaccount:airflow:airflow-scheduler",
    "system:serviceaccount:airflow:airflow-worker",
    "system:serviceaccount:other:somebody",
    "jane",
    "",
];

/// A pod, who makes it where, and whether it is stored and only its ephemeral containers are new.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub pod: Value,
    pub stored: bool,
    pub user: Option<String>,
    pub namespace: &'static str,
}

/// A pod with its circumstances.
pub fn pod(random: &mut Random) -> Drawn {
    let user = random.pick(&USERS);
    let stored = random.chance(12);
    let namespace = random.pick(&["airflow", "airflow", "airflow", "jobs", "dev-1"]);
    // Every other pod has few oddities: with many, almost all are denied.
    let oddities = if random.chance(50) { 100 } else { 15 };
    let volumes = volumes(random, oddities);
    let names: Vec<String> = volumes.iter().filter_map(|volume| volume["name"].as_str().map(str::to_owned)).collect();
    let mut pool = vec![
        "base",
        "scheduler",
        "scheduler-log-groomer",
        "istio-proxy",
        "airflow-xcom-sidecar",
        "vault-agent-init",
        "debug",
        "helper",
    ];
    let mut containers = |random: &mut Random, count: usize, ephemeral: bool| -> Vec<Value> {
        let count = count.min(pool.len());
        let taken: Vec<&str> = (0..count).map(|_| pool.remove(random.below(pool.len().min(4)))).collect();
        taken.into_iter().map(|name| container(random, name, &names, ephemeral, oddities)).collect()
    };
    let mut spec = Map::new();
    let count = 1 + random.below(3);
    spec.insert("containers".to_owned(), containers(random, count, false).into());
    if random.chance(40) {
        let count = 1 + random.below(2);
        spec.insert("initContainers".to_owned(), containers(random, count, false).into());
    }
    if stored {
        let count = 1 + random.below(2);
        spec.insert("ephemeralContainers".to_owned(), containers(random, count, true).into());
    }
    spec.insert("volumes".to_owned(), volumes.into());
    for (key, value, percent) in [
        ("automountServiceAccountToken", json!(false), 20),
        ("automountServiceAccountToken", json!(true), 15),
        ("shareProcessNamespace", json!(true), 10),
        ("hostNetwork", json!(true), 4),
        ("hostPID", json!(true), 4),
        ("serviceAccountName", json!("airflow-scheduler"), 30),
        ("serviceAccountName", json!("airflow-worker"), 30),
        ("serviceAccount", json!("other"), 10),
    ] {
        if random.chance(percent) {
            spec.insert(key.to_owned(), value);
        }
    }
    let metadata = metadata(random);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    Drawn { pod, stored, user: Some(user.to_owned()).filter(|user| !user.is_empty()), namespace }
}

/// A ServiceAccount.
pub fn account(random: &mut Random) -> Value {
    let name = random.pick(&["airflow-scheduler", "airflow-worker", "default", "shop"]);
    let labels =
        random.pick(&[json!({"tier": "airflow"}), json!({"tier": "airflow", "component": "worker"}), json!({})]);
    let mut account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "labels": labels}});
    if random.chance(60) {
        account["automountServiceAccountToken"] = random.chance(50).into();
    }
    account
}

fn metadata(random: &mut Random) -> Value {
    let mut labels = Map::new();
    for (key, value, percent) in [
        ("tier", "airflow", 60),
        ("component", "scheduler", 55),
        ("component", "worker", 15),
        ("kubernetes_executor", "True", 20),
        ("kubernetes_pod_operator", "", 10),
        ("dag_id", "etl", 30),
        ("team", "a", 20),
    ] {
        if random.chance(percent) {
            labels.insert(key.to_owned(), value.into());
        }
    }
    let mut annotations = Map::new();
    let lists = [
        "team-a",
        "team-b",
        "lake",
        "db",
        "team-a, db",
        "lake,db",
        "lake , team-a",
        "keys",
        "azure",
        "vault",
        "lake, vault, azure",
        "keys,lake",
        "azure,db",
        "unknown",
        "",
        "db,db",
        "a,,b",
    ];
    for (key, values, percent) in [
        ("airflow-pod-identity/credentials", &lists[..], 35),
        (
            "iam.cloud.google.com/service-account",
            &["team-a", "team-b", "own-key", "lake", "", "No Name", "kubeconfig-a"],
            15,
        ),
        (
            "airflow-pod-identity/containers",
            &["*", "base", "base, helper", "istio-proxy", "scheduler", "", "absent"],
            15,
        ),
        ("kubernetes.io/config.mirror", &["x"], 3),
        ("example.com/token", &[KUBERNETES_JWT, OTHER_JWT], 3),
    ] {
        if random.chance(percent) {
            annotations.insert(key.to_owned(), random.pick(values).into());
        }
    }
    let (key, name) = random.pick(&[("generateName", "etl-"), ("name", "etl-1"), ("name", "other")]);
    json!({key: name, "labels": labels, "annotations": annotations})
}

/// `{"alg":"none"}` and a payload whose subject is a ServiceAccount, another's.
const KUBERNETES_JWT: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50Iiwic3ViIjoic3lzdGVtOnNlcnZpY2VhY2NvdW50OmE6YiJ9.c2ln";
const OTHER_JWT: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2FpcmZsb3cuZXhhbXBsZS5jb20iLCJzdWIiOiJ0YXNrIn0.c2ln";

fn container(random: &mut Random, name: &str, volumes: &[String], ephemeral: bool, oddities: usize) -> Value {
    let paths = [
        "/token",
        "/run/secrets/kubernetes.io/serviceaccount",
        "/var/run/secrets",
        "/var/run/secrets/gcp/team-a",
        "/var/run/secrets/gcp//team-a/below",
        "/var/run/secrets/eks.amazonaws.com/serviceaccount",
        "/logs",
        "/custom/token",
    ];
    let mut mounts: Vec<Value> = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for volume in volumes {
        let injected = volume.starts_with("kube-api-access-");
        let path = if injected && random.chance(100 - oddities / 10) { DEFAULT_PATH } else { random.pick(&paths) };
        let wanted = if injected { 70 } else { 35 };
        if random.chance(wanted) && !taken.contains(&path) {
            taken.push(path);
            let mut mount = json!({"name": volume, "mountPath": path});
            if random.chance(70) {
                mount["readOnly"] = true.into();
            }
            if random.chance(4) && !ephemeral {
                mount["subPath"] = "token".into();
            }
            mounts.push(mount);
        }
    }
    let absent = ["kube-api-access", "gcp-team-a", "aws-iam-token"];
    if random.chance(5) && !taken.contains(&"/absent") {
        mounts.push(json!({"name": random.pick(&absent), "mountPath": "/absent"}));
    }
    let mut container = json!({"name": name, "image": "i", "env": env(random, oddities), "volumeMounts": mounts});
    if random.chance(8) {
        container["envFrom"] =
            json!([{"configMapRef": {"name": "c"}}, {"secretRef": {"name": random.pick(&SECRETS)}, "prefix": "P_"}]);
    }
    if random.chance(4) {
        container["securityContext"] = json!({"privileged": true});
    }
    if ephemeral && random.chance(50) {
        container["targetContainerName"] = random.pick(&["scheduler", "base", "helper"]).into();
    }
    container
}

const SECRETS: [&str; 7] = ["kubeconfig-a", "team-a", "team-b-gcp", "db", "own-key", "jwt-1", "harmless"];

fn env(random: &mut Random, oddities: usize) -> Vec<Value> {
    let from = |name: &str, key: &str| json!({"secretKeyRef": {"name": name, "key": key}});
    let secret = random.pick(&SECRETS);
    let pool = [
        json!({"name": "A", "value": "1"}),
        json!({"name": "K", "valueFrom": from(secret, "k")}),
        json!({"name": "T", "value": format!("Bearer {KUBERNETES_JWT}")}),
        json!({"name": "T", "value": OTHER_JWT}),
        json!({"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/mine"}),
        json!({"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/var/run/secrets/gcp/team-a/key.json"}),
        json!({"name": "AWS_REGION", "value": "eu-west-1"}),
        json!({"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::111122223333:role/lake"}),
        json!({"name": "AWS_ACCESS_KEY_ID", "value": "x"}),
        json!({"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/mine"}),
        json!({"name": "AZURE_CLIENT_SECRET", "valueFrom": from("jwt-1", "client-secret")}),
        json!({"name": "AIRFLOW_CONN_DB", "valueFrom": from("db", "connection")}),
        json!({"name": "AIRFLOW_CONN_DB", "valueFrom": from("other", "connection")}),
        json!({"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
    ];
    let mut env = Vec::new();
    while random.chance(30 * oddities / 100) {
        env.push(random.pick(&pool));
    }
    env
}

fn volumes(random: &mut Random, oddities: usize) -> Vec<Value> {
    let projected = |sources: Value| json!({"projected": {"defaultMode": 420, "sources": sources}});
    let ca = || json!({"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}});
    let field = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
    let namespace = || json!({"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}});
    let token = |audience: &str, seconds: i64| {
        let mut token = json!({"path": "token"});
        if !audience.is_empty() {
            token["audience"] = audience.into();
        }
        if seconds > 0 {
            token["expirationSeconds"] = seconds.into();
        }
        json!({"serviceAccountToken": token})
    };
    let audiences =
        ["", "", "sts.amazonaws.com", "vault", "https://kubernetes.default.svc", "sts.googleapis.com", "mine"];
    let (audience, seconds) = (random.pick(&audiences), random.pick(&[0, 600, 3600, 7200, 86_400]));
    let (secret, path) =
        (random.pick(&SECRETS), random.pick(&["/", "/var/lib/kubelet/pods", "/data", "/var/run/docker.sock"]));
    let long = match random.chance(80) {
        true => json!([token("", 86_400), ca(), namespace()]),
        false => json!([ca(), token("", 86_400), namespace()]),
    };
    let pool = [
        ("own", projected(json!([token(audience, seconds)]))),
        ("own", projected(json!([token(audience, seconds), ca(), namespace()]))),
        ("kube-api-access", projected(json!([token("", 3600), ca(), namespace()]))),
        ("kube-api-access-fake", projected(json!([token("", 3607), ca()]))),
        ("kube-api-access-long", projected(long)),
        ("certificate", projected(json!([{"podCertificate": {"signerName": "s", "keyType": "ED25519"}}]))),
        ("key", json!({"secret": {"secretName": secret}})),
        ("key", projected(json!([{"secret": {"name": secret}}, ca()]))),
        ("driver", json!({"csi": {"driver": "d", "nodePublishSecretRef": {"name": secret}}})),
        ("share", json!({"azureFile": {"secretName": secret, "shareName": "s"}})),
        ("gcp-team-a", json!({"secret": {"secretName": "team-a", "items": [{"key": "key.json", "path": "key.json"}]}})),
        ("gcp-team-a", json!({"emptyDir": {}})),
        ("text", json!({"configMap": {"name": "text"}})),
        ("logs", json!({"emptyDir": {}})),
        ("node", json!({"hostPath": {"path": path}})),
        ("aws-iam-token", projected(json!([token("sts.amazonaws.com", 86_400)]))),
    ];
    let mut drawn: Vec<(&str, Value)> = Vec::new();
    if random.chance(65) {
        drawn.push(("kube-api-access-x7k2p", projected(json!([token("", 3607), ca(), namespace()]))));
    }
    while random.chance(60 * oddities / 100) {
        let volume = random.pick(&pool);
        if !drawn.iter().any(|(name, _)| *name == volume.0) {
            drawn.push(volume);
        }
    }
    let named = drawn.into_iter().map(|(name, mut volume)| {
        volume["name"] = name.into();
        volume
    });
    named.collect()
}
