//! Random pods full of tokens, and a checker that knows nothing of the policy: what passes holds none but where one may
//! be, and what holds none passes untouched. `ISOLATION_PODS=100000` tries that many pods, `ISOLATION_SEED` others.

#[path = "support/bearers.rs"]
mod bearers;
#[path = "support/checker.rs"]
mod checker;
#[path = "support/random.rs"]
mod random;
#[path = "support/review.rs"]
mod review;

use std::time::Instant;

use e2e_tests::request::Request;
use e2e_tests::verdict::Verdict;
use serde_json::{Value, json};

use crate::bearers::{Written, ephemeral, written};
use crate::checker::{Leak, admit, holders, leaks};
use crate::random::Random;
use crate::review::{answer, told};

const PODS: u64 = 2_000;
/// What conflicts with the volume of the settings, and is no token.
const CONFLICTS: [&str; 3] = ["token-mounts/volume-taken", "token-mounts/mount-taken", "token-mounts/dangling-mount"];

/// The settings under which nobody else holds a token.
fn strict() -> Value {
    let entry = |name: &str, accounts: &str| {
        json!({"name": name, "containers": [name],
            "match": {"labels": {"tier": "airflow", "component": name}, "serviceAccounts": [accounts]}})
    };
    let (scheduler, mut triggerer) = (entry("scheduler", "*/*"), entry("triggerer", "airflow/airflow-triggerer"));
    triggerer["requesters"] = json!(["system:serviceaccount:ops:deployer"]);
    triggerer["initContainers"] = json!(["vault-agent-init"]);
    json!({
        "tokenMounts": {
            "components": [scheduler, triggerer],
            "airflowPods": "Enforce",
            "otherPods": "NoToken",
            "tokenSecrets": ["kubeconfig-*", "airflow-token-*"],
            "audiences": {"api": ["https://issuer.example"], "allowed": ["vault"]},
        },
        "nodeAccess": {"failureAction": "Enforce"},
    })
}

/// The same with what `more` adds to the section on tokens.
fn strict_with(more: Value) -> Value {
    let mut settings = strict();
    for (key, value) in more.as_object().into_iter().flatten() {
        settings["tokenMounts"][key] = value.clone();
    }
    settings
}

/// A pod on its way, and all that is needed to see why it failed.
struct Trial<'t> {
    seed: u64,
    creator: Option<&'static str>,
    settings: &'t Value,
}

/// What came of the pods, so that a test that looks at nothing is noticed.
#[derive(Debug, Default)]
struct Tally {
    untouched: u32,
    mended: u32,
    denied: u32,
    conflicts: u32,
    holding: u32,
    debugged: u32,
    debuggers_denied: u32,
}

