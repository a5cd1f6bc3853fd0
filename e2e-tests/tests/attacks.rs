//! The attacks of corpus `token-isolation`, each by what its index says of it: decidable from the object alone, with
//! context, or out of reach. A file that nobody here has seen is held to the same.

#[path = "support/attack.rs"]
mod attack;
#[path = "support/review.rs"]
mod review;

use e2e_tests::laws::{OTHER_SERVICES, api_tokens};
use e2e_tests::testing::workspace;
use serde_json::{Value, json};

use crate::attack::{Attack, CONTROLLER, attacks};
use crate::review::{Told, answer, told};

/// What is found in which container, of the attacks that are known. Others need only be found.
const FOUND: [(&str, &str, Option<&str>); 25] = [
    ("01-own-projected-volume-other-path.yaml", "token-mounts/declared-token", GROOMER),
    ("02-shared-token-volume-other-path.yaml", "token-mounts/declared-token", GROOMER),
    ("03-shared-token-volume-subpath.yaml", "token-mounts/declared-token", GROOMER),
    ("05-init-copies-token-to-emptydir.yaml", "token-mounts/declared-token", WAIT),
    ("16-literal-jwt-env.yaml", "token-mounts/literal-token", GROOMER),
    ("17-parent-dir-mount.yaml", "token-mounts/declared-token", GROOMER),
    ("19-run-symlink-path.yaml", "token-mounts/declared-token", GROOMER),
    ("21-dotdot-path.yaml", "token-mounts/declared-token", GROOMER),
    ("24-hostpath-kubelet-pods.yaml", "node-access/node-path", GROOMER),
    ("25-hostpath-root.yaml", "node-access/node-path", GROOMER),
    ("27-hostpath-runtime-socket.yaml", "node-access/node-path", GROOMER),
    ("29-host-pid.yaml", "node-access/host-namespace", None),
    ("30-share-process-namespace.yaml", "token-mounts/shared-processes", None),
    ("32-ephemeral-mounts-token.yaml", "token-mounts/declared-token", Some("debugger-x")),
    ("33-ephemeral-targets-scheduler.yaml", "token-mounts/holder-targeted", Some("debugger-y")),
    ("40-init-named-scheduler.yaml", "token-mounts/declared-token", Some("scheduler")),
    ("42-second-audience-two-sources.yaml", "token-mounts/declared-token", GROOMER),
    ("48-downward-api-annotation.yaml", "token-mounts/literal-token", None),
    ("49-automount-true-existing-mounts.yaml", "token-mounts/automount-true", None),
    ("52-injected-volume-post-plugin.yaml", "token-mounts/injected-token", GROOMER),
    ("53-extra-volume-mounts-workaround.yaml", "token-mounts/declared-token", WAIT),
    ("55-mirror-annotation-spoof.yaml", "node-access/node-path", GROOMER),
    ("60-replicaset-template-leak.yaml", "token-mounts/declared-token", GROOMER),
    ("61-job-template-leak.yaml", "token-mounts/declared-token", GROOMER),
    ("63-statefulset-template-leak.yaml", "token-mounts/declared-token", GROOMER),
];
const GROOMER: Option<&str> = Some("scheduler-log-groomer");
const WAIT: Option<&str> = Some("wait-for-airflow-migrations");

/// The attacks that `mutate` repairs instead of denying.
const REPAIRED: [&str; 2] = ["49-automount-true-existing-mounts.yaml", "52-injected-volume-post-plugin.yaml"];

/// Settings beside those of all, that a control's suggested verdict asks for.
fn allowances() -> Vec<(&'static str, Value)> {
    vec![("45-audience-vault-only.yaml", json!({"tokenMounts": {"audiences": {"allowed": ["vault"]}}}))]
}

/// What `otherwise` adds to the settings under which attacks are judged.
fn enforcing(otherwise: &Value) -> Value {
    let mut settings = json!({"nodeAccess": {"failureAction": "Enforce"}});
    for (key, value) in otherwise.as_object().into_iter().flatten() {
        settings[key] = value.clone();
    }
    settings
}

