//! The laws over generated pods, requesters and settings. `PROPTEST_CASES=10000` tries that many of each.

#[path = "support/catalogues.rs"]
mod catalogues;
#[path = "support/documents.rs"]
mod documents;
#[path = "support/granting.rs"]
mod granting;
#[path = "support/pods.rs"]
mod pods;
#[path = "support/pool.rs"]
mod pool;

use std::cell::Cell;

use e2e_tests::cluster::NoCluster;
use e2e_tests::laws::{self, Outcome, Trial, api_tokens};
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};

/// How many cases there are unless the environment says otherwise.
const CASES: u32 = 800;

/// What came of the cases, so that a property that looks at nothing is noticed.
#[derive(Debug, Default)]
struct Tally {
    changed: Cell<u32>,
    untouched: Cell<u32>,
    denied: Cell<u32>,
    unreadable: Cell<u32>,
}

impl Tally {
    fn count(&self, outcome: &Outcome) {
        let cell = match (outcome.mutate.code, outcome.edits.len()) {
            (Some(422), _) => &self.unreadable,
            (Some(_), _) => &self.denied,
            (None, 0) => &self.untouched,
            (None, _) => &self.changed,
        };
        cell.set(cell.get() + 1);
    }
}

/// Runs a property on fresh cases and says how often what came of them.
#[track_caller]
fn run<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Result<Outcome, String>) -> Tally {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let tally = Tally::default();
    let result = TestRunner::new(config).run(strategy, |case| {
        let outcome = property(case).map_err(TestCaseError::fail)?;
        tally.count(&outcome);
        Ok(())
    });
    match result {
        Ok(()) => {
            println!("{tally:?}");
            tally
        }
        Err(TestError::Fail(reason, case)) => panic!("{reason}\nfor {case:#?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

fn trial(object: &str, requester: Option<&str>, settings: &Value) -> Trial {
    let namespace = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "airflow"}});
    let mut request = Request::create(namespace);
    if let Some(requester) = requester {
        request = request.user(requester);
    }
    Trial::new(&request.build(), settings).with_object(object)
}

fn check(trial: &Trial) -> Result<Outcome, String> {
    let answer = policy().validate_settings(&trial.settings).map_err(|error| error.to_string())?;
    if !answer.valid {
        return Err(format!("the settings are wrong: {answer:?}"));
    }
    let judge = |payload: &[u8]| policy().validate_raw(payload, &NoCluster);
    laws::check(&judge, trial).map_err(|violation| violation.to_string())
}

#[test]
fn the_laws_hold_for_new_pods() {
    let strategy = (pods::pod(false), pods::requester(), documents::any());
    let tally = run(&strategy, |(pod, requester, settings)| check(&trial(&pod, requester.as_deref(), &settings)));
    let least = tally.changed.get().min(tally.untouched.get()).min(tally.denied.get());
    assert!(least > 0, "{tally:?}");
}

#[test]
fn the_laws_hold_for_updates() {
    let strategy = (pods::pod(true), pods::pod(true), any::<bool>(), pods::requester(), documents::any());
    let tally = run(&strategy, |(pod, old, same, requester, settings)| {
        let mut trial = trial(&pod, requester.as_deref(), &settings);
        trial.request["operation"] = "UPDATE".into();
        trial.old = Some(if same { pod.clone() } else { old });
        check(&trial)
    });
    assert_eq!(tally.changed.get(), 0, "{tally:?}");
    assert!(tally.untouched.get().min(tally.denied.get()) > 0, "{tally:?}");
}

/// Whether the pod is the scheduler's by its labels and by who makes it.
fn is_scheduler(pod: &Value, requester: Option<&str>) -> bool {
    let labels = &pod["metadata"]["labels"];
    let is_task = ["kubernetes_executor", "kubernetes_pod_operator"].iter().any(|label| labels.get(label).is_some());
    let by_controller = requester.is_none_or(|name| {
        name.starts_with("system:serviceaccount:kube-system:") || name == "system:kube-controller-manager"
    });
    labels["tier"] == "airflow" && labels["component"] == "scheduler" && !is_task && by_controller
}

#[test]
fn where_everything_is_enforced_only_schedulers_hold_a_token() {
    let controller = Just(Some("system:serviceaccount:kube-system:replicaset-controller".to_owned()));
    let pods = prop_oneof![2 => (pods::pod(false), pods::requester()), 1 => (pods::scheduler(), controller)];
    let strategy = (pods, documents::enforcing());
    let held = Cell::new(0);
    let tally = run(&strategy, |((pod, requester), settings)| {
        let outcome = check(&trial(&pod, requester.as_deref(), &settings))?;
        let Some(result) = &outcome.result else { return Ok(outcome) };
        let result: Value = serde_json::from_str(result).map_err(|error| error.to_string())?;
        for found in api_tokens(&result, &documents::other_services(&settings)) {
            let holds = found.section == "containers" && found.container == "scheduler";
            if !(holds && is_scheduler(&result, requester.as_deref())) {
                return Err(format!("{found:?} in {result}"));
            }
            held.set(held.get() + 1);
        }
        Ok(outcome)
    });
    println!("{} tokens held", held.get());
    let least = tally.changed.get().min(tally.untouched.get()).min(tally.denied.get());
    assert!(least > 0 && held.get() > 0, "{tally:?}, {held:?}");
}
