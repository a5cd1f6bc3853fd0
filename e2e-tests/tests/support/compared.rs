//! The module's answer beside the oracle's.

use std::fmt;

use e2e_tests::cluster::NoCluster;
use e2e_tests::request::{Request, groups_of};
use e2e_tests::testing::policy;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use serde_json::{Value, json};

use crate::oracle::{self, Answer, Outside, Question, Settings};
use crate::smaller::smallest;

/// A deviation: findings of which the policy tells only the first for each thing that is to be added, where the contract has all
/// of them told: it must tell one of the oracle's, and none besides.
const FIRST: [&str; 6] = [
    "token-mounts/dangling-mount",
    "token-mounts/mount-taken",
    "credentials/dangling-mount",
    "credentials/mount-taken",
    "credentials/two-credentials",
    "token-mounts/long-token",
];

/// An input.
#[derive(Debug, Clone)]
pub struct Input {
    pub name: String,
    pub pod: Value,
    /// Whether the pod is stored, and its ephemeral containers are what is new.
    pub stored: bool,
    pub namespace: String,
    pub user: Option<String>,
    pub settings: Value,
}

/// Two answers that are not the same.
#[derive(Debug)]
pub struct Difference {
    /// What differs, in short: the same for differences that are likely to have one cause.
    pub what: String,
    input: Input,
    mode: &'static str,
    policy: String,
    oracle: String,
}

/// What came of a comparison that found no difference.
pub enum Outcome {
    Denied,
    Changed,
    Reported,
    Untouched,
}

/// Why there is nothing to compare, or what differs.
pub enum Failure {
    Outside(&'static str),
    Different(Box<Difference>),
}

impl From<Outside> for Failure {
    fn from(outside: Outside) -> Self {
        Self::Outside(outside.0)
    }
}

/// The pod with what every stored pod has: a kind, a container, names that differ, mounts at different paths.
pub fn storable(mut pod: Value) -> Value {
    (pod["apiVersion"], pod["kind"]) = ("v1".into(), "Pod".into());
    let Some(spec) = pod["spec"].as_object_mut() else { return pod };
    let containers = spec.entry("containers").or_insert(Value::Null);
    if containers.as_array().is_none_or(Vec::is_empty) {
        *containers = json!([{"name": "only"}]);
    }
    let mut names: Vec<Value> = Vec::new();
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if container["name"].is_null() || names.contains(&container["name"]) {
                container["name"] = format!("other-{}", names.len()).into();
            }
            names.push(container["name"].clone());
            let mut paths: Vec<Value> = vec!["".into()];
            if let Some(mounts) = container["volumeMounts"].as_array_mut() {
                mounts.retain(|mount| {
                    let is_new = !paths.contains(&mount["mountPath"]);
                    paths.push(mount["mountPath"].clone());
                    is_new
                });
            }
        }
    }
    pod
}

/// Compares the answers in a mode.
pub fn compare(input: &Input, mode: &'static str) -> Result<Outcome, Failure> {
    let mut document = input.settings.clone();
    document["mode"] = mode.into();
    let settings: Settings =
        serde_json::from_value(document.clone()).map_err(|_| Outside("settings that are not covered"))?;
    let pod: Pod = serde_json::from_value(input.pod.clone()).map_err(|_| Outside("no typed pod"))?;
    let groups = input.user.as_deref().map(groups_of).unwrap_or_default();
    let question = Question {
        pod: &pod,
        stored: input.stored,
        namespace: &input.namespace,
        user: input.user.as_deref(),
        groups: &groups,
    };
    let expected = oracle::judge(&settings, &question)?;
    let verdict = policy().validate(&request(input), &document, &NoCluster).expect("a verdict");
    if verdict.code == Some(422) {
        return Err(Outside("what the policy can't read").into());
    }
    let result = verdict.changed(&input.pod).unwrap_or(&input.pod);
    let result: Pod = serde_json::from_value(result.clone()).expect("what the policy makes of a typed pod is one");
    let told = verdict.audit_annotations.get("findings").map(String::as_str).unwrap_or_default();
    let different = |what, policy, oracle| {
        Failure::Different(Box::new(Difference { what, input: input.clone(), mode, policy, oracle }))
    };
    let what = unlike(told, &expected.findings);
    if !what.is_empty() || verdict.accepted != expected.accepted {
        let policy = format!("accepted: {}, findings: {told}\n{:?}", verdict.accepted, verdict.message);
        let oracle = format!("accepted: {}, findings: {}", expected.accepted, expected.findings.join("; "));
        return Err(different(format!("findings: {}", what.join(", ")), policy, oracle));
    }
    let (ours, theirs) = (oracle::tidy(expected.pod.clone(), &pod), oracle::tidy(result, &pod));
    if ours != theirs {
        let json = |pod: &Pod| serde_json::to_string(pod).unwrap_or_default();
        return Err(different("results".to_owned(), json(&theirs), json(&ours)));
    }
    Ok(outcome(&expected, &pod))
}