#[test]
fn what_is_decidable_from_the_object_is_denied_or_repaired() {
    let Some(attacks) = attacks() else { return };
    let settings = enforcing(&json!({}));
    let mut decided = Vec::new();
    for attack in attacks.iter().filter(|attack| attack.decidable == "pod" && !attack.is_control()) {
        let request = attack.request(CONTROLLER);
        let validate = answer(&request, &settings, "validate");
        assert_eq!((validate.accepted, validate.code), (false, Some(403)), "{attack}");
        let found = told(&validate);
        for finding in &found {
            attack.assert_points(finding);
        }
        if let Some((_, id, container)) = FOUND.iter().find(|(file, ..)| *file == attack.file) {
            let is_meant = |finding: &Told| finding.id == *id && finding.container.as_deref() == *container;
            assert!(found.iter().any(is_meant), "{attack}: {found:?}");
        }
        // What another service may have opens nothing for what stands beside it.
        let allowing = enforcing(&json!({"tokenMounts": {"audiences": {"allowed": ["vault"]}}}));
        assert_eq!(told(&answer(&request, &allowing, "validate")), found, "{attack}");
        let mutate = answer(&request, &settings, "mutate");
        let repaired = mutate.accepted;
        if let Some(result) = &mutate.mutated_object {
            assert_repaired(attack, result);
            let again = attack.request_of(result.clone(), CONTROLLER);
            for mode in ["mutate", "validate"] {
                assert_eq!(answer(&again, &settings, mode).raw, br#"{"accepted":true}"#, "{attack}: {mode}");
            }
        } else {
            assert_eq!((repaired, mutate.code), (false, Some(403)), "{attack} passes mutate");
            told(&mutate).iter().for_each(|finding| attack.assert_points(finding));
        }
        if FOUND.iter().any(|(file, ..)| *file == attack.file) {
            assert_eq!(repaired, REPAIRED.contains(&&*attack.file), "{attack}");
        }
        decided.push(&*attack.file);
    }
    let stale: Vec<_> = FOUND.iter().filter(|(file, ..)| !decided.contains(file)).collect();
    assert!(stale.is_empty(), "no attacks any more: {stale:?}");
    println!("{} attacks: {decided:?}", decided.len());
}

#[test]
fn a_debugger_is_new_where_processes_were_shared_before() {
    let Some(attacks) = attacks() else { return };
    let attack = attacks.iter().find(|attack| attack.file == "30-share-process-namespace.yaml").expect("the file");
    let mut object = attack.object.clone();
    object["spec"]["ephemeralContainers"] = json!([{"name": "debugger", "image": "busybox"}]);
    for mode in ["mutate", "validate"] {
        let found = told(&answer(&attack.request_of(object.clone(), "jane"), &json!({}), mode));
        let (id, path) = ("token-mounts/holder-targeted".to_owned(), "spec.ephemeralContainers[0]".to_owned());
        assert_eq!(found, [Told { id, path, container: Some("debugger".to_owned()) }], "{mode}");
    }
}

/// A repaired pod leaves the token to `scheduler` alone, and the API server does not put it back.
#[track_caller]
fn assert_repaired(attack: &Attack, result: &Value) {
    assert_eq!(result["spec"]["automountServiceAccountToken"], false, "{attack}");
    let held = api_tokens(result, &OTHER_SERVICES);
    let others: Vec<_> =
        held.iter().filter(|held| (held.section, &*held.container) != ("containers", "scheduler")).collect();
    assert!(others.is_empty(), "{attack}: {others:?}");
}

#[test]
fn controls_pass_untouched() {
    let Some(attacks) = attacks() else { return };
    let (mut passed, allowances) = (Vec::new(), allowances());
    for attack in attacks.iter().filter(|attack| attack.is_control()) {
        let allowance = allowances.iter().find(|(file, _)| *file == attack.file);
        let settings = enforcing(allowance.map_or(&json!({}), |(_, settings)| settings));
        for mode in ["mutate", "validate"] {
            let raw = answer(&attack.request(CONTROLLER), &settings, mode).raw;
            assert_eq!(String::from_utf8_lossy(&raw), r#"{"accepted":true}"#, "{attack}: {mode}");
            if allowance.is_some() {
                let without = answer(&attack.request(CONTROLLER), &enforcing(&json!({})), mode);
                assert!(!without.accepted, "{attack} needs no setting to pass: {mode}");
            }
        }
        passed.push(&*attack.file);
    }
    assert!(allowances.iter().all(|(file, _)| passed.contains(file)), "of {passed:?}");
    assert!(passed.len() >= 3, "{passed:?}");
}

/// What comes of an object.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// It passes both modes untouched.
    Passes,
    /// It passes, and this is reported.
    Reported(&'static str),
    /// Both modes deny it for this.
    Denied(&'static str),
    /// `validate` denies it for this, `mutate` repairs it.
    Repaired(&'static str),
}
use Outcome::{Denied, Passes, Repaired, Reported};

const LAUNCHER: &str = "system:serviceaccount:airflow:airflow-worker";
const API: &str = "https://kubernetes.default.svc.cluster.local";

#[test]
fn an_audience_of_the_api_servers_own_is_told_as_one() {
    let Some(attacks) = attacks() else { return };
    let attack = attacks.iter().find(|attack| attack.file == "44-audience-api-alias.yaml").expect("the file");
    let message = answer(&attack.request(CONTROLLER), &json!({}), "validate").message.unwrap_or_default();
    assert!(message.contains("one of the API server's") && !message.contains("audiences.allowed"), "{message}");
}

/// Settings, requester (none: an audit scan), and what comes of it.
type Row = (Value, Option<&'static str>, Outcome);

/// Under which settings, and by whose hand, what comes of the attacks that need context.
fn contexts() -> Vec<(&'static str, Vec<Row>)> {
    let by_controller = Some(CONTROLLER);
    let always = |settings: Value, outcome| (settings, by_controller, outcome);
    let mounts = |section: Value| json!({"tokenMounts": section});
    let secrets = || mounts(json!({"tokenSecrets": ["airflow-scheduler-token-*"]}));
    let strict = || mounts(json!({"airflowPods": "Enforce", "otherPods": "NoToken"}));
    let airflow = || mounts(json!({"airflowPods": "Enforce"}));
    let elsewhere = |others: &str| {
        json!({"airflow": {"launchers": ["jobs/*"]},
            "tokenMounts": {"airflowPods": "Enforce", "otherPods": others}})
    };
    let audiences = |audiences: Value| mounts(json!({"audiences": audiences}));
    let declared = "token-mounts/declared-token";
    vec![
        (
            "09-legacy-secret-volume.yaml",
            vec![
                always(json!({}), Passes),
                always(secrets(), Denied(declared)),
                always(mounts(json!({"tokenSecrets": ["other-*"]})), Passes),
            ],
        ),
        (
            "10-legacy-secret-env.yaml",
            vec![always(json!({}), Passes), always(secrets(), Denied("token-mounts/token-env"))],
        ),
        ("14-configmap-kubeconfig-volume.yaml", vec![always(json!({}), Passes), always(strict(), Passes)]),
        ("15-configmap-env-token.yaml", vec![always(json!({}), Passes), always(strict(), Passes)]),
        ("35-csi-secrets-store.yaml", vec![always(json!({}), Passes), always(strict(), Passes)]),
        (
            "38-label-spoof-task-pod.yaml",
            vec![
                (airflow(), Some(LAUNCHER), Denied(declared)),
                (json!({}), Some(LAUNCHER), Reported(declared)),
                (airflow(), Some("jane"), Denied(declared)),
                (json!({}), Some("jane"), Reported(declared)),
                // What a controller makes of a template was judged there; an audit scan can't tell who made it.
                (airflow(), by_controller, Passes),
                (airflow(), None, Reported("creators of components")),
                (
                    json!({"airflow": {"launchers": ["jobs/*"]}, "tokenMounts": {"airflowPods": "Enforce"}}),
                    Some(LAUNCHER),
                    Denied(declared),
                ),
            ],
        ),
        (
            "39-label-missing.yaml",
            vec![
                (airflow(), Some(LAUNCHER), Denied(declared)),
                (airflow(), by_controller, Denied(declared)),
                (airflow(), None, Denied(declared)),
                (json!({}), by_controller, Reported(declared)),
                (json!({}), Some(LAUNCHER), Reported(declared)),
                // Neither its labels nor its ServiceAccount tell that it is Airflow's: the namespace must.
                (elsewhere("NoToken"), by_controller, Denied(declared)),
                (elsewhere("Ignore"), by_controller, Passes),
            ],
        ),
        (
            "44-audience-api-alias.yaml",
            vec![
                always(json!({}), Denied(declared)),
                always(audiences(json!({"api": [API]})), Denied(declared)),
                // An address of the API server's own stays that, whatever is allowed.
                always(audiences(json!({"allowed": [API]})), Denied(declared)),
                always(audiences(json!({"allowed": [API], "api": [API]})), Denied(declared)),
            ],
        ),
        (
            "50-automount-absent-sa-decides.yaml",
            vec![
                always(json!({}), Passes),
                always(mounts(json!({"requireAutomountFalse": true})), Repaired("token-mounts/automount-absent")),
            ],
        ),
        ("58-resource-claim.yaml", vec![always(json!({}), Passes), always(strict(), Passes)]),
        (
            "59-host-network.yaml",
            vec![
                always(json!({}), Denied("node-access/host-namespace")),
                always(json!({"nodeAccess": {}}), Reported("node-access/host-namespace")),
                always(json!({"nodeAccess": {"failureAction": "Off"}}), Passes),
            ],
        ),
    ]
}

#[test]
fn what_needs_context_is_decided_by_the_setting_or_the_requester() {
    let Some(attacks) = attacks() else { return };
    let contexts = contexts();
    let mut unknown = Vec::new();
    for attack in attacks.iter().filter(|attack| attack.decidable == "context") {
        let Some((_, rows)) = contexts.iter().find(|(file, _)| *file == attack.file) else {
            unknown.push(&*attack.file);
            continue;
        };
        for (settings, user, outcome) in rows {
            assert_outcome(attack, &enforcing(settings), *user, *outcome);
        }
    }
    let is_there = |file: &str| attacks.iter().any(|attack| attack.file == file && attack.decidable == "context");
    assert!(contexts.iter().all(|(file, _)| is_there(file)), "a row has no file");
    // Nothing can be said of them here but that they are answered.
    for attack in attacks.iter().filter(|attack| unknown.contains(&&*attack.file)) {
        answer(&attack.request(CONTROLLER), &enforcing(&json!({})), "validate");
    }
    println!("without a row: {unknown:?}");
}

#[track_caller]
fn assert_outcome(attack: &Attack, settings: &Value, user: Option<&str>, outcome: Outcome) {
    let request = user.map_or_else(|| attack.scan(), |user| attack.request(user));
    let case = format!("{attack}, {outcome:?} under {settings} by {user:?}");
    for mode in ["mutate", "validate"] {
        let verdict = answer(&request, settings, mode);
        let text = String::from_utf8_lossy(&verdict.raw).into_owned();
        let found = told(&verdict);
        found.iter().for_each(|finding| attack.assert_points(finding));
        match outcome {
            Passes => assert_eq!(text, r#"{"accepted":true}"#, "{case}: {mode}"),
            Reported(what) => {
                assert!(verdict.accepted && verdict.mutated_object.is_none(), "{case}: {mode}: {text}");
                assert!(text.contains(what), "{case}: {mode}: {text}");
            }
            Repaired(id) if mode == "mutate" => {
                assert!(verdict.accepted && text.contains(id), "{case}: {mode}: {text}");
                assert_repaired(attack, verdict.mutated_object.as_ref().unwrap_or(&Value::Null));
            }
            Denied(id) | Repaired(id) => {
                assert_eq!(verdict.code, Some(403), "{case}: {mode}: {text}");
                assert!(found.iter().any(|finding| finding.id == id), "{case}: {mode}: {text}");
            }
        }
    }
}

#[test]
fn what_is_out_of_reach_passes() {
    let Some(attacks) = attacks() else { return };
    let control = attacks.iter().find(|attack| attack.is_control()).expect("a control");
    let strict = json!({"tokenMounts": {"airflowPods": "Enforce", "otherPods": "NoToken"}});
    let mut passed = 0;
    for attack in attacks.iter().filter(|attack| attack.decidable == "out-of-reach") {
        for settings in [json!({}), strict.clone()] {
            for request in [attack.request(CONTROLLER), attack.update_of(&control.object, "kubernetes-admin")] {
                for mode in ["mutate", "validate"] {
                    let raw = answer(&request, &enforcing(&settings), mode).raw;
                    assert_eq!(String::from_utf8_lossy(&raw), r#"{"accepted":true}"#, "{attack}: {mode}");
                }
            }
        }
        passed += 1;
    }
    assert!(passed > 0);
}

#[test]
fn the_threat_model_names_every_attack_and_tells_the_truth_of_it() {
    let Some(attacks) = attacks() else { return };
    let path = workspace().join("docs/threat-model.md");
    let Ok(text) = std::fs::read_to_string(&path) else {
        e2e_tests::testing::skip(&format!("there is no {}", path.display()));
        return;
    };
    let (within, beyond) = text.split_once("\n## Out of reach").expect("a chapter on what is out of reach");
    let beyond = beyond.split("\n## ").next().unwrap_or_default();
    let mut wrong = Vec::new();
    for attack in &attacks {
        let (decided, undecided) = (within.contains(&attack.file), beyond.contains(&attack.file));
        let complaint = match &*attack.decidable {
            _ if !decided && !undecided => "is not named",
            "out-of-reach" if !undecided => "is accepted, and not told under `Out of reach`",
            "pod" if undecided => "is decided, and told under `Out of reach`",
            _ => continue,
        };
        wrong.push(format!("{}: {complaint}", attack.file));
    }
    // What passes whatever the settings is out of reach too.
    for (file, rows) in contexts() {
        if rows.iter().all(|(_, _, outcome)| matches!(outcome, Passes)) && !beyond.contains(file) {
            wrong.push(format!("{file}: always passes, and is not told under `Out of reach`"));
        }
    }
    assert!(wrong.is_empty(), "docs/threat-model.md: {wrong:#?}");
}
