//! The built module held against an independent implementation of the verdict, the oracle: over the corpora and over
//! random pods, requesters and settings, in both modes. They must agree on whether an object is accepted, on every
//! finding, and on the object that comes of it.
//!
//! `DIFFERENTIAL_CASES=100000` tries that many random inputs, `DIFFERENTIAL_SEED=7` others than usual.

#[path = "support/compared.rs"]
mod compared;
#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "of the corpora only the pods are used here")]
mod corpus;
#[path = "support/likely.rs"]
mod likely;
#[path = "support/likely_settings.rs"]
mod likely_settings;
#[path = "support/oracle/mod.rs"]
mod oracle;
#[path = "support/pods.rs"]
#[expect(dead_code, reason = "pods that ask for credentials are drawn elsewhere")]
mod pods;
#[path = "support/pool.rs"]
mod pool;
#[path = "support/random.rs"]
mod random;
#[path = "support/smaller.rs"]
mod smaller;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use compared::{Difference, Failure, Input, Outcome, compare, compare_account, storable};
use e2e_tests::documents;
use e2e_tests::testing::{corpora, policy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use random::Random;
use serde_json::{Value, json};

/// How many random inputs there are unless the environment says otherwise.
const CASES: u64 = 3_000;

/// How many kinds of differences are told.
const TOLD: usize = 8;

/// What came of comparisons.
#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    outside: BTreeMap<&'static str, usize>,
    differences: Vec<Difference>,
}

impl Tally {
    fn compare(&mut self, input: &Input) {
        // Such as a credential whose audience is the API server's: two choices that don't go together.
        if !policy().validate_settings(&input.settings).expect("an answer").valid {
            return self.count(Err(Failure::Outside("settings that the policy refuses")));
        }
        for mode in ["mutate", "validate"] {
            self.count(compare(input, mode));
        }
    }

    fn compare_account(&mut self, account: &Value, settings: &Value) {
        for mode in ["mutate", "validate"] {
            self.count(compare_account(account, settings, mode));
        }
    }

    fn count(&mut self, result: Result<Outcome, Failure>) {
        match result {
            Ok(outcome) => {
                let name = match outcome {
                    Outcome::Denied => "denied",
                    Outcome::Changed => "changed",
                    Outcome::Reported => "reported",
                    Outcome::Untouched => "untouched",
                };
                *self.counts.entry(name).or_default() += 1;
            }
            Err(Failure::Outside(why)) => *self.outside.entry(why).or_default() += 1,
            Err(Failure::Different(difference)) => self.differences.push(*difference),
        }
    }

    /// How many answers were compared; a test that compared none, or of which most were skipped, is worth nothing.
    #[track_caller]
    fn conclude(self) {
        let compared: usize = self.counts.values().sum();
        println!("{compared} answers are alike: {:?}; skipped: {:?}", self.counts, self.outside);
        let count = self.differences.len();
        let mut kinds: BTreeMap<String, Vec<Difference>> = BTreeMap::new();
        for difference in self.differences {
            kinds.entry(difference.what.clone()).or_default().push(difference);
        }
        let told = kinds.into_iter().take(TOLD).map(|(what, mut all)| {
            let (count, first) = (all.len(), all.swap_remove(0));
            format!("{count} times {what}\n{}", first.smallest())
        });
        let told: Vec<String> = told.collect();
        assert!(count == 0, "{count} differences, such as\n\n{}", told.join("\n\n"));
        let skipped: usize = self.outside.values().sum();
        assert!(compared > skipped, "{skipped} skipped");
        for name in ["denied", "changed", "reported", "untouched"] {
            assert!(self.counts.contains_key(name), "nothing is {name}");
        }
    }
}

