//! Whatever an object may keep secret is told nowhere: canaries in every place of every object of the corpora and of the cases
//! show in no message, warning, audit annotation, log record or question to the host.

#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "support/case.rs"]
mod case;

use std::path::Path;

use e2e_tests::cluster::{Cluster, NoCluster};
use e2e_tests::documents;
use e2e_tests::host::payload;
use e2e_tests::laws::OTHER_SERVICES;
use e2e_tests::request::Request;
use e2e_tests::settings;
use e2e_tests::testing::{corpora, policy, workspace};
use serde_json::{Value, json};

use crate::case::all;

/// No name, path or key: an answer has no reason to show it.
const CANARY: &str = "CANARY/S3cr3t ";

/// The same as a token of the API server, which a rule looks for: `{"alg":"RS256"}`, then issuer, subject and the canary.
const TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.",
    "eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50Iiwic3ViIjoic3lzdGVtOnNlcnZpY2VhY2NvdW50OmE6YiIsIngiOiJDQU5BUlkifQ.",
    "Q0FOQVJZQ0FOQVJZQ0FOQVJZ",
);

/// What shows that a canary got out.
const TRACES: [&str; 5] = ["CANARY", "S3cr3t", "eyJ", "Q0FOQVJZ", "cr3t"];

/// Keys below which every text may be a secret.
const SECRETS: [&str; 6] = ["args", "command", "data", "stringData", "binaryData", "httpHeaders"];

/// Labels and annotations that say who a pod is, or that are meant for the policy: what is written there may be told.
const MEANT: [&str; 6] =
    ["airflow-pod-identity/", "iam.cloud.google.com/", "tier", "component", "release", "kubernetes_executor"];

/// Where canaries are planted.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Planting {
    /// Texts, where the verdict stays what it is.
    Meaningless,
    /// Texts and tokens, in the labels and annotations that a rule reads, too.
    Everywhere,
}

impl Planting {
    fn token(self) -> &'static str {
        if self == Self::Meaningless { CANARY } else { TOKEN }
    }

    fn spares(self, key: &str) -> bool {
        self == Self::Meaningless && MEANT.iter().any(|meant| key.starts_with(meant))
    }
}

/// Puts canaries into an object, and says how many there are.
fn plant(value: &mut Value, planting: Planting) -> usize {
    let Value::Object(fields) = value else {
        return match value {
            Value::Array(items) => items.iter_mut().map(|item| plant(item, planting)).sum(),
            _ => 0,
        };
    };
    let mut planted = 0;
    for (key, field) in fields.iter_mut() {
        planted += match (&**key, &mut *field) {
            ("labels" | "annotations" | "matchLabels", Value::Object(entries)) => {
                let secret = entries.iter_mut().filter(|(key, _)| !planting.spares(key));
                secret.map(|(_, entry)| fill(entry, planting)).sum()
            }
            ("env", Value::Array(variables)) => {
                let values = variables.iter_mut().filter_map(|variable| variable.get_mut("value"));
                values.map(|value| fill(value, planting)).sum()
            }
            (key, field) if SECRETS.contains(&key) => fill(field, planting),
            (_, field) => plant(field, planting),
        };
    }
    // Where there is none yet.
    if fields.get("containers").is_some_and(Value::is_array) {
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for container in fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(container) = container.as_object_mut() else { continue };
                container.insert("args".to_owned(), json!([CANARY, planting.token()]));
                let exec = json!({"exec": {"command": [CANARY, planting.token()]}});
                container.insert("livenessProbe".to_owned(), exec.clone());
                container.insert("lifecycle".to_owned(), json!({"postStart": exec}));
                let env = container.entry("env").or_insert_with(|| json!([]));
                if let Some(env) = env.as_array_mut() {
                    env.push(json!({"name": "DB_PASSWORD", "value": CANARY}));
                    env.push(json!({"name": "DB_TOKEN", "value": planting.token()}));
                }
                planted += 8;
            }
        }
    }
    planted
}

/// Makes every text below a value a canary: a token where the text is long.
fn fill(value: &mut Value, planting: Planting) -> usize {
    match value {
        Value::String(text) => {
            *text = if text.len() > 20 { planting.token() } else { CANARY }.to_owned();
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| fill(item, planting)).sum(),
        Value::Object(fields) => fields.values_mut().map(|field| fill(field, planting)).sum(),
        _ => 0,
    }
}

/// What came of an object in both modes.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Tally {
    canaries: usize,
    denied: usize,
    warned: usize,
    mutated: usize,
    logged: usize,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            canaries: self.canaries + other.canaries,
            denied: self.denied + other.denied,
            warned: self.warned + other.warned,
            mutated: self.mutated + other.mutated,
            logged: self.logged + other.logged,
        }
    }
}

