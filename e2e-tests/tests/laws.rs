//! The checks of the laws against judges that break one law each, and against comparisons that must find a difference.

use std::cell::Cell;

use e2e_tests::host::CallError;
use e2e_tests::laws::{self, Edit, Trial, Violation, api_tokens, edits};
use e2e_tests::request::Request;
use serde_json::{Value, json};

const ACCEPT: &str = r#"{"accepted":true}"#;
const DENY: &str = r#"{"accepted":false,"code":403,"message":"no"}"#;

/// What a judge sees.
struct Asked {
    mutates: bool,
    update: bool,
    object: Value,
    deleted: bool,
}

/// The law that a judge breaks, with a pod and settings under which all laws are held.
#[track_caller]
fn broken(answer: impl Fn(&Asked) -> String) -> Violation {
    let judge = |payload: &[u8]| {
        let payload: Value = serde_json::from_slice(payload).expect("JSON");
        let request = &payload["request"];
        let asked = Asked {
            mutates: payload["settings"]["mode"] == "mutate",
            update: request["operation"] == "UPDATE",
            object: request["object"].clone(),
            deleted: request["oldObject"]["metadata"]["deletionTimestamp"].is_string(),
        };
        Ok(answer(&asked).into_bytes())
    };
    laws::check(&judge, &trial()).expect_err("a broken law")
}

fn trial() -> Trial {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "etl"},
        "spec": {"containers": [{"name": "base", "env": [{"name": "A", "value": "1"}]}]},
    });
    Trial::new(&Request::create(pod).user("jane").build(), &json!({"tokenMounts": {"airflowPods": "Enforce"}}))
}

fn mutated(object: &Value) -> String {
    json!({"accepted": true, "mutated_object": object}).to_string()
}

