//! Lookups: which questions a verdict asks its host, word for word, and what comes of answers of every kind. What is no
//! answer is neither a yes nor a no.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/rights.rs"]
mod rights;

use std::cell::RefCell;

use e2e_tests::cluster::Cluster;
use e2e_tests::request::Request;
use e2e_tests::testing::policy;
use e2e_tests::verdict::Verdict;
use serde_json::{Value, json};

const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";
const EMAIL: &str = "etl@my-project.iam.gserviceaccount.com";

/// A host that gives one answer to everything, and notes the questions as they came.
struct Canned {
    answer: Result<Vec<u8>, String>,
    asked: RefCell<Vec<(String, String)>>,
}

impl Cluster for Canned {
    fn answer(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let question = String::from_utf8_lossy(payload).into_owned();
        self.asked.borrow_mut().push((operation.to_owned(), question));
        self.answer.clone()
    }
}

fn says(answer: impl Into<Vec<u8>>) -> Canned {
    Canned { answer: Ok(answer.into()), asked: RefCell::default() }
}

fn fails(text: &str) -> Canned {
    Canned { answer: Err(text.to_owned()), asked: RefCell::default() }
}

/// A cluster in which everything is there, as policy-server prunes it.
fn full(_operation: &str, question: &Value) -> Result<Value, String> {
    let mut metadata = json!({"name": question["name"]});
    if question["kind"] == "ServiceAccount" {
        metadata["annotations"] = json!({"iam.gke.io/gcp-service-account": EMAIL});
    }
    Ok(json!({"metadata": metadata}))
}

fn settings() -> Value {
    let allow = json!({"namespaces": ["*"]});
    let key = |secret: &str| json!({"type": "gcpServiceAccountKey", "secretName": secret, "allow": allow});
    let connection =
        |id: &str| json!({"type": "airflowConnection", "connectionId": id, "secretName": "shared", "allow": allow});
    json!({
        "credentialInjection": {"verifySecrets": true},
        "credentials": {
            "one": key("one"),
            "lake": connection("lake"),
            "sea": connection("sea"),
            "role": {"type": "awsWebIdentity", "roleArn": "arn:aws:iam::111122223333:role/r", "allow": allow},
            "gke": {"type": "gkeWorkloadIdentity", "serviceAccountEmail": EMAIL, "allow": allow},
            "theirs": {"type": "airflowConnection", "connectionId": "x", "allow": {"namespaces": ["elsewhere"]}},
        },
    })
}

fn pod(names: Option<&str>) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "etl", "namespace": "jobs"},
        "spec": {"serviceAccountName": "etl", "containers": [{"name": "base"}]}});
    if let Some(names) = names {
        pod["metadata"]["annotations"] = json!({"airflow-pod-identity/credentials": names});
    }
    pod
}

#[track_caller]
fn judge(request: &Value, settings: &Value, cluster: &dyn Cluster) -> Verdict {
    assert_eq!(policy().validate_settings(settings).expect("an answer").message, None);
    policy().validate(request, settings, cluster).expect("a verdict")
}

/// The verdict on a pod that names these credentials.
#[track_caller]
fn asking(names: &str, settings: &Value, cluster: &dyn Cluster) -> Verdict {
    judge(&Request::create(pod(Some(names))).user(SCHEDULER).build(), settings, cluster)
}

/// Kind and name of everything that a verdict asked for.
fn asked(verdict: &Verdict) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    verdict.host_calls.iter().map(|call| (text(&call.payload["kind"]), text(&call.payload["name"]))).collect()
}