impl Trial<'_> {
    fn request(&self, pod: &Value) -> Value {
        let request = Request::create(pod.clone());
        self.creator.map_or_else(|| request.clone(), |creator| request.clone().user(creator)).build()
    }

    fn ask(&self, pod: &Value, mode: &str) -> Verdict {
        answer(&self.request(pod), self.settings, mode)
    }

    #[track_caller]
    fn must(&self, holds: bool, what: &str, pod: &Value, verdict: &Verdict) {
        if !holds {
            let Self { seed, creator, settings } = self;
            let text = String::from_utf8_lossy(&verdict.raw);
            panic!(
                "ISOLATION_SEED={seed} ISOLATION_PODS=1: {what}\nby {creator:?}: {pod}\nunder {settings}\nanswer: {text}"
            );
        }
    }

    fn leaks(&self, pod: &Value) -> Vec<Leak> {
        leaks(pod, self.creator)
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn what_passes_holds_no_token_but_where_one_may_be_and_what_holds_none_passes() {
    let documents = [
        strict(),
        strict_with(json!({"requireAutomountFalse": true, "maxExpirationSeconds": 3600})),
        strict_with(json!({"serviceAccountTokenVolume": {"enabled": true}})),
    ];
    let (count, first) = (number("ISOLATION_PODS").unwrap_or(PODS), number("ISOLATION_SEED").unwrap_or(1));
    let (mut tally, start) = (Tally::default(), Instant::now());
    for seed in first..first.saturating_add(count) {
        let mut random = Random(seed);
        let Written { mut pod, creator, account_automounts } = written(&mut random);
        admit(&mut pod, account_automounts);
        // Most pods are judged by the plain document, of which most can be said.
        let document = [0, 0, 0, 1, 2][random.below(5)];
        let trial = Trial { seed, creator, settings: &documents[document] };
        let passed = judge(&trial, &pod, account_automounts, document, &mut tally);
        if let Some(passed) = passed {
            debug(&trial, &passed, &mut random, &mut tally);
        }
    }
    println!("{count} pods from {first} on in {:?}: {tally:?}", start.elapsed());
    if count >= PODS {
        let Tally { untouched, mended, denied, conflicts, holding, debugged, debuggers_denied } = tally;
        let least = [untouched, mended, denied, holding, debugged, debuggers_denied].into_iter().min();
        assert!(least > Some(50) && conflicts > 0, "{tally:?}");
    }
}

/// Judges a pod's creation; the pod that came of it, if it passed.
fn judge(
    trial: &Trial<'_>,
    pod: &Value,
    account_automounts: bool,
    document: usize,
    tally: &mut Tally,
) -> Option<Value> {
    let before = trial.leaks(pod);
    let mutate = trial.ask(pod, "mutate");
    let validate = trial.ask(pod, "validate");
    if !mutate.accepted {
        trial.must(mutate.code == Some(403) && validate.code == Some(403), "no plain denial", pod, &mutate);
        let conflict = told(&mutate).iter().any(|told| CONFLICTS.contains(&&*told.id));
        let declared = before.iter().any(|leak| !leak.injected);
        trial.must(declared || document == 2 && conflict, "denied, and nobody declared a token", pod, &mutate);
        if declared {
            tally.denied += 1
        } else {
            tally.conflicts += 1
        }
        return None;
    }
    let declared = before.iter().any(|leak| !leak.injected);
    trial.must(!declared, "what somebody declared is denied, never taken away", pod, &mutate);
    let mut result = mutate.mutated_object.clone().unwrap_or_else(|| pod.clone());
    if mutate.mutated_object.is_some() {
        // A changed pod goes through the API server's own plugin once more.
        admit(&mut result, account_automounts);
        tally.mended += 1;
    } else {
        tally.untouched += 1;
    }
    let after = trial.leaks(&result);
    trial.must(after.is_empty(), &format!("it passes, and holds {after:?}: {result}"), pod, &mutate);
    let again = trial.ask(&result, "validate");
    trial.must(again.accepted, &format!("validate denies the result {result}"), pod, &again);
    let automount = &pod["spec"]["automountServiceAccountToken"];
    if document == 0 {
        let clean = before.is_empty() && automount != true;
        trial.must(clean == mutate.mutated_object.is_none(), "a clean pod is changed, or another is not", pod, &mutate);
        let silent = |verdict: &Verdict| verdict.raw == br#"{"accepted":true}"# || !told_of(verdict);
        trial.must(!clean || silent(&mutate), "a clean pod is spoken of", pod, &mutate);
        trial.must(clean == validate.accepted, "validate and the checker are at odds", pod, &validate);
    } else if document == 1 {
        let clean = before.is_empty() && automount == false;
        let long = told(&validate).iter().any(|told| told.id == "token-mounts/long-token");
        trial.must(clean == validate.accepted || long, "validate and the checker are at odds", pod, &validate);
        let says_so = result["spec"]["automountServiceAccountToken"] == false;
        trial.must(says_so, "the result does not say that automounting is off", pod, &mutate);
    }
    let held = holders(&result, trial.creator);
    tally.holding += u32::from(!held.is_empty());
    Some(result)
}

#[test]
fn the_checker_sees_what_is_planted() {
    let mut planted = 0;
    for seed in 1..500 {
        let Written { pod, creator, .. } = written(&mut Random(seed));
        if !leaks(&pod, creator).is_empty() {
            continue;
        }
        let mut spoiled = pod.clone();
        let source = json!({"serviceAccountToken": {"path": "token", "audience": "https://kubernetes.default.svc"}});
        let volume = json!({"name": "planted", "projected": {"sources": [source]}});
        spoiled["spec"]["volumes"].as_array_mut().expect("a list").push(volume);
        let mounts = json!([{"name": "planted", "mountPath": "/p", "subPath": "token"}]);
        let sidecar = json!({"name": "planted", "restartPolicy": "Always", "volumeMounts": mounts});
        spoiled["spec"]["initContainers"] = json!([sidecar]);
        let at = Some(("initContainers", "planted".to_owned()));
        let found = leaks(&spoiled, creator);
        assert!(found.iter().any(|leak| leak.container == at && !leak.injected), "{spoiled}");
        let verdict = answer(&Request::create(spoiled).user("jane").build(), &strict(), "mutate");
        assert!(!verdict.accepted, "{verdict:?}");
        planted += 1;
    }
    assert!(planted > 100, "{planted}");
}

#[test]
fn holders_may_share_their_processes_with_each_other() {
    let containers = json!([{"name": "triggerer", "image": "airflow"}]);
    let init = json!([{"name": "vault-agent-init", "image": "vault"}]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "namespace": "airflow", "labels": {"tier": "airflow", "component": "triggerer"}},
        "spec": {"serviceAccountName": "airflow-triggerer", "automountServiceAccountToken": false,
            "shareProcessNamespace": true, "containers": containers, "initContainers": init}});
    let creator = "system:serviceaccount:kube-system:statefulset-controller";
    assert_eq!(leaks(&pod, Some(creator)), []);
    let verdict = answer(&Request::create(pod).user(creator).build(), &strict(), "validate");
    assert!(verdict.accepted, "{verdict:?}");
}

/// Whether a verdict has findings to tell of.
fn told_of(verdict: &Verdict) -> bool {
    verdict.audit_annotations.contains_key("findings") || verdict.audit_annotations.contains_key("token-mounts")
}

/// Adds an ephemeral container to a pod that runs.
fn debug(trial: &Trial<'_>, pod: &Value, random: &mut Random, tally: &mut Tally) {
    let mut changed = pod.clone();
    changed["spec"]["ephemeralContainers"] = json!([ephemeral(random, pod)]);
    // Who made the pod counts as known to be the right one from then on.
    let leaks = leaks(&changed, None);
    let declared =
        leaks.iter().any(|leak| leak.container.as_ref().is_some_and(|(list, _)| *list == "ephemeralContainers"));
    let request = Request::update(changed.clone(), pod.clone()).subresource("ephemeralcontainers").user("jane").build();
    for mode in ["mutate", "validate"] {
        let verdict = answer(&request, trial.settings, mode);
        let what = format!("an ephemeral container of {changed}: {leaks:?}");
        trial.must(verdict.accepted != declared && verdict.mutated_object.is_none(), &what, pod, &verdict);
        if declared {
            // Where a holder was alone with its processes, the pod as a whole is at fault too.
            let about = |told: &review::Told| match told.container.as_deref() {
                Some(container) => container == "debugger",
                None => told.id == "token-mounts/shared-processes",
            };
            trial.must(told(&verdict).iter().all(about), &what, pod, &verdict);
        }
    }
    if declared { tally.debuggers_denied += 1 } else { tally.debugged += 1 }
}