#[test]
fn an_honest_judge_breaks_none_and_its_outcome_is_told() {
    let mended = trial().object.replace("}]}}", r#"}],"automountServiceAccountToken":false}}"#);
    let judge = |payload: &[u8]| {
        let payload: Value = serde_json::from_slice(payload).expect("JSON");
        let request = &payload["request"];
        let is_mended = request["object"]["spec"]["automountServiceAccountToken"] == false;
        let is_mirror = request["object"]["metadata"]["annotations"].is_object();
        let answer = match request["operation"] == "UPDATE" || is_mended {
            true => ACCEPT.to_owned(),
            false if payload["settings"]["mode"] == "validate" || is_mirror => DENY.to_owned(),
            false => format!(r#"{{"accepted":true,"mutated_object":{mended}}}"#),
        };
        Ok(answer.into_bytes())
    };
    let outcome = laws::check(&judge, &trial()).expect("no law is broken");
    assert_eq!((outcome.mutate.accepted, outcome.validate.accepted), (true, false));
    assert_eq!((outcome.edits, outcome.result), (vec![Edit::Automount], Some(mended.clone())));
    assert_eq!(outcome.answers, 18);
}

#[test]
fn each_law_can_be_broken() {
    let accept = || ACCEPT.to_owned();
    let deny = || DENY.to_owned();
    let law = |answer: &dyn Fn(&Asked) -> String| broken(answer).law;
    assert_eq!(law(&|asked| if asked.mutates { accept() } else { deny() }), 1);
    assert_eq!(law(&|asked| if asked.mutates && !asked.update { mutated(&asked.object) } else { accept() }), 2);
    assert_eq!(law(&|asked| if asked.mutates { deny() } else { accept() }), 3);
    assert_eq!(law(&|asked| if asked.update { deny() } else { accept() }), 6);
    assert_eq!(law(&|asked| if asked.update && !asked.mutates { deny() } else { accept() }), 6);
    let warned = r#"{"accepted":true,"warnings":["w"]}"#;
    assert_eq!(law(&|asked| if asked.deleted { warned.to_owned() } else { accept() }), 6);
    assert_eq!(law(&|asked| if asked.update { mutated(&json!({})) } else { accept() }), 6);
    assert_eq!(law(&|_| r#"{"accepted":true,"mutated_object":,{}}"#.to_owned()), 7);
}

#[test]
fn an_answer_has_a_form() {
    let long = format!(r#"{{"accepted":true,"warnings":["{}"]}}"#, "w".repeat(257));
    for answer in [
        r#"{"accepted":true,"message":"m"}"#,
        r#"{"accepted":true,"code":403}"#,
        r#"{"accepted":false,"code":403}"#,
        r#"{"accepted":false,"message":"m"}"#,
        r#"{"accepted":false,"code":500,"message":"m"}"#,
        r#"{"accepted":false,"code":403,"message":"m","mutated_object":{}}"#,
        r#"{"accepted":true,"warnings":[""]}"#,
        &long,
    ] {
        assert_eq!(broken(|_| answer.to_owned()).law, 0, "{answer}");
    }
    assert_eq!(broken(|asked| if asked.mutates { ACCEPT.to_owned() } else { mutated(&asked.object) }).law, 0);
}

#[test]
fn a_failed_lookup_denies_with_a_code_of_its_own_where_the_settings_say_so() {
    let failed = r#"{"accepted":false,"code":500,"message":"m"}"#;
    let judge = |payload: &[u8]| {
        let payload: Value = serde_json::from_slice(payload).expect("JSON");
        let creates = payload["request"]["operation"] == "CREATE";
        Ok(if creates { failed } else { ACCEPT }.as_bytes().to_vec())
    };
    let mut trial = trial();
    assert_eq!(laws::check(&judge, &trial).expect_err("an odd code").law, 0);
    trial.settings["onLookupError"] = "Deny".into();
    assert_eq!(laws::check(&judge, &trial).map(|outcome| outcome.mutate.code), Ok(Some(500)));
}

#[test]
fn a_mirror_pod_must_not_be_changed() {
    let violation = broken(|asked| match asked.object["metadata"]["annotations"].is_object() {
        true if asked.mutates && !asked.update => mutated(&asked.object),
        _ => ACCEPT.to_owned(),
    });
    assert_eq!((violation.law, violation.what.starts_with("a mirror pod is changed")), (6, true));
}

#[test]
fn an_ephemeral_container_is_always_new_and_nothing_else_is() {
    let denial = |message: &str| json!({"accepted": false, "code": 403, "message": message}).to_string();
    let update = |message: &str| {
        let judge = |payload: &[u8]| {
            let payload: Value = serde_json::from_slice(payload).expect("JSON");
            let request = &payload["request"];
            let is_denied =
                request["operation"] == "UPDATE" && request["oldObject"]["metadata"]["deletionTimestamp"].is_null();
            Ok(if is_denied { denial(message) } else { ACCEPT.to_owned() }.into_bytes())
        };
        laws::check(&judge, &trial()).map(|_| ()).map_err(|violation| violation.law)
    };
    assert_eq!(update("a: spec.ephemeralContainers[0] (ephemeral container `debug`): b\nthe pod is"), Ok(()));
    assert_eq!(update("2 findings\n- a (ephemeral container `debug`)\n- b (container `base`)\nthe pod is"), Err(6));
    assert_eq!(update("a (container `base`)"), Err(6));
}

#[test]
fn traps_and_whims_are_noticed() {
    let trap = |_: &[u8]| Err(CallError::Trap("unreachable".to_owned()));
    assert_eq!(laws::check(&trap, &trial()).expect_err("a trap").law, 7);
    let calls = Cell::new(0);
    let whim = |_: &[u8]| {
        calls.set(calls.get() + 1);
        Ok(format!(r#"{{"accepted":true,"warnings":["{}"]}}"#, calls.get()).into_bytes())
    };
    assert_eq!(laws::check(&whim, &trial()).expect_err("a whim").law, 8);
}

const TOKEN: &str = r#"{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}}"#;
const CA: &str = r#"{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}"#;
const NAMESPACE: &str =
    r#"{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}}"#;

/// A pod with an injected token, another volume and much that no policy knows.
fn pod() -> String {
    format!(
        r#"{{"x": 1e3, "metadata": {{"annotations": {{"a": "1"}}, "m": 1.0}}, "spec": {{"y": null, "n": 1.0, "containers": [{{"name": "base", "env": [{{"name": "A"}}],
        "volumeMounts": [{{"name": "own", "mountPath": "/a"}}, {{"name": "kube-api-access-x", "mountPath": "/t"}}]}}],
        "volumes": [{{"name": "own"}}, {{"name": "kube-api-access-x",
        "projected": {{"sources": [{TOKEN}, {CA}, {NAMESPACE}]}}}}]}}}}"#
    )
}

/// What is found when `from` is written as `to`.
#[track_caller]
fn found(from: &[&str], to: &[&str]) -> Result<Vec<Edit>, String> {
    let (before, mut after) = (pod(), pod());
    for (from, to) in from.iter().zip(to) {
        assert!(after.contains(from), "the pod holds no {from}");
        after = after.replacen(from, to, 1);
    }
    edits(&before, &after)
}

