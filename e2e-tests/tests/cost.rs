//! What catalogues of a thousand and of ten thousand credentials cost, in units of what passing over them costs. Fuel is
//! deterministic, so the bounds are exact.

#![cfg(feature = "engine")]

use e2e_tests::fuel::Meter;
use e2e_tests::measured::catalogue::{Catalogue, pod};
use e2e_tests::testing::module;
use serde_json::{Value, json};

fn with(place: &str, value: Value) -> Value {
    let mut pod = pod();
    let (parent, key) = place.rsplit_once('/').expect("a pointer");
    pod.pointer_mut(parent).expect("the place")[key] = value;
    pod
}

struct Case {
    name: &'static str,
    object: Value,
    /// The most that the catalogue may cost, in hundredths of what passing over it costs.
    most: u64,
    /// What the answer holds.
    told: &'static str,
}

fn cases() -> Vec<Case> {
    let env = |secret: &str| json!([{"name": "K", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]);
    let asks = |name: &str| with("/metadata/annotations", json!({"airflow-pod-identity/credentials": name}));
    let mut token = with(
        "/spec/volumes",
        json!([{"name": "own", "projected": {"sources": [
        {"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}}]}}]),
    );
    token["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "own", "mountPath": "/own"}]);
    let accepted = r#"{"accepted":true}"#;
    vec![
        Case { name: "neither Secrets nor annotations", object: pod(), most: 130, told: accepted },
        Case {
            name: "a Secret of nobody's",
            object: with("/spec/containers/0/env", env("mine")),
            most: 200,
            told: accepted,
        },
        Case {
            name: "another team's Secret",
            object: with("/spec/containers/0/env", env("team-0014-aws")),
            most: 200,
            told: "secret-access/protected-secret: spec.containers[0].env[0] (container `base`): names Secret \
                   `team-0014-aws`, which is protected and not for this pod; credentials that it may use: `team-0003`",
        },
        Case { name: "asks for its credential", object: asks("team-0003"), most: 200, told: r#""AWS_ACCESS_KEY_ID""# },
        Case {
            name: "asks for another team's",
            object: asks("team-0004"),
            most: 200,
            told: "credentials/not-allowed: metadata.annotations[airflow-pod-identity/credentials]",
        },
        Case { name: "a token of its own", object: token, most: 200, told: "secret-access/own-token" },
    ]
}

#[test]
fn many_credentials_cost_little_more_than_passing_over_them() {
    let meter = Meter::new(&std::fs::read(module()).expect("a readable module")).expect("a module");
    let mut dear = Vec::new();
    for count in [1_000, 10_000] {
        let catalogue = Catalogue::new(&meter, count).expect("a measurement");
        println!("{count} credentials, skipped for {}", catalogue.skip);
        for Case { name, object, most, told } in cases() {
            let (measured, cost) = catalogue.cost(&object).expect("a measurement");
            let answer = String::from_utf8_lossy(&measured.response);
            assert!(answer.contains(told), "{name}: {answer}");
            let hundredths = cost * 100 / catalogue.skip;
            println!("{name}: {cost} = {hundredths} % of a skip; the whole call {}", measured.fuel);
            if hundredths > most {
                dear.push(format!("{name}, {count}: {hundredths} % instead of at most {most} %"));
            }
        }
    }
    assert!(dear.is_empty(), "{dear:#?}");
}
