//! The attacks of corpus `token-isolation`, with what its index says of them.

use std::fmt;

use e2e_tests::request::Request;
use e2e_tests::testing::corpora;
use e2e_tests::{documents, laws::SECTIONS};
use serde::Deserialize;
use serde_json::Value;

use crate::review::Told;

/// Who makes a scheduler's pod.
pub const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// A file of the corpus.
#[derive(Debug, Deserialize)]
pub struct Attack {
    /// Its name.
    pub file: String,
    /// What it does.
    title: String,
    /// `pod`, `context` or `out-of-reach`.
    pub decidable: String,
    /// What it holds.
    #[serde(skip)]
    pub object: Value,
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.file, self.title)
    }
}

/// All of them. `None`: there are no corpora, and it was said.
pub fn attacks() -> Option<Vec<Attack>> {
    let root = corpora()?.join("token-isolation");
    let index = std::fs::read(root.join("index.json")).expect("an index");
    let mut attacks: Vec<Attack> = serde_json::from_slice(&index).expect("an index of attacks");
    for attack in &mut attacks {
        let bytes = std::fs::read(root.join(&attack.file)).expect("a file of the index");
        let mut found = documents::parse::<Value>(&bytes).expect("YAML");
        attack.object = found.pop().expect("an object").value;
        assert!(found.is_empty() && attack.object.is_object(), "{attack}");
        let known = ["pod", "context", "out-of-reach"].contains(&&*attack.decidable);
        assert!(known, "{attack}: {}", attack.decidable);
    }
    let mut files: Vec<String> = std::fs::read_dir(&root)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml") && !attacks.iter().any(|attack| attack.file == *name))
        .collect();
    files.sort();
    assert!(files.is_empty() && attacks.len() > 40, "not in the index: {files:?}");
    Some(attacks)
}

impl Attack {
    /// Whether it is none, and must pass.
    pub fn is_control(&self) -> bool {
        self.title.starts_with("CONTROL")
    }

    /// The request that brings it: an UPDATE of the subresource where there are ephemeral containers. Pods are made by
    /// `user`, templates are written by an administrator.
    pub fn request(&self, user: &str) -> Value {
        self.request_of(self.object.clone(), user)
    }

    /// The same request for another object.
    pub fn request_of(&self, object: Value, user: &str) -> Value {
        let user = if object["kind"] == "Pod" { user } else { "kubernetes-admin" };
        self.bare(object).user(user).build()
    }

    /// What an audit scan asks.
    pub fn scan(&self) -> Value {
        self.bare(self.object.clone()).build()
    }

    /// The request that makes it of another object.
    pub fn update_of(&self, old: &Value, user: &str) -> Value {
        Request::update(self.object.clone(), old.clone()).user(user).build()
    }

    fn bare(&self, object: Value) -> Request {
        if object["spec"]["ephemeralContainers"].is_null() {
            return Request::create(object);
        }
        let mut old = object.clone();
        old["spec"].as_object_mut().map(|spec| spec.remove("ephemeralContainers"));
        Request::update(object, old).subresource("ephemeralcontainers")
    }

    /// A finding's path leads to something that is there, and the container at the path is the one that is named.
    #[track_caller]
    pub fn assert_points(&self, finding: &Told) {
        let mut at = &self.object;
        let (mut container, mut steps) = (None, finding.path.as_str());
        while !steps.is_empty() {
            // A key of annotations stands in brackets, and may hold dots.
            let (step, rest) = match steps.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some(found) => found,
                None => steps.split_at(steps.find(['.', '[']).unwrap_or(steps.len())),
            };
            steps = rest.strip_prefix('.').unwrap_or(rest);
            at = match step.parse::<usize>() {
                Ok(index) => &at[index],
                Err(_) => &at[step],
            };
            if SECTIONS.contains(&step) {
                container = Some(&at[0]);
            } else if container.is_some_and(|first| first.is_object())
                && at["name"].is_string()
                && at["image"].is_string()
            {
                container = Some(at);
            }
        }
        let absent = finding.id.ends_with("-absent");
        assert_eq!(at.is_null(), absent, "{self}: {finding:?} points to nothing, or to what is there");
        let name = container.and_then(|container| container["name"].as_str());
        assert_eq!(finding.container.as_deref(), name, "{self}: {finding:?}");
    }
}
