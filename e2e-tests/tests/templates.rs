//! The nine kinds that carry a pod: the same pod in each is judged alike, and a template is never changed.

#[path = "support/kinds.rs"]
mod kinds;
#[path = "support/review.rs"]
mod review;

use e2e_tests::request::Request;
use serde_json::{Value, json};

use crate::kinds::{KINDS, Kind};
use crate::review::{Told, answer, told};

const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";
const LAUNCHER: &str = "system:serviceaccount:airflow:airflow-worker";
/// Who deploys Airflow: somebody with Helm, a GitOps controller.
const DEPLOYERS: [&str; 2] = ["jane", "system:serviceaccount:argocd:argocd-application-controller"];

/// A pod with something wrong.
struct Case {
    name: &'static str,
    labels: Value,
    spec: Value,
    /// What is found: id, path in the pod, container.
    found: Vec<(&'static str, &'static str, Option<&'static str>)>,
    /// Whether `mutate` repairs all of it in the pod.
    repairable: bool,
}

fn scheduler() -> Value {
    json!({"tier": "airflow", "component": "scheduler"})
}

/// A scheduler's spec, whose holder mounts a token of its own.
fn spec() -> Value {
    json!({
        "serviceAccountName": "airflow-scheduler",
        "automountServiceAccountToken": false,
        "initContainers": [{"name": "wait", "image": "airflow"}],
        "containers": [
            {"name": "scheduler", "image": "airflow", "volumeMounts": [{"name": "token", "mountPath": "/token"}]},
            {"name": "groomer", "image": "airflow"},
        ],
        "volumes": [
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
            {"name": "logs", "emptyDir": {}},
        ],
    })
}

fn settings(templates: &str) -> Value {
    json!({
        "tokenMounts": {"airflowPods": "Enforce", "otherPods": "NoToken", "templates": templates},
        "nodeAccess": {"failureAction": "Enforce"},
        "podOperator": {},
        "secretAccess": {"protected": [{"secrets": ["airflow-jwt-*"], "namespaces": ["airflow"],
            "allow": {"namespaces": ["airflow"], "serviceAccounts": ["airflow/airflow-api-server"]}}]},
    })
}

fn cases() -> Vec<Case> {
    let case = |name, found, repairable, change: &dyn Fn(&mut Value)| {
        let mut spec = spec();
        change(&mut spec);
        Case { name, labels: scheduler(), spec, found, repairable }
    };
    let mount = |name: &str, path: &str| json!([{"name": name, "mountPath": path}]);
    let add = |spec: &mut Value, volume: Value| {
        spec["volumes"].as_array_mut().expect("a list").push(volume);
    };
    let injected = json!({"name": "kube-api-access-x7k2p", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]}});
    let jwt =
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YWlyZmxvdzphaXJmbG93LXNjaGVkdWxlciJ9.ZmFrZQ";
    let mut cases = vec![
        case("nothing", vec![], true, &|_| ()),
        case(
            "declared token, in two containers",
            vec![
                ("token-mounts/declared-token", "spec.initContainers[0].volumeMounts[0]", Some("wait")),
                ("token-mounts/declared-token", "spec.containers[1].volumeMounts[0]", Some("groomer")),
            ],
            false,
            &|spec| {
                spec["initContainers"][0]["volumeMounts"] = mount("token", "/elsewhere");
                spec["containers"][1]["volumeMounts"] = mount("token", "/elsewhere");
            },
        ),
        case(
            "node path",
            vec![("node-access/node-path", "spec.containers[1].volumeMounts[0]", Some("groomer"))],
            false,
            &|spec| {
                spec["containers"][1]["volumeMounts"] = mount("node", "/node");
                add(spec, json!({"name": "node", "hostPath": {"path": "/var/lib/kubelet/pods"}}));
            },
        ),
        case("node path, unused", vec![("node-access/node-path", "spec.volumes[2]", None)], false, &|spec| {
            add(spec, json!({"name": "node", "hostPath": {"path": "/"}}));
        }),
        case("hostPID", vec![("node-access/host-namespace", "spec.hostPID", None)], false, &|spec| {
            spec["hostPID"] = true.into();
        }),
        case("privileged", vec![("node-access/privileged", "spec.initContainers[0]", Some("wait"))], false, &|spec| {
            spec["initContainers"][0]["securityContext"] = json!({"privileged": true});
        }),
        case("protected Secret", vec![("secret-access/protected-secret", "spec.volumes[2]", None)], false, &|spec| {
            add(spec, json!({"name": "jwt", "secret": {"secretName": "airflow-jwt-secret"}}));
        }),
        case(
            "protected Secret in env",
            vec![("secret-access/protected-secret", "spec.containers[1].envFrom[0]", Some("groomer"))],
            false,
            &|spec| {
                spec["containers"][1]["envFrom"] = json!([{"secretRef": {"name": "airflow-jwt-secret"}}]);
            },
        ),
        case(
            "literal token",
            vec![("token-mounts/literal-token", "spec.containers[1].env[0]", Some("groomer"))],
            false,
            &|spec| spec["containers"][1]["env"] = json!([{"name": "TOKEN", "value": jwt}]),
        ),
        case(
            "shared processes",
            vec![("token-mounts/shared-processes", "spec.shareProcessNamespace", None)],
            false,
            &|spec| spec["shareProcessNamespace"] = true.into(),
        ),
        case(
            "automount true",
            vec![("token-mounts/automount-true", "spec.automountServiceAccountToken", None)],
            true,
            &|spec| spec["automountServiceAccountToken"] = true.into(),
        ),
        case(
            "the API server's volume",
            vec![("token-mounts/injected-token", "spec.containers[1].volumeMounts[0]", Some("groomer"))],
            true,
            &|spec| {
                let path = "/var/run/secrets/kubernetes.io/serviceaccount";
                spec["containers"][1]["volumeMounts"] = mount("kube-api-access-x7k2p", path);
                add(spec, injected.clone());
            },
        ),
    ];
    cases.push(Case {
        name: "default account",
        labels: json!({"kubernetes_pod_operator": "True"}),
        spec: json!({"containers": [{"name": "base", "image": "busybox"}]}),
        found: vec![("pod-operator/default-account", "spec.serviceAccountName", None)],
        repairable: false,
    });
    cases
}

