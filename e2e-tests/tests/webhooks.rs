//! Cloud webhooks' own test data: pods as they expect them, beside pods as this policy makes them.
//!
//! The files of EKS' webhook hold an input pod, the webhook's configuration as `testing.…` annotations, and the patch
//! that it makes. The matching credential is built from the configuration, the pod asks for it, and the two results are
//! compared: whole pods, as EKS' patches replace whole lists.

#[path = "support/pfnet.rs"]
mod pfnet;

use e2e_tests::cluster::NoCluster;
use e2e_tests::documents;
use e2e_tests::request::Request;
use e2e_tests::testing::{corpora, policy};
use serde_json::{Value, json};

const OWN: &str = "airflow-pod-identity/";
const TESTING: &str = "testing.eks.amazonaws.com/";

/// How a case differs on purpose.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The pods are the same.
    Same,
    /// The pods differ in these places, and nowhere else.
    Differs(Vec<String>),
    /// The pod is denied for this.
    Denied(String),
    /// There can be no such credential.
    Settings(String),
}

/// Every case in which the policy does something else than EKS, and why.
fn differences() -> Vec<(&'static str, Outcome, &'static str)> {
    let differs = |places: &[&str]| Outcome::Differs(places.iter().map(|place| (*place).to_owned()).collect());
    let half = "credentials/half-set: spec.containers[0] (container `balajilovesoreos`): the pod sets the env variable \
                `AWS_ROLE_ARN` itself and not `AWS_WEB_IDENTITY_TOKEN_FILE`, and credential `eks` needs both; to mend \
                it, remove the variable from the pod, or remove the annotation that asks for the credential";
    let label =
        "the label that EKS puts on pods is for its own bookkeeping; a policy that is asked by annotation needs none";
    vec![
        (
            "betaWindowsPodWithoutVolumes",
            differs(&["/spec/containers/0/env/1/value"]),
            "Airflow has no tasks on Windows, so the token's path is never written with a drive",
        ),
        (
            "rawPodHasAll",
            Outcome::Denied(half.to_owned()),
            "EKS adds a volume that no container mounts and lets the pod run without its credential",
        ),
        (
            "rawPodMinTokenExpiration",
            Outcome::Settings(
                "1 problem in the settings\n- `credentials.eks.expirationSeconds` must be whole seconds between 600 and 86400"
.to_owned(),
            ),
            "EKS takes 600 for 0 in silence; here whoever writes the settings is told",
        ),
        ("containercredentials/rawPodSkip", differs(&["/metadata/labels"]), label),
        ("containercredentials/rawPodWithoutVolumes", differs(&["/metadata/labels"]), label),
        (
            "containercredentials/rawPodWithRoleArn",
            differs(&["/metadata/labels", "/spec/containers/0/env"]),
            "the label; and where the node's agent hands out credentials, no token service is asked",
        ),
    ]
}

/// An input pod with what its annotations tell.
struct Case {
    name: String,
    pod: Value,
    patch: Value,
}

impl Case {
    /// What an annotation of the test's, or (with a whole key) of the pod's, says.
    fn told(&self, key: &str) -> Option<&str> {
        let annotations = &self.pod["metadata"]["annotations"];
        annotations.get(format!("{TESTING}{key}")).or_else(|| annotations.get(key)).and_then(Value::as_str)
    }

    fn is_pod_identity(&self) -> bool {
        self.told("containercredentials/uri").is_some()
    }

    /// The settings that say what the webhook's configuration says.
    fn settings(&self) -> Value {
        let mut fields = json!({"allow": {"namespaces": ["airflow"]}});
        let mut set = |key: &str, value: Value| fields[key] = value;
        if self.is_pod_identity() {
            set("type", "awsPodIdentity".into());
            set("audience", self.told("containercredentials/audience").into());
        } else {
            set("type", "awsWebIdentity".into());
            set("audience", self.told("serviceAccount/audience").into());
            set("roleArn", self.told("serviceAccount/roleArn").into());
            let regional = self.told("handler/injectSTS").or(self.told("serviceAccount/sts-regional-endpoints"));
            set("regionalSts", (regional == Some("true")).into());
            if let Some(region) = self.told("handler/region") {
                set("region", region.into());
            }
        }
        let keys = ["eks.amazonaws.com/token-expiration", "serviceAccount/token-expiration", "handler/expiration"];
        let told = keys.iter().find_map(|key| self.told(key)).map(|text| text.parse().expect("a number"));
        // What the webhook's tests are configured with where the file says nothing.
        let expiration: i64 = told.unwrap_or(if self.is_pod_identity() { 79_200 } else { 86_400 });
        set("expirationSeconds", expiration.into());
        let skipped = self.told("eks.amazonaws.com/skip-containers").unwrap_or_default();
        let skipped: Vec<&str> = skipped.split(',').filter(|name| !name.is_empty()).collect();
        json!({
            "credentials": {"eks": fields},
            // EKS has no list of its own, and serves init containers too.
            "credentialInjection": {"skipContainers": skipped, "initContainers": true},
        })
    }