/// Compares the answers on a ServiceAccount that is created.
pub fn compare_account(account: &Value, settings: &Value, mode: &'static str) -> Result<Outcome, Failure> {
    let mut document = settings.clone();
    document["mode"] = mode.into();
    let read: Settings =
        serde_json::from_value(document.clone()).map_err(|_| Outside("settings that are not covered"))?;
    let typed: ServiceAccount = serde_json::from_value(account.clone()).map_err(|_| Outside("no typed account"))?;
    let expected = oracle::accounts::judge(&read, &typed);
    let request = Request::create(account.clone()).user("kubernetes-admin").build();
    let verdict = policy().validate(&request, &document, &NoCluster).expect("a verdict");
    let result = verdict.changed(account).unwrap_or(account);
    let told = verdict.audit_annotations.get("findings").into_iter().flat_map(|told| told.split("; "));
    let actual = oracle::accounts::Answer {
        accepted: verdict.accepted,
        findings: told.map(str::to_owned).collect(),
        account: serde_json::from_value(result.clone()).expect("a ServiceAccount stays one"),
    };
    assert_eq!(actual, expected, "{account} under {document}");
    Ok(match (expected.accepted, expected.account != typed, expected.findings.is_empty()) {
        (false, ..) => Outcome::Denied,
        (true, true, _) => Outcome::Changed,
        (true, false, false) => Outcome::Reported,
        (true, false, true) => Outcome::Untouched,
    })
}

fn outcome(answer: &Answer, pod: &Pod) -> Outcome {
    match (answer.accepted, answer.pod != *pod, answer.findings.is_empty()) {
        (false, ..) => Outcome::Denied,
        (true, true, _) => Outcome::Changed,
        (true, false, false) => Outcome::Reported,
        (true, false, true) => Outcome::Untouched,
    }
}

fn request(input: &Input) -> Value {
    let mut request = match input.stored {
        true => {
            let mut old = input.pod.clone();
            old["spec"].as_object_mut().map(|spec| spec.remove("ephemeralContainers"));
            Request::update(input.pod.clone(), old).subresource("ephemeralcontainers")
        }
        false => Request::create(input.pod.clone()),
    };
    request = request.namespace(&input.namespace);
    if let Some(user) = &input.user {
        request = request.user(user);
    }
    request.build()
}

/// The ids of the findings that one tells and the other does not, with `+` where it is the policy alone. Of more than ten
/// of a kind the audit annotation tells ten: the others are not compared.
fn unlike(told: &str, expected: &[String]) -> Vec<String> {
    let mut told: Vec<&str> = told.split("; ").filter(|text| !text.is_empty()).collect();
    let more = told.last().is_some_and(|last| last.starts_with("and ") && last.ends_with(" more"));
    let mut missing: Vec<&str> = expected.iter().map(String::as_str).collect();
    if more {
        told.pop();
    }
    // A deviation: a credential's conflict is told once for each container that is to get it, in the same words.
    told.sort_unstable();
    told.dedup();
    missing.retain(|text| {
        let id = FIRST.iter().find(|id| text.starts_with(**id));
        id.is_none_or(|id| told.contains(text) || !told.iter().any(|told| told.starts_with(id)))
    });
    told.retain(|text| match missing.iter().position(|known| known == text) {
        Some(at) => {
            missing.remove(at);
            false
        }
        None => true,
    });
    if more {
        missing.clear();
    }
    let id = |sign: &str, text: &str| format!("{sign}{}", text.split(' ').next().unwrap_or_default());
    let mut ids: Vec<String> =
        told.iter().map(|text| id("+", text)).chain(missing.iter().map(|text| id("-", text))).collect();
    ids.sort();
    ids.dedup();
    ids
}

impl Difference {
    /// The same difference in the smallest input that shows it.
    pub fn smallest(self) -> Self {
        let (what, mode) = (self.what.clone(), self.mode);
        let of = |value: &Value| {
            let (pod, settings) = (value["pod"].clone(), value["settings"].clone());
            Input { pod, settings, ..self.input.clone() }
        };
        let differs = |value: &Value| -> Option<Difference> {
            let input = of(value);
            let is_pod = input.pod["kind"] == "Pod" && input.pod["apiVersion"] == "v1" && input.settings.is_object();
            let is_valid = is_pod && policy().validate_settings(&input.settings).is_ok_and(|answer| answer.valid);
            match compare(&input, mode) {
                Err(Failure::Different(found)) if is_valid && found.what == what => Some(*found),
                _ => None,
            }
        };
        let whole = json!({"pod": self.input.pod, "settings": self.input.settings});
        differs(&smallest(whole, |value| differs(value).is_some())).unwrap_or(self)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, input, mode, policy, oracle } = self;
        let Input { name, pod, stored, namespace, user, settings } = input;
        writeln!(f, "{what} differ for {name} in mode {mode}")?;
        writeln!(f, "pod:      {pod}")?;
        writeln!(f, "settings: {settings}")?;
        writeln!(f, "by {user:?} in {namespace}, stored: {stored}")?;
        writeln!(f, "policy:   {policy}")?;
        write!(f, "oracle:   {oracle}")
    }
}
