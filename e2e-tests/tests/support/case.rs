//! Reads case files, asks the module, and writes answers back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use e2e_tests::cluster::{Cluster, Fixture, NoCluster};
use e2e_tests::diff::{ChangeKind, changes};
use e2e_tests::documents::{self, to_yaml};
use e2e_tests::laws::Trial;
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a case file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    /// What the case shows.
    description: String,
    #[serde(default = "empty")]
    settings: Value,
    /// The requester; absent: an audit scan.
    user: Option<String>,
    groups: Option<Vec<String>>,
    operation: Option<String>,
    subresource: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    dry_run: bool,
    /// What lookups find; absent: there is no cluster, and they fail.
    cluster: Option<Fixture>,
    old: Option<Value>,
    object: Value,
    #[serde(default)]
    mutate: Answer,
    #[serde(default)]
    validate: Answer,
}

fn empty() -> Value {
    json!({})
}

/// A case, read.
pub struct Case {
    /// `RULE/NAME`
    pub name: String,
    /// What the case shows.
    pub description: String,
    /// The settings, without the mode.
    pub settings: Value,
    /// What the file says of the answers.
    pub expected: Answers,
    request: Value,
    cluster: Option<Fixture>,
    path: PathBuf,
}

/// The answers in both modes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answers {
    /// With `mode: mutate`.
    pub mutate: Answer,
    /// With `mode: validate`.
    pub validate: Answer,
}

/// A whole answer. What is empty is left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// Whether the object may pass.
    pub accepted: bool,
    /// The code of a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// Why the object may not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Warnings, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<String, String>,
    /// `+ path: value`, `- path: value`, `~ path: {before, after}`
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Value>,
}

impl Case {
    /// What the laws are held against.
    pub fn trial(&self) -> Trial {
        Trial::new(&self.request, &self.settings)
    }

    /// The same, with `onLookupError: Warn`.
    pub fn trial_that_only_warns(&self) -> Trial {
        let mut trial = self.trial();
        trial.settings["onLookupError"] = "Warn".into();
        trial
    }

    /// What answers the lookups.
    pub fn cluster(&self) -> &dyn Cluster {
        self.cluster.as_ref().map_or(&NoCluster, |fixture| fixture)
    }

    /// The module's answers.
    pub fn answers(&self) -> Answers {
        Answers { mutate: self.answer("mutate"), validate: self.answer("validate") }
    }

    fn answer(&self, mode: &str) -> Answer {
        let verdict = policy().validate_payload(&self.trial().payload(mode), self.cluster());
        let verdict = verdict.unwrap_or_else(|error| panic!("{}: {mode}: {error}", self.name));
        let mutated = verdict.mutated_object.as_ref();
        let changes = mutated.map(|after| changes(&self.request["object"], after)).unwrap_or_default();
        let change = |change: e2e_tests::diff::Change| match change.kind {
            ChangeKind::Added(value) => (format!("+ {}", change.path), value),
            ChangeKind::Removed(value) => (format!("- {}", change.path), value),
            ChangeKind::Replaced { before, after } => {
                (format!("~ {}", change.path), json!({"before": before, "after": after}))
            }
        };
        Answer {
            accepted: verdict.accepted,
            code: verdict.code,
            message: verdict.message,
            warnings: verdict.warnings,
            audit_annotations: verdict.audit_annotations,
            changes: changes.into_iter().map(change).collect(),
        }
    }

    /// What a finding, as it is told, does not tell.
    pub fn lacks(&self, finding: &str) -> Option<&'static str> {
        let (id, rest) = finding.split_once([':', ' ']).unwrap_or_default();
        let is_id = |id: &str| id.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
        if id.split_once('/').is_none_or(|(rule, id)| !is_id(rule) || !is_id(id)) {
            return Some("id");
        }
        let path = rest.trim_start().split([' ', ':']).next().unwrap_or_default();
        let (path, pod) = self.pod(path);
        let mut steps = path.split('.');
        match (steps.next(), steps.next().map(|step| step.trim_end_matches(']').split_once('['))) {
            (Some("spec"), Some(Some((list, index)))) if list.ends_with("ontainers") => {
                let index = index.parse::<usize>().unwrap_or(usize::MAX);
                let name = pod["spec"][list][index]["name"].as_str().unwrap_or_default();
                (!rest.contains(&format!("ontainer `{name}`)"))).then_some("container")
            }
            (Some("spec" | "metadata" | "request"), Some(_)) => None,
            (Some("automountServiceAccountToken"), None) => None,
            _ => Some("path"),
        }
        .or_else(|| (!rest.contains("to mend it, ") && !rest.ends_with('…')).then_some("remedy"))
    }

    /// A field's path within the pod, and the pod: that of a template, or the object itself.
    fn pod<'p>(&self, path: &'p str) -> (&'p str, &Value) {
        let object = &self.request["object"];
        let templates = [
            ("spec.jobTemplate.spec.template.", "/spec/jobTemplate/spec/template"),
            ("spec.template.", "/spec/template"),
            ("template.", "/template"),
        ];
        let found = templates.iter().find_map(|(prefix, pointer)| Some((path.strip_prefix(prefix)?, pointer)));
        match found {
            Some((rest, pointer)) => (rest, object.pointer(pointer).unwrap_or(&Value::Null)),
            None => (path, object),
        }
    }

    /// Writes answers over those in the file, which are its end.
    pub fn write(&self, answers: &Answers) {
        let text = std::fs::read_to_string(&self.path).expect("a readable file");
        let end = text.find("\nmutate:").map_or(text.len(), |end| end + 1);
        let head = text.get(..end).unwrap_or_default().trim_end();
        std::fs::write(&self.path, format!("{head}\n{}", to_yaml(answers))).expect("a writable file");
    }
}

/// All cases, in the order of their names.
pub fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases = Vec::new();
    for rule in entries(&root) {
        for path in entries(&rule) {
            let relative = path.strip_prefix(&root).unwrap_or(&path).with_extension("");
            cases.push(read(relative.display().to_string(), path));
        }
    }
    assert!(!cases.is_empty(), "there are no cases");
    cases
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn read(name: String, path: PathBuf) -> Case {
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut documents = documents::parse::<File>(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (Some(file), true) = (documents.pop().map(|document| document.value), documents.is_empty()) else {
        panic!("{name}: it is not one document");
    };
    let mut request = Request::create(file.object).operation(file.operation.as_deref().unwrap_or("CREATE"));
    if let Some(old) = file.old {
        request = request.operation(file.operation.as_deref().unwrap_or("UPDATE")).old(old);
    }
    if let Some(user) = file.user {
        request = request.user(user);
    }
    if let Some(groups) = file.groups {
        request = request.groups(groups);
    }
    if let Some(subresource) = file.subresource {
        request = request.subresource(subresource);
    }
    if let Some(namespace) = file.namespace {
        request = request.namespace(namespace);
    }
    request = request.dry_run(file.dry_run);
    Case {
        name,
        description: file.description,
        settings: file.settings,
        expected: Answers { mutate: file.mutate, validate: file.validate },
        request: request.build(),
        cluster: file.cluster,
        path,
    }
}