    /// The pod as EKS' patch makes it, with the names that this policy has fixed.
    fn expected(&self) -> Value {
        let mut pod = self.pod.clone();
        let mut patch = self.patch.to_string();
        let directory = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
        for (key, ours) in [
            ("uri", "http://169.254.170.23/v1/credentials"),
            ("mountPath", directory),
            ("volumeName", "eks-pod-identity-token"),
            ("tokenPath", "eks-pod-identity-token"),
        ] {
            if let Some(theirs) = self.told(&format!("containercredentials/{key}")) {
                patch = patch.replace(theirs, ours);
            }
        }
        let patch: Value = serde_json::from_str(&patch).expect("a patch");
        for operation in patch.as_array().expect("a patch is a list") {
            add(&mut pod, operation);
        }
        pod
    }

    /// What comes of the pod here.
    fn outcome(&self) -> Outcome {
        let settings = self.settings();
        let answer = policy().validate_settings(&settings).expect("an answer");
        if !answer.valid {
            return Outcome::Settings(answer.message.unwrap_or_default());
        }
        let mut pod = self.pod.clone();
        pod["metadata"]["annotations"][format!("{OWN}credentials")] = "eks".into();
        pod["metadata"]["annotations"][format!("{OWN}containers")] = "*".into();
        let request = Request::create(pod).user("system:serviceaccount:airflow:airflow-scheduler").build();
        let verdict = policy().validate(&request, &settings, &NoCluster).expect("a verdict");
        if let Some(message) = verdict.message {
            return Outcome::Denied(message.lines().next().unwrap_or_default().to_owned());
        }
        let found = verdict.mutated_object.expect("a change");
        let mut places = Vec::new();
        differing("", &plain(found), &plain(self.expected()), &mut places);
        if places.is_empty() { Outcome::Same } else { Outcome::Differs(places) }
    }
}

/// The operation `add` of JSON Patch, the only one that there is.
fn add(pod: &mut Value, operation: &Value) {
    assert_eq!(operation["op"], "add");
    let path = operation["path"].as_str().expect("a path");
    let (parent, key) = path.rsplit_once('/').expect("a path");
    let value = operation["value"].clone();
    match pod.pointer_mut(parent).unwrap_or_else(|| panic!("{path}: there is no parent")) {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(items) => items.insert(key.parse().expect("an index"), value),
        other => panic!("{path}: {other} can hold nothing"),
    }
}

/// A pod without what makes no difference: volumes in any order, empty fields that Go writes, annotations of ours.
fn plain(mut pod: Value) -> Value {
    if let Some(annotations) = pod["metadata"]["annotations"].as_object_mut() {
        annotations.retain(|key, _| !key.starts_with(OWN));
    }
    if let Some(volumes) = pod["spec"]["volumes"].as_array_mut() {
        volumes.sort_by_key(|volume| volume["name"].to_string());
    }
    for container in pod["spec"]["containers"].as_array_mut().into_iter().flatten() {
        let fields = container.as_object_mut().expect("a container");
        fields.retain(|key, value| key != "resources" || *value != json!({}));
        if let Some(grpc) = container.pointer_mut("/readinessProbe/grpc").and_then(Value::as_object_mut) {
            grpc.retain(|key, value| key != "service" || !value.is_null());
        }
    }
    pod
}

/// The places in which two values differ: the deepest that both have.
fn differing(path: &str, one: &Value, other: &Value, places: &mut Vec<String>) {
    match (one, other) {
        _ if one == other => {}
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let path = format!("{path}/{key}");
                match other.get(key) {
                    Some(other) => differing(&path, value, other, places),
                    None => places.push(path),
                }
            }
            let more = other.keys().filter(|key| !one.contains_key(*key));
            places.extend(more.map(|key| format!("{path}/{key}")));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differing(&format!("{path}/{index}"), one, other, places);
            }
        }
        _ => places.push(path.to_owned()),
    }
}

fn cases() -> Option<Vec<Case>> {
    let root = corpora()?.join("cloud-webhooks/eks");
    let mut cases = Vec::new();
    for folder in ["", "containercredentials/"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a readable folder");
        for path in entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()) {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{folder}{}", file.strip_suffix(".pod.yaml").expect("a pod"));
            let bytes = std::fs::read(&path).expect("a readable file");
            let mut pods = documents::parse::<Value>(&bytes).expect("YAML");
            assert_eq!(pods.len(), 1, "{name}");
            let pod = pods.remove(0).value;
            let patch = pod["metadata"]["annotations"][format!("{TESTING}expectedPatch")].as_str();
            let patch = serde_json::from_str(patch.expect("a patch")).expect("JSON");
            let case = Case { name, pod, patch };
            assert_eq!(case.told("skip"), Some("false"), "{}: what is skipped needs a rule of its own", case.name);
            cases.push(case);
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Some(cases)
}

#[test]
fn pods_are_as_eks_makes_them_but_for_listed_differences() {
    let Some(cases) = cases() else { return };
    assert_eq!(cases.len(), 12);
    let mut known = differences();
    for case in &cases {
        let listed = known.iter().position(|(name, ..)| *name == case.name);
        let (expected, reason) = listed.map_or((Outcome::Same, "nothing is listed"), |index| {
            let (_, outcome, reason) = known.remove(index);
            (outcome, reason)
        });
        assert_eq!(case.outcome(), expected, "{}: {reason}", case.name);
    }
    assert_eq!(known.len(), 0, "listed, but there is no such case: {known:?}");
}
