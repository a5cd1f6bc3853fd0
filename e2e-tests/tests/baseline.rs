//! What calls cost, held against e2e-tests/baseline.json: neither instructions nor size grow by more than 3 % unless the
//! baseline is changed in the same commit. Fuel is deterministic, so nothing here is timed. And what a call costs grows in a
//! straight line with what it is sent.
//!
//! `UPDATE_BASELINE=1` writes the baseline, and the figures into docs/performance.md.

#![cfg(feature = "engine")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use e2e_tests::fuel::Meter;
use e2e_tests::request::Request;
use e2e_tests::testing::{module, workspace};
use serde_json::{Map, Value, json};

const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";
const REPLICASETS: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// How much more than the baseline is let pass.
const MORE: f64 = 1.03;
/// How far above the line through its ends a growth curve may lie.
const ABOVE: f64 = 1.1;

fn meter() -> Meter {
    let bytes = std::fs::read(module()).expect("the module");
    Meter::new(&bytes).expect("a module")
}

fn payload(request: &Value, settings: &Value) -> Vec<u8> {
    json!({"request": request, "settings": settings}).to_string().into_bytes()
}

fn create(object: Value, user: &str) -> Value {
    Request::create(object).user(user).build()
}

/// A pod as the API server sends it, with everything that defaulting fills in.
fn pod(labels: &Value, containers: &[&str]) -> Value {
    let token = json!({"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true});
    let container = |name: &&str| {
        json!({"name": name, "image": "apache/airflow:3.3.2", "args": ["airflow", "tasks", "run"], "imagePullPolicy": "IfNotPresent",
            "env": [{"name": "AIRFLOW__CORE__EXECUTOR", "value": "LocalExecutor"}, {"name": "AIRFLOW__CORE__FERNET_KEY",
                "valueFrom": {"secretKeyRef": {"name": "airflow-fernet-key", "key": "fernet-key"}}}],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
            "volumeMounts": [{"name": "logs", "mountPath": "/opt/airflow/logs"}, token],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
    };
    let sources = json!([{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]);
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl-1", "namespace": "airflow", "labels": labels, "annotations": {"dag_id": "etl"}},
        "spec": {"serviceAccountName": "airflow-worker", "containers": containers.iter().map(container).collect::<Vec<_>>(),
            "volumes": [{"name": "logs", "emptyDir": {}},
                {"name": "kube-api-access-x7k2p", "projected": {"defaultMode": 420, "sources": sources}}],
            "restartPolicy": "Never", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "priority": 0,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]}})
}

fn task(containers: &[&str]) -> Value {
    pod(&json!({"kubernetes_executor": "True", "dag_id": "etl", "task_id": "load", "tier": "airflow"}), containers)
}

/// A pod that is not Airflow's.
fn others() -> Value {
    let mut pod = pod(&json!({"app": "shop"}), &["web", "proxy"]);
    pod["spec"]["serviceAccountName"] = "shop".into();
    pod
}

fn settings() -> Value {
    json!({"tokenMounts": {"airflowPods": "Enforce"}, "credentials": {
        "team-a": {"type": "gcpServiceAccountKey", "secretName": "team-a-gcp", "allow": {"namespaces": ["airflow"]}}}})
}

/// The fixed set.
fn calls() -> Vec<(&'static str, Vec<u8>)> {
    let none = json!({});
    let mut injected = task(&["base"]);
    injected["metadata"]["annotations"]["airflow-pod-identity/credentials"] = "team-a".into();
    let mut isolated = task(&["base"]);
    isolated["spec"]["automountServiceAccountToken"] = false.into();
    isolated["spec"]["volumes"].as_array_mut().expect("volumes").pop();
    isolated["spec"]["containers"][0]["volumeMounts"].as_array_mut().expect("mounts").pop();
    let mut scheduler =
        pod(&json!({"tier": "airflow", "component": "scheduler"}), &["scheduler", "scheduler-log-groomer"]);
    scheduler["spec"]["containers"][1]["volumeMounts"].as_array_mut().expect("mounts").pop();
    let other = others();
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "airflow-scheduler", "namespace": "airflow"},
        "spec": {"selector": {"matchLabels": {"component": "scheduler"}}, "template": {"metadata": scheduler["metadata"], "spec": scheduler["spec"]}}});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": true,
        "metadata": {"name": "airflow-scheduler", "namespace": "airflow", "labels": {"tier": "airflow", "component": "scheduler"}}});
    let roles =
        json!({"serviceAccounts": {"repair": true}, "tokenMounts": {"serviceAccountTokenVolume": {"enabled": true}}});
    let names = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"];
    let mut declared = pod(&json!({"tier": "airflow", "component": "scheduler"}), &names);
    declared["spec"]["volumes"][1]["name"] = "own".into();
    for index in 0..names.len() {
        declared["spec"]["containers"][index]["volumeMounts"][1]["name"] = "own".into();
    }
    vec![
        ("task pod, a credential injected, its token taken", payload(&create(injected, SCHEDULER), &settings())),
        ("task pod, its token taken", payload(&create(task(&["base"]), SCHEDULER), &settings())),
        ("task pod, isolated already", payload(&create(isolated, SCHEDULER), &none)),
        ("scheduler pod that complies", payload(&create(scheduler, REPLICASETS), &none)),
        ("another application's pod", payload(&create(other, REPLICASETS), &none)),
        ("ServiceAccount, repaired", payload(&create(account, "helm"), &roles)),
        ("Deployment of the scheduler", payload(&create(deployment, "helm"), &none)),
        ("denied with ten findings", payload(&create(declared, REPLICASETS), &none)),
    ]
}