#[test]
fn planned_changes_are_told_apart() {
    let base = || "containers/base".to_owned();
    let text = |text: &str| text.to_owned();
    let unmounted = Edit::Unmounted(base(), text("kube-api-access-x"));
    let volume = format!(
        r#", {{"name": "kube-api-access-x",
        "projected": {{"sources": [{TOKEN}, {CA}, {NAMESPACE}]}}}}"#
    );
    let mount = r#", {"name": "kube-api-access-x", "mountPath": "/t"}"#;
    assert_eq!(found(&[], &[]), Ok(vec![]));
    assert_eq!(
        found(&[r#""env": [{"name": "A"}"#], &[r#""env": [{"name": "A"},{"name":"B","value":"2"}"#]),
        Ok(vec![Edit::Env(base(), text("B"), text("2"))])
    );
    let reference = r#"{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}"#;
    assert_eq!(
        found(&[r#""env": [{"name": "A"}"#], &[&format!(r#""env": [{{"name": "A"}},{reference}"#)]),
        Ok(vec![Edit::SecretEnv(base(), text("B"), text("s"), text("k"))])
    );
    assert_eq!(
        found(
            &[r#""annotations": {"a": "1"}"#],
            &[r#""annotations": {"a": "1","airflow-pod-identity/gcp-x":"\u0041"}"#]
        ),
        Ok(vec![Edit::Annotation(text("airflow-pod-identity/gcp-x"), text("A"))])
    );
    assert_eq!(found(&[mount], &[""]), Ok(vec![unmounted.clone()]));
    assert_eq!(found(&[mount, &volume], &["", ""]), Ok(vec![unmounted, Edit::VolumeGone(text("kube-api-access-x"))]));
    let added = r#"{"name":"own"},{"name":"v","mountPath":"/v","readOnly":true}]"#;
    let wide = r#"{"name": "kube-api-access-x", "mountPath": "/t"}]"#;
    let wider = wide.replace(']', &added.replacen(r#"{"name":"own"}"#, "", 1));
    assert_eq!(found(&[wide], &[&wider]), Ok(vec![Edit::Mount(base(), text("v"), text("/v"))]));
    assert_eq!(found(&["3607"], &["600"]), Ok(vec![Edit::Expiration(text("kube-api-access-x"), 600)]));
    let closing = format!("{NAMESPACE}]}}}}]");
    let longer = format!(r#"{NAMESPACE}]}}}},{{"name":"v"}}],"automountServiceAccountToken":false"#);
    assert_eq!(found(&[&closing], &[&longer]), Ok(vec![Edit::Volume(json!({"name": "v"})), Edit::Automount]));
}

#[test]
fn every_other_change_is_refused() {
    for (from, to) in [
        ("1e3", "1000"),
        ("1.0", "1"),
        (r#""y": null, "#, ""),
        (r#""y": null, "n": 1.0"#, r#""n": 1.0, "y": null"#),
        (r#""x": 1e3, "#, r#""x": 1e3, "z": 1, "#),
        (r#""env": [{"name": "A"}"#, r#""env": [{"name":"B","value":"2"},{"name": "A"}"#),
        (r#""env": [{"name": "A"}"#, r#""env": [{"name": "A"},{"name":"B","value":"2","z":1}"#),
        (r#"[{"name": "A"}"#, r#"[{"name": "A"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"x"}}}"#),
        (r#"[{"name": "A"}"#, r#"[{"name": "A"},{"name":"B","valueFrom":{"secretKeyRef":{"key":"k"}}}"#),
        (
            r#"[{"name": "A"}"#,
            r#"[{"name": "A"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k","optional":true}}}"#,
        ),
        (r#"{"a": "1"}"#, r#"{"a": "1","b":"2"}"#),
        (r#"{"a": "1"}"#, r#"{"airflow-pod-identity/gcp-x":"2","a": "1"}"#),
        (r#"{"a": "1"}"#, r#"{"a": "2"}"#),
        (r#"{"a": "1"}"#, r#"{"a": "1","airflow-pod-identity/gcp-x":2}"#),
        (r#""m": 1.0"#, r#""m": 1"#),
        (r#"{"name": "own", "mountPath": "/a"}, "#, ""),
        (r#""mountPath": "/t"}]"#, r#""mountPath": "/t"},{"name":"v","mountPath":"/v","readOnly":false}]"#),
        (r#"{"name": "own"}, "#, ""),
        (r#"{"name": "own"}, "#, r#"{"name": "new"}, {"name": "own"}, "#),
        ("3607", "7200"),
        (r#""path":"token""#, r#""path":"other""#),
        (r#""y": null, "#, r#""y": null, "automountServiceAccountToken": true, "#),
        (CA, r#"{"configMap":{"name":"other"}}"#),
    ] {
        let found = found(&[from], &[to]);
        assert!(found.is_err(), "{from} as {to}: {found:?}");
    }
    let volume = format!(
        r#", {{"name": "kube-api-access-x",
        "projected": {{"sources": [{TOKEN}, {CA}, {NAMESPACE}]}}}}"#
    );
    let error = found(&[&volume], &[""]).expect_err("a mount without its volume");
    assert_eq!(error, "volume kube-api-access-x is gone and still mounted");
}

/// A find of the fuzz target `pod`: the check took only a star at the end for one.
#[test]
fn a_star_of_an_audience_stands_for_anything_wherever_it_is() {
    let pod = |audience: &str| {
        json!({"spec": {
            "volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"audience": audience}}]}}],
            "ephemeralContainers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        }})
    };
    let is_held = |audience: &str, pattern: &str| !api_tokens(&pod(audience), &[pattern]).is_empty();
    for pattern in ["*.example", "https://*", "https://*.example", "*issuer*", "*", "https://issuer.example*"] {
        assert!(!is_held("https://issuer.example", pattern), "{pattern}");
    }
    for pattern in ["*.com", "issuer*", "http://*", "https://*.example.com", "https://issuer.example/*", ""] {
        assert!(is_held("https://issuer.example", pattern), "{pattern}");
    }
    assert!(is_held("", "https://*"));
}