fn variable(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[test]
fn the_oracle_agrees_on_random_pods() {
    let mut random = Random(variable("DIFFERENTIAL_SEED", 1));
    let mut tally = Tally::default();
    for case in 0..variable("DIFFERENTIAL_CASES", CASES) {
        let settings = likely_settings::settings(&mut random);
        let drawn = likely::pod(&mut random);
        tally.compare(&Input {
            name: format!("case {case}"),
            pod: drawn.pod,
            stored: drawn.stored,
            namespace: drawn.namespace.to_owned(),
            user: drawn.user,
            settings,
        });
    }
    tally.conclude();
}

#[test]
fn the_oracle_agrees_on_odd_pods() {
    let seed = u8::try_from(variable("DIFFERENTIAL_SEED", 1) % 256).unwrap_or_default();
    let odd = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), odd);
    let strategy = (prop_oneof![3 => pods::pod(false), 1 => pods::scheduler()], pods::requester());
    let mut random = Random(variable("DIFFERENTIAL_SEED", 1));
    let mut tally = Tally::default();
    for case in 0..variable("DIFFERENTIAL_CASES", CASES) {
        let (pod, user) = strategy.new_tree(&mut runner).expect("a pod").current();
        tally.compare(&Input {
            name: format!("odd case {case}"),
            pod: storable(serde_json::from_str(&pod).expect("JSON")),
            stored: false,
            namespace: "airflow".to_owned(),
            user,
            settings: likely_settings::settings(&mut random),
        });
    }
    tally.conclude();
}

#[test]
fn the_oracle_agrees_on_service_accounts() {
    let mut random = Random(variable("DIFFERENTIAL_SEED", 1));
    let mut tally = Tally::default();
    for _ in 0..variable("DIFFERENTIAL_CASES", CASES) / 10 {
        let (account, settings) = (likely::account(&mut random), likely_settings::of_accounts(&mut random));
        tally.compare_account(&account, &settings);
    }
    tally.conclude();
}

/// Settings that the other documents don't cover: nobody may hold a token but from a volume of the policy's.
fn none_holds() -> Value {
    json!({"tokenMounts": {
        "airflowPods": "Enforce",
        "otherPods": "NoToken",
        "requireAutomountFalse": true,
        "maxExpirationSeconds": 3600,
        "tokenSecrets": ["*token*", "*kubeconfig*"],
        "serviceAccountTokenVolume": {"enabled": true},
    }})
}

/// Pods that try to get at a token, written by hand.
fn attacks(root: &Path) -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(root.join("token-isolation")).expect("the attacks");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let documents = documents::parse::<Value>(&std::fs::read(&path).expect("a file")).expect("YAML");
        documents.into_iter().map(move |document| (name.clone(), document.value))
    };
    paths.into_iter().flat_map(read).filter(|(_, value)| value["kind"] == "Pod").collect()
}

#[test]
fn the_oracle_agrees_on_attacks() {
    let Some(root) = corpora() else { return };
    let mut tally = Tally::default();
    let users =
        ["system:serviceaccount:kube-system:statefulset-controller", "system:serviceaccount:airflow:airflow-worker"];
    for (document, settings) in [("default", json!({})), ("strict", corpus::strict()), ("none", none_holds())] {
        for (name, pod) in attacks(&root) {
            for user in users {
                tally.compare(&Input {
                    name: format!("{name} under {document}"),
                    stored: pod["spec"]["ephemeralContainers"].is_array(),
                    pod: pod.clone(),
                    namespace: "airflow".to_owned(),
                    user: Some(user.to_owned()),
                    settings: settings.clone(),
                });
            }
        }
    }
    tally.conclude();
}

#[test]
fn the_oracle_agrees_on_the_corpora() {
    let Some(samples) = corpus::pods() else { return };
    let documents = [
        ("default", json!({})),
        ("strict", corpus::strict()),
        ("catalogue", corpus::catalogue()),
        ("none", none_holds()),
    ];
    let mut tally = Tally::default();
    for (document, settings) in &documents {
        for sample in &samples {
            let namespace = sample.value["metadata"]["namespace"].as_str().unwrap_or("airflow");
            tally.compare(&Input {
                name: format!("{} under {document}", sample.name),
                pod: sample.value.clone(),
                stored: false,
                namespace: namespace.to_owned(),
                user: Some(sample.user.to_owned()),
                settings: settings.clone(),
            });
        }
    }
    tally.conclude();
}