/// Payloads by what is counted in them.
type Points = Vec<(usize, Vec<u8>)>;

/// Growth: a name, and a payload at each count.
fn curves() -> Vec<(&'static str, Points)> {
    let counts =
        |list: &[usize], make: &dyn Fn(usize) -> Vec<u8>| list.iter().map(|count| (*count, make(*count))).collect();
    let containers = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("c{index:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        payload(&create(task(&names), SCHEDULER), &settings())
    };
    let bytes = |count: usize| {
        let mut pod = others();
        pod["spec"]["containers"][0]["args"] = vec!["x".repeat(99); count / 100].into();
        payload(&create(pod, REPLICASETS), &json!({}))
    };
    let volumes = |count: usize| {
        let mut pod = task(&["base"]);
        for index in 0..count {
            let volume = json!({"name": format!("v{index:03}"), "configMap": {"name": format!("c{index:03}"), "defaultMode": 420}});
            pod["spec"]["volumes"].as_array_mut().expect("volumes").push(volume);
            let mount = json!({"name": format!("v{index:03}"), "mountPath": format!("/v/{index:03}")});
            pod["spec"]["containers"][0]["volumeMounts"].as_array_mut().expect("mounts").push(mount);
        }
        payload(&create(pod, SCHEDULER), &settings())
    };
    let catalogue = |count: usize| {
        let entry = |index: usize| {
            let name = format!("team-{index:05}");
            let fields =
                json!({"type": "gcpServiceAccountKey", "secretName": name, "allow": {"namespaces": ["airflow"]}});
            (name, fields)
        };
        let entries: Map<String, Value> = (0..count).map(entry).collect();
        let mut pod = task(&["base"]);
        // It names no Secret.
        pod["spec"]["containers"][0]["env"].as_array_mut().expect("env").pop();
        payload(&create(pod, SCHEDULER), &json!({"credentials": entries}))
    };
    vec![
        ("containers of a task pod", counts(&[1, 2, 5, 10, 20, 50, 100, 150, 200], &containers)),
        ("bytes of another application's pod", counts(&[1_000, 10_000, 100_000, 300_000, 600_000, 1_000_000], &bytes)),
        ("volumes of a task pod, each mounted", counts(&[1, 2, 5, 10, 25, 50, 75, 100], &volumes)),
        ("entries of the catalogue", counts(&[1, 10, 100, 1_000, 3_000, 6_000, 10_000], &catalogue)),
    ]
}