impl Tally {
    /// Judges a request, into whose objects canaries were planted.
    fn judge(&mut self, name: &str, request: &Value, settings: &Value, cluster: &dyn Cluster) {
        for mode in ["mutate", "validate"] {
            let mut settings = settings.clone();
            settings["mode"] = mode.into();
            let verdict = policy().validate_payload(&payload(request, &settings), cluster);
            let verdict = verdict.unwrap_or_else(|error| panic!("{name}, {mode}: {error}"));
            let told = (&verdict.message, &verdict.warnings, &verdict.audit_annotations, &verdict.logs);
            let asked: Vec<&Value> = verdict.host_calls.iter().map(|call| &call.payload).collect();
            let told = format!("{told:?} {asked:?}");
            let traces: Vec<&str> = TRACES.into_iter().filter(|trace| told.contains(trace)).collect();
            assert!(traces.is_empty(), "{name}, {mode}: {traces:?} of what is secret is told: {told}");
            self.denied += usize::from(!verdict.accepted);
            self.warned += usize::from(!verdict.warnings.is_empty());
            self.mutated += usize::from(verdict.mutated_object.is_some());
            self.logged += verdict.logs.len();
        }
    }

    /// The object with canaries in it, made and changed, under each of the settings.
    fn plant(&mut self, name: &str, object: &Value, planting: Planting) {
        let mut planted = object.clone();
        self.canaries += plant(&mut planted, planting);
        for (document, settings) in documents() {
            let name = format!("{name}, {document}, {planting:?}");
            let create = Request::create(planted.clone()).user("system:serviceaccount:airflow:airflow-scheduler");
            self.judge(&name, &create.build(), &settings, &NoCluster);
            let update = Request::create(planted.clone()).user("jane").operation("UPDATE").old(object.clone());
            self.judge(&name, &update.build(), &settings, &NoCluster);
        }
    }
}

/// Default settings, everything enforced, the same as mere reports.
fn documents() -> [(&'static str, Value); 3] {
    static STRICT: std::sync::OnceLock<Value> = std::sync::OnceLock::new();
    let strict = STRICT.get_or_init(|| {
        settings::load(workspace().join("examples/settings/strict.yaml")).expect("strict.yaml holds settings")
    });
    let mut audit = strict.clone();
    audit["failureAction"] = "Audit".into();
    for section in audit.as_object_mut().expect("an object").values_mut().filter_map(Value::as_object_mut) {
        section.remove("failureAction");
    }
    [("no settings", json!({})), ("strict.yaml", strict.clone()), ("strict.yaml, reported", audit)]
}

const PLANTINGS: [Planting; 2] = [Planting::Meaningless, Planting::Everywhere];

/// Every object in files below a directory, YAML's documents one by one.
fn objects(directory: &Path, into: &mut Vec<(String, Value)>) {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            objects(&path, into);
            continue;
        }
        if !path.extension().is_some_and(|name| ["json", "yaml"].iter().any(|known| name == *known)) {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a readable file");
        // Helm values and patches are no objects; what can't be read as one is none either.
        let found = documents::parse::<Value>(&bytes).unwrap_or_default();
        let found = found.into_iter().map(|document| document.value);
        into.extend(found.filter(|value| value["kind"].is_string()).map(|value| (path.display().to_string(), value)));
    }
}

#[test]
fn no_canary_in_the_corpora_is_told() {
    let Some(root) = corpora() else { return };
    let mut found = Vec::new();
    objects(&root, &mut found);
    let judged = &|planting: Planting| {
        let mut tally = Tally::default();
        found.iter().for_each(|(name, object)| tally.plant(name, object, planting));
        tally
    };
    let [first, second] = std::thread::scope(|scope| {
        let running = PLANTINGS.map(|planting| scope.spawn(move || judged(planting)));
        running.map(|running| running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let tally = first + second;
    println!("{} objects: {tally:?}", found.len());
    assert!(found.len() > 700, "{} objects", found.len());
    let Tally { canaries, denied, warned, mutated, logged } = tally;
    assert!(canaries > 20_000 && denied > 1_000 && warned > 1_000 && mutated > 100 && logged > 5_000, "{tally:?}");
}

/// The cases' clusters answer, so that what comes of lookups is told too.
#[test]
fn no_canary_in_the_cases_is_told() {
    let mut tally = Tally::default();
    for case in all() {
        for planting in PLANTINGS {
            let mut request: Value = serde_json::from_slice(&case.trial().payload("mutate")).expect("JSON");
            let mut request = request["request"].take();
            for key in ["object", "oldObject"] {
                tally.canaries += plant(&mut request[key], planting);
            }
            tally.judge(&case.name, &request, &case.settings, case.cluster());
        }
    }
    let Tally { canaries, denied, warned, mutated, logged } = tally;
    assert!(canaries > 1_000 && denied > 200 && warned > 50 && mutated > 100 && logged > 300, "{tally:?}");
}

/// A test of the test: of the canaries that are planted, the rules do look at some.
#[test]
fn a_planted_token_is_found_and_denied_without_being_told() {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "t", "namespace": "airflow", "labels":
        {"kubernetes_executor": "True"}}, "spec": {"automountServiceAccountToken": false, "containers": [{"name": "base"}]}});
    assert!(OTHER_SERVICES.iter().all(|audience| !TOKEN.contains(audience)));
    assert_eq!(plant(&mut pod, Planting::Everywhere), 9);
    let (_, strict) = &documents()[1];
    let request = Request::create(pod).user("system:serviceaccount:airflow:airflow-scheduler").build();
    let verdict = policy().validate(&request, strict, &NoCluster).expect("a verdict");
    let message = verdict.message.unwrap_or_default();
    assert!(message.starts_with("token-mounts/"), "{message}");
}