#[test]
fn nothing_is_asked_about_pods_that_no_lookup_concerns() {
    let mut off = settings();
    off["credentialInjection"]["verifySecrets"] = false.into();
    let create = |pod: Value| Request::create(pod).user(SCHEDULER).build();
    let mut labelled = pod(None);
    labelled["metadata"]["labels"] = json!({"tier": "airflow", "kubernetes_executor": "True"});
    let mut reference = pod(None);
    reference["spec"]["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "unknown"}}]);
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"template": pod(Some("one"))}});
    for (what, request, settings) in [
        ("asks for nothing", create(pod(None)), settings()),
        ("a task pod that asks for nothing", create(labelled), settings()),
        ("its own Secret", create(reference), settings()),
        ("a type without a Secret", create(pod(Some("role"))), settings()),
        ("a credential that it may not use", create(pod(Some("theirs"))), settings()),
        ("no such credential", create(pod(Some("nobodys"))), settings()),
        ("verifySecrets is off", create(pod(Some("one,lake"))), off),
        ("no catalogue", create(pod(None)), json!({})),
        ("a template", create(deployment), settings()),
        ("an update", Request::update(pod(Some("one")), pod(Some("one"))).user(SCHEDULER).build(), settings()),
        ("a deletion", Request::delete(pod(Some("one"))).user(SCHEDULER).build(), settings()),
    ] {
        for mode in ["mutate", "validate"] {
            let mut settings = settings.clone();
            settings["mode"] = mode.into();
            let verdict = judge(&request, &settings, &full);
            assert_eq!(asked(&verdict), [], "{what}, {mode}");
        }
    }
}

#[test]
fn one_question_is_asked_for_each_distinct_secret() {
    let pair = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
    for mode in ["mutate", "validate"] {
        let mut settings = settings();
        settings["mode"] = mode.into();
        for (names, expected) in [
            ("one", vec![pair("Secret", "one")]),
            ("lake,sea", vec![pair("Secret", "shared")]),
            ("lake,one,sea,role", vec![pair("Secret", "shared"), pair("Secret", "one")]),
            ("gke,lake", vec![pair("ServiceAccount", "etl"), pair("Secret", "shared")]),
        ] {
            assert_eq!(asked(&asking(names, &settings, &full)), expected, "{names}, {mode}");
        }
    }
    // Several containers make no more of them.
    let mut pod = pod(Some("lake"));
    pod["spec"]["containers"] = json!([{"name": "base"}, {"name": "second"}]);
    pod["metadata"]["annotations"]["airflow-pod-identity/containers"] = "*".into();
    let verdict = judge(&Request::create(pod).user(SCHEDULER).build(), &settings(), &full);
    assert_eq!(asked(&verdict), [pair("Secret", "shared")]);
}

#[test]
fn the_question_is_this_and_asks_for_no_value() {
    for (names, expected) in [
        (
            "one",
            r#"{"api_version":"v1","kind":"Secret","name":"one","namespace":"jobs","disable_cache":false,"field_masks":["metadata.name"]}"#,
        ),
        (
            "gke",
            r#"{"api_version":"v1","kind":"ServiceAccount","name":"etl","namespace":"jobs","disable_cache":false,"field_masks":["metadata.annotations","metadata.name"]}"#,
        ),
    ] {
        let cluster = fails("nobody is there");
        let verdict = asking(names, &settings(), &cluster);
        assert_eq!(*cluster.asked.borrow(), [("get_resource".to_owned(), expected.to_owned())]);
        let call = &verdict.host_calls[0];
        assert_eq!((&*call.binding, &*call.namespace, &*call.operation), ("kubewarden", "kubernetes", "get_resource"));
        assert_eq!(verdict.host_calls.len(), 1);
    }
}

/// The text that policy-server has for an object that is not there.
fn missing(kind: &str, name: &str) -> Canned {
    fails(&format!("Cannot find v1/{kind} named '{name}' inside of namespace 'Some(\"jobs\")'"))
}

