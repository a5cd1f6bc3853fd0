//! Kyverno's own test resources, with what Kyverno says of them.

use std::path::PathBuf;

use e2e_tests::documents;
use e2e_tests::testing::corpora;
use serde::Deserialize;
use serde_json::Value;

/// A resource and the result that Kyverno expects.
#[derive(Debug, Deserialize)]
pub struct Case {
    policy: String,
    resource_file: String,
    doc_index: usize,
    /// The resource's name.
    pub name: String,
    /// `pass`, `skip`, `fail` or `mutated`.
    pub expected: String,
    patched_file: Option<String>,
    /// The resource.
    #[serde(skip)]
    pub object: Value,
    /// What Kyverno makes of it.
    #[serde(skip)]
    pub patched: Value,
}

/// The cases of one policy. `None`: there are no corpora, and it was said.
pub fn cases(policy: &str) -> Option<Vec<Case>> {
    let root = corpora()?.join("kyverno");
    let index = std::fs::read(root.join("index.json")).expect("an index");
    let cases: Vec<Case> = serde_json::from_slice(&index).expect("an index of cases");
    let mut cases: Vec<Case> = cases.into_iter().filter(|case| case.policy == format!("other/{policy}")).collect();
    for case in &mut cases {
        case.object = document(root.join(&case.resource_file), case.doc_index);
        assert_eq!(case.object["metadata"]["name"], *case.name, "{case:?}");
        if let Some(file) = &case.patched_file {
            case.patched = document(root.join(file), 0);
        }
    }
    assert!(!cases.is_empty(), "{policy}");
    Some(cases)
}

/// All resources of a policy, those without an expectation too.
pub fn resources(policy: &str) -> Option<Vec<Value>> {
    let path = corpora()?.join(format!("kyverno/{policy}/other/kyverno-test/resource.yaml"));
    let bytes = std::fs::read(path).expect("a resource file");
    Some(documents::parse::<Value>(&bytes).expect("YAML").into_iter().map(|document| document.value).collect())
}

fn document(path: PathBuf, index: usize) -> Value {
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents = documents::parse::<Value>(&bytes).expect("YAML");
    documents.into_iter().nth(index).expect("a document").value
}