fn measured(meter: &Meter) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for (name, payload) in calls() {
        let measured = meter.measure(&payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        found.insert(name.to_owned(), measured.fuel);
    }
    let size = std::fs::metadata(module()).expect("the module").len();
    found.insert("bytes of the module".to_owned(), size);
    found
}

fn path() -> PathBuf {
    workspace().join("e2e-tests/baseline.json")
}

#[test]
fn nothing_costs_more_than_the_baseline_lets_it() {
    let found = measured(&meter());
    if std::env::var_os("UPDATE_BASELINE").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("JSON") + "\n";
        std::fs::write(path(), text).expect("the baseline is written");
    }
    let text = std::fs::read_to_string(path()).expect("the baseline");
    let baseline: BTreeMap<String, u64> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(found.keys().collect::<Vec<_>>(), baseline.keys().collect::<Vec<_>>());
    let grown: Vec<String> = found
        .iter()
        .filter(|(name, cost)| **cost as f64 > baseline[*name] as f64 * MORE)
        .map(|(name, cost)| format!("{name}: {cost}, {} in the baseline", baseline[name]))
        .collect();
    assert!(grown.is_empty(), "{}\nmeant so? UPDATE_BASELINE=1", grown.join("\n"));
    for (name, most) in [
        ("bytes of the module", 400_000),
        ("task pod, a credential injected, its token taken", 400_000),
        ("task pod, isolated already", 260_000),
        ("another application's pod", 120_000),
    ] {
        assert!(found[name] <= most, "{name}: {} is more than {most}", found[name]);
    }
}

#[test]
fn costs_grow_in_a_straight_line() {
    let meter = meter();
    let mut table = String::new();
    for (name, points) in curves() {
        let mut costs = Vec::new();
        for (count, payload) in &points {
            let measured = meter.measure(payload).unwrap_or_else(|error| panic!("{name}, {count}: {error}"));
            costs.push((payload.len(), measured.fuel, measured.memory_bytes));
        }
        let ((first, low, _), (last, high, _)) = (costs[0], costs[costs.len() - 1]);
        let slope = (high - low) as f64 / (last - first) as f64;
        let _ = write!(
            table,
            "\n{name}:\n\n| | bytes of the request | fuel | of the line | memory, KiB |\n|---|---|---|---|---|\n"
        );
        for ((count, _), (bytes, fuel, memory)) in points.iter().zip(&costs) {
            let line = low as f64 + slope * (bytes - first) as f64;
            let share = *fuel as f64 / line;
            let _ = writeln!(table, "| {count} | {bytes} | {fuel} | {share:.2} | {} |", memory / 1024);
            assert!(share <= ABOVE, "{name}, {count}: {fuel} is {share:.2} of the line");
        }
        assert!(costs.iter().all(|(bytes, _, memory)| *bytes > 1_100_000 || *memory < 8 << 20), "{name}: {costs:?}");
    }
    if std::env::var_os("UPDATE_BASELINE").is_some() {
        let mut fixed = String::from("\n| call | fuel |\n|---|---|\n");
        for (name, payload) in calls() {
            let _ = writeln!(fixed, "| {name} | {} |", meter.measure(&payload).expect("a call").fuel);
        }
        let page = workspace().join("docs/performance.md");
        let text = std::fs::read_to_string(&page).expect("the page");
        let (head, rest) = text.split_once("<!-- figures -->\n").expect("a place for the figures");
        let (_, tail) = rest.split_once("<!-- end -->\n").expect("their end");
        let text = format!("{head}<!-- figures -->\n{fixed}{table}<!-- end -->\n{tail}");
        std::fs::write(&page, text).expect("the page is written");
    }
}