#[test]
fn policy_servers_words_for_a_missing_object_are_a_no() {
    let secret = "credentials/secret-missing: metadata.annotations[airflow-pod-identity/credentials]: credential `one` \
                  reads Secret `one`, which the pod's namespace lacks; to mend it, make it: `kubectl create secret \
                  generic one --namespace jobs --from-file=key.json=FILE`";
    let account = format!(
        "credentials/account-lacks-role: metadata.annotations[airflow-pod-identity/credentials]: ServiceAccount `etl` \
         does not exist in namespace `jobs`; to mend it, make it: `kubectl create serviceaccount etl --namespace jobs`, \
         with the annotation `iam.gke.io/gcp-service-account: {EMAIL}`"
    );
    for (names, cluster, told) in
        [("one", missing("Secret", "one"), secret), ("gke", missing("ServiceAccount", "etl"), &*account)]
    {
        for on_error in ["Warn", "Deny"] {
            let mut settings = settings();
            settings["onLookupError"] = on_error.into();
            let verdict = asking(names, &settings, &cluster);
            assert_eq!((verdict.accepted, verdict.code), (false, Some(403)), "{names}, {on_error}");
            assert_eq!(verdict.message.as_deref(), Some(told), "{on_error}");
            assert_eq!(verdict.warnings, [] as [&str; 0], "{on_error}");
        }
    }
}

#[test]
fn an_account_that_acts_as_another_is_denied_and_the_right_one_passes() {
    let account = |email: &str| {
        let annotations = json!({"iam.gke.io/gcp-service-account": email});
        says(json!({"metadata": {"name": "etl", "annotations": annotations}}).to_string())
    };
    assert_eq!(asking("gke", &settings(), &account(EMAIL)).message, None);
    let none = says(r#"{"metadata":{"name":"etl"}}"#);
    let expected = format!(
        "credentials/account-lacks-role: metadata.annotations[airflow-pod-identity/credentials]: ServiceAccount `etl` \
         of namespace `jobs` is not annotated with `iam.gke.io/gcp-service-account: {EMAIL}`, which this pod \
         needs; to mend it, annotate it: `kubectl annotate serviceaccount etl --namespace jobs --overwrite \
         iam.gke.io/gcp-service-account={EMAIL}`; or run the pod as a ServiceAccount that has the annotation"
    );
    for cluster in [account("other@my-project.iam.gserviceaccount.com"), account(""), none] {
        assert_eq!(asking("gke", &settings(), &cluster).message.as_deref(), Some(&*expected));
    }
}

#[test]
fn what_a_host_sends_of_a_secret_is_never_told() {
    const MARKER: &str = "CANARYc2VjcmV0";
    let data = json!({"key.json": MARKER, "connection": MARKER});
    let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": MARKER, "note": MARKER});
    let object = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "type": MARKER, "data": data, "stringData": data,
            "metadata": {"name": name, "namespace": MARKER, "annotations": annotations, "labels": {"a": MARKER}}})
        .to_string()
    };
    let answers = [
        object("one"),
        object("etl"),
        object("other"),
        object(MARKER),
        object("one").replace(r#""name":"one""#, &format!(r#""name":["{MARKER}"]"#)),
        object("one").replace('}', ""),
        format!("{MARKER} {}", object("one")),
        format!(r#"{{"{MARKER}":1,"{MARKER}":2,"metadata":{{"{MARKER}":[{{}}]}}}}"#),
    ];
    for answer in answers {
        let cluster = says(answer.clone());
        for (names, mode) in [("one", "mutate"), ("one", "validate"), ("gke", "mutate"), ("gke", "validate")] {
            for on_error in ["Warn", "Deny"] {
                let mut settings = settings();
                settings["mode"] = mode.into();
                settings["onLookupError"] = on_error.into();
                let verdict = asking(names, &settings, &cluster);
                let told = format!("{} {:?}", String::from_utf8_lossy(&verdict.raw), verdict.logs);
                assert!(!told.contains("CANARY"), "{names}, {mode}, {on_error}, {answer}: {told}");
                assert_eq!(verdict.host_calls.len(), 1);
            }
        }
    }
}