/// The request that creates an object: pods come from a controller, the rest from a deployer.
fn create(object: &Value) -> Value {
    let user = if object["kind"] == "Pod" { CONTROLLER } else { DEPLOYERS[0] };
    Request::create(object.clone()).user(user).build()
}

fn update(object: &Value, old: &Value, user: &str) -> Value {
    Request::update(object.clone(), old.clone()).user(user).build()
}

#[track_caller]
fn assert_untouched(request: &Value, settings: &Value, modes: &[&str], what: &str) {
    for mode in modes {
        let raw = answer(request, settings, mode).raw;
        assert_eq!(String::from_utf8_lossy(&raw), r#"{"accepted":true}"#, "{what}: {mode}");
    }
}

/// What stands before a path of the pod's.
fn prefix(kind: Kind) -> String {
    kind.path.iter().map(|step| format!("{step}.")).collect()
}

fn templates() -> impl Iterator<Item = Kind> {
    KINDS.into_iter().filter(|kind| !kind.path.is_empty())
}

#[test]
fn the_same_pod_has_the_same_findings_in_every_kind() {
    for case in cases() {
        for kind in KINDS {
            let request = create(&kind.object(&case.labels, &case.spec));
            let what = format!("{} in {}", case.name, kind.name);
            let found = told(&answer(&request, &settings("Strict"), "validate"));
            let expected = case.found.iter().map(|(id, path, container)| Told {
                id: (*id).to_owned(),
                path: format!("{}{path}", prefix(kind)),
                container: container.map(str::to_owned),
            });
            assert_eq!(found, expected.collect::<Vec<_>>(), "{what}");
        }
    }
}

#[test]
fn what_will_be_mended_in_the_pods_is_told_under_strict_alone_and_no_template_is_changed() {
    for case in cases() {
        for kind in templates() {
            let request = create(&kind.object(&case.labels, &case.spec));
            let what = format!("{} in {}", case.name, kind.name);
            if case.repairable {
                assert_untouched(&request, &settings("Repairable"), &["mutate", "validate"], &what);
                assert_untouched(&request, &settings("Strict"), &["mutate"], &what);
                continue;
            }
            for (templates, mode) in [("Repairable", "mutate"), ("Repairable", "validate"), ("Strict", "mutate")] {
                let verdict = answer(&request, &settings(templates), mode);
                assert_eq!((verdict.code, verdict.mutated_object), (Some(403), None), "{what}: {templates}, {mode}");
            }
        }
    }
}

#[test]
fn the_volume_of_the_settings_and_credentials_are_for_pods_alone() {
    let mut settings = settings("Repairable");
    settings["tokenMounts"]["serviceAccountTokenVolume"] = json!({"enabled": true});
    settings["tokenMounts"]["requireAutomountFalse"] = true.into();
    settings["credentials"] = json!({"team-a": {"type": "gcpServiceAccountKey", "allow": {"namespaces": ["airflow"]}}});
    let spec = json!({"containers": [{"name": "scheduler", "image": "airflow"}]});
    for kind in KINDS {
        let mut pod = json!({"metadata": {"labels": scheduler()}, "spec": spec});
        pod["metadata"]["annotations"] = json!({"airflow-pod-identity/credentials": "team-a"});
        let request = create(&kind.around(&pod));
        if kind.path.is_empty() {
            assert!(answer(&request, &settings, "mutate").mutated_object.is_some(), "{}", kind.name);
        } else {
            assert_untouched(&request, &settings, &["mutate", "validate"], kind.name);
        }
    }
}

#[test]
fn other_groups_versions_and_subresources_are_not_judged() {
    let leak = &cases()[1];
    for (version, kind) in [
        ("extensions/v1beta1", "Deployment"),
        ("apps/v1beta2", "Deployment"),
        ("apps/v2", "Deployment"),
        ("batch/v1", "Deployment"),
        ("v1", "Deployment"),
        ("apps/v1", "Job"),
        ("batch/v1beta1", "CronJob"),
        ("apps/v1", "PodTemplate"),
        ("apps/v1", "Pod"),
        ("v2", "Pod"),
        ("example.com/v1", "StatefulSet"),
        ("apps/v1", "ReplicationController"),
        ("argoproj.io/v1alpha1", "Rollout"),
    ] {
        for carrier in KINDS {
            let mut object = carrier.object(&leak.labels, &leak.spec);
            (object["apiVersion"], object["kind"]) = (version.into(), kind.into());
            let request = Request::create(object).user(DEPLOYERS[0]).build();
            assert_untouched(&request, &settings("Strict"), &["mutate", "validate"], &format!("{version} {kind}"));
        }
    }
    for kind in templates() {
        let object = kind.object(&leak.labels, &leak.spec);
        for subresource in ["status", "scale"] {
            let request = Request::update(object.clone(), object.clone()).subresource(subresource).user("jane").build();
            assert_untouched(&request, &settings("Strict"), &["mutate", "validate"], subresource);
        }
    }
}

#[test]
fn a_launchers_template_that_claims_to_be_a_components_is_denied() {
    for kind in templates() {
        let (claim, plain) = (kind.object(&scheduler(), &spec()), kind.object(&json!({"app": "x"}), &json!({})));
        let spoofed = Told {
            id: "token-mounts/spoofed-template".to_owned(),
            path: format!("{}metadata.labels", prefix(kind)),
            container: None,
        };
        // Whatever is only reported of other Airflow pods: this concerns the components.
        for settings in [json!({}), settings("Strict")] {
            for mode in ["mutate", "validate"] {
                let create = Request::create(claim.clone()).user(LAUNCHER).build();
                for request in [create, update(&claim, &plain, LAUNCHER)] {
                    let verdict = answer(&request, &settings, mode);
                    assert_eq!(verdict.code, Some(403), "{}: {verdict:?}", kind.name);
                    assert_eq!(told(&verdict).first(), Some(&spoofed), "{}", kind.name);
                }
                // It stood there before, and somebody else brought it.
                assert!(answer(&update(&claim, &claim, LAUNCHER), &settings, mode).accepted, "{}", kind.name);
                assert!(answer(&update(&plain, &claim, LAUNCHER), &settings, mode).accepted, "{}", kind.name);
            }
            for user in DEPLOYERS {
                let create = Request::create(claim.clone()).user(user).build();
                for request in [create, update(&claim, &plain, user), update(&claim, &claim, user)] {
                    assert_untouched(&request, &settings, &["mutate", "validate"], kind.name);
                }
            }
        }
        // A task's Job that claims nothing is no component's.
        let task = kind.object(&json!({"kubernetes_pod_operator": "True"}), &json!({"containers": [{"name": "base"}]}));
        assert_untouched(&Request::create(task).user(LAUNCHER).build(), &json!({}), &["mutate", "validate"], kind.name);
    }
}

#[test]
fn a_claim_of_a_launchers_template_is_denied_where_other_airflow_pods_are_ignored() {
    let settings = json!({"tokenMounts": {"airflowPods": "Ignore"}});
    for kind in templates() {
        let request = Request::create(kind.object(&scheduler(), &spec())).user(LAUNCHER).build();
        assert_eq!(answer(&request, &settings, "validate").code, Some(403), "{}", kind.name);
    }
}

#[test]
fn exceptions_match_by_the_owners_name_and_the_templates_labels() {
    let leak = &cases()[1];
    for kind in templates() {
        let mut object = kind.object(&leak.labels, &leak.spec);
        // The labels and the name that do not count.
        object["metadata"]["labels"] = json!({"team": "owner"});
        let matches = |matched: &Value| {
            let mut settings = settings("Strict");
            settings["exceptions"] = json!([{"name": "legacy", "rules": ["token-mounts"], "match": matched}]);
            let verdicts = ["mutate", "validate"].map(|mode| answer(&create(&object), &settings, mode));
            let excused = verdicts.each_ref().map(|verdict| verdict.audit_annotations.contains_key("exceptions"));
            assert_eq!(verdicts.each_ref().map(|verdict| verdict.accepted), excused, "{}: {matched}", kind.name);
            assert_eq!(excused[0], excused[1], "{}: {matched}", kind.name);
            excused[0]
        };
        let by = |key: &str, value: Value| {
            let mut matched = json!({"namespaces": ["airflow"]});
            matched[key] = value;
            matched
        };
        assert!(matches(&by("names", json!(["etl"]))), "{}", kind.name);
        assert!(matches(&by("names", json!(["e*"]))), "{}", kind.name);
        assert!(matches(&by("labels", json!({"component": "scheduler"}))), "{}", kind.name);
        assert!(matches(&by("serviceAccounts", json!(["airflow/airflow-scheduler"]))), "{}", kind.name);
        assert!(matches(&by("requesters", json!(["jane"]))), "{}", kind.name);
        assert!(!matches(&by("names", json!(["etl-*"]))), "{}", kind.name);
        assert!(!matches(&by("labels", json!({"team": "owner"}))), "{}", kind.name);
        assert!(!matches(&by("requesters", json!(["john"]))), "{}", kind.name);
        assert!(!matches(&json!({"namespaces": ["other"]})), "{}", kind.name);
    }
}

#[test]
fn an_update_passes_with_what_was_found_before_and_fails_with_what_is_new() {
    for case in cases().iter().filter(|case| !case.found.is_empty()) {
        for kind in templates() {
            let what = format!("{} in {}", case.name, kind.name);
            let object = kind.object(&case.labels, &case.spec);
            let mut other = object.clone();
            other["metadata"]["labels"] = json!({"touched": "yes"});
            assert_untouched(&update(&other, &object, "jane"), &settings("Strict"), &["mutate", "validate"], &what);
            let good = kind.object(&scheduler(), &spec());
            let verdict = answer(&update(&object, &good, "jane"), &settings("Strict"), "validate");
            assert_eq!(told(&verdict).len(), case.found.len(), "{what}: {verdict:?}");
            assert_untouched(&update(&good, &object, "jane"), &settings("Strict"), &["mutate", "validate"], &what);
        }
    }
}

#[test]
fn what_is_being_deleted_and_what_holds_no_pod_passes() {
    let leak = &cases()[1];
    let both = &["mutate", "validate"][..];
    for kind in templates() {
        let object = kind.object(&leak.labels, &leak.spec);
        let mut deleted = kind.object(&json!({}), &spec());
        deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert_untouched(&update(&object, &deleted, LAUNCHER), &settings("Strict"), both, kind.name);
        let delete = Request::delete(object).user("jane").build();
        assert_untouched(&delete, &settings("Strict"), both, kind.name);
        // Nothing at each step of the way to the spec.
        for depth in 0..=kind.path.len() {
            for nothing in [Value::Null, json!({})] {
                let inner = Kind { path: &kind.path[..depth], ..kind };
                let empty = if depth == 0 { kind.around(&Value::Null) } else { inner.around(&nothing) };
                assert_untouched(&create(&empty), &settings("Strict"), both, &empty.to_string());
            }
        }
        for pod in [json!({"spec": null}), json!({"metadata": null, "spec": null}), json!({"metadata": {}})] {
            assert_untouched(&create(&kind.around(&pod)), &settings("Strict"), both, kind.name);
        }
    }
}
