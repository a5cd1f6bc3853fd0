//! metadata.yml says what the module is and does: what it calls its host for, and what it looks up, is compared with what
//! it does over all cases; the rules cover what it judges.

#![cfg(feature = "engine")]

#[path = "support/case.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod case;

use std::collections::BTreeSet;

use e2e_tests::documents;
use e2e_tests::testing::{policy, workspace};
use serde_json::Value;

use crate::case::all;

fn yaml(path: &str) -> Value {
    let bytes = std::fs::read(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut documents = documents::parse::<Value>(&bytes).unwrap_or_else(|error| panic!("{path}:{error}"));
    documents.pop().expect("a document").value
}

fn texts(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_host_capabilities_are_those_that_the_module_uses() {
    let (mut capabilities, mut looked_up) = (BTreeSet::new(), BTreeSet::new());
    for case in all() {
        for mode in ["mutate", "validate"] {
            let verdict = policy().validate_payload(&case.trial().payload(mode), case.cluster()).expect("a verdict");
            for call in &verdict.host_calls {
                assert_eq!(call.binding, "kubewarden", "{}", case.name);
                capabilities.insert(format!("{}/{}", call.namespace, call.operation));
                if call.operation == "get_resource" {
                    let text = |key: &str| call.payload[key].as_str().unwrap_or_default().to_owned();
                    looked_up.insert(format!("{} {}", text("api_version"), text("kind")));
                }
            }
        }
    }
    let metadata = yaml("metadata.yml");
    assert_eq!(texts(&metadata["hostCapabilities"]), capabilities);
    let declared = |path: &Value| -> BTreeSet<String> {
        let text = |resource: &Value, key: &str| resource[key].as_str().unwrap_or_default().to_owned();
        let resources = path.as_array().expect("a list").iter();
        resources.map(|resource| format!("{} {}", text(resource, "apiVersion"), text(resource, "kind"))).collect()
    };
    assert_eq!(declared(&metadata["contextAwareResources"]), looked_up);
    for policy in ["mutating", "validating"] {
        let policy = yaml(&format!("examples/kubernetes/{policy}.yaml"));
        assert_eq!(declared(&policy["spec"]["contextAwareResources"]), looked_up);
    }
}

#[test]
fn the_rules_name_every_kind_that_is_judged() {
    let judged: BTreeSet<&str> = [
        "pods",
        "pods/ephemeralcontainers",
        "podtemplates",
        "replicationcontrollers",
        "serviceaccounts",
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "jobs",
        "cronjobs",
    ]
    .into();
    let metadata = yaml("metadata.yml");
    let policies =
        ["mutating", "validating"].map(|name| yaml(&format!("examples/kubernetes/{name}.yaml"))["spec"].clone());
    for (what, spec) in [("metadata.yml", &metadata), ("mutating", &policies[0]), ("validating", &policies[1])] {
        let rules = spec["rules"].as_array().unwrap_or_else(|| panic!("{what} has no rules"));
        let named: BTreeSet<String> = rules.iter().flat_map(|rule| texts(&rule["resources"])).collect();
        assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), judged, "{what}");
        for rule in rules {
            let operations = texts(&rule["operations"]);
            assert!(operations.contains("UPDATE"), "{what}: {rule}");
        }
    }
}

#[test]
fn both_policies_have_the_same_settings_but_for_the_mode() {
    let [mutating, validating] =
        ["mutating", "validating"].map(|name| yaml(&format!("examples/kubernetes/{name}.yaml"))["spec"].clone());
    let without_mode = |spec: &Value| {
        let mut settings = spec["settings"].clone();
        settings.as_object_mut().expect("settings").remove("mode");
        settings
    };
    assert_eq!(without_mode(&mutating), without_mode(&validating));
    assert_eq!((&mutating["settings"]["mode"], &mutating["mutating"]), (&"mutate".into(), &true.into()));
    assert_eq!((&validating["settings"]["mode"], &validating["mutating"]), (&"validate".into(), &false.into()));
}
