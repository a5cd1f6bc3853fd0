//! Lookups: which questions a verdict asks its host, word for word, and what comes of answers of every kind. What is no
//! answer is neither a yes nor a no.

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

/// What is wrong with an answer, as a warning says it.
const NO_ANSWERS: [(&str, &str, &str); 16] = [
    ("empty", "", "the answer can't be used: not valid JSON: expected a value at byte 0"),
    ("no JSON", "no such thing", "the answer can't be used: not valid JSON: expected a value at byte 0"),
    ("half an object", r#"{"metadata":{"name":"one""#, "the answer can't be used: not valid JSON: "),
    ("more than an object", r#"{"metadata":{"name":"one"}} {}"#, "the answer can't be used: not valid JSON: "),
    ("null", "null", "the answer can't be used: answer must be an object"),
    ("true", "true", "the answer can't be used: answer must be an object"),
    ("a text", r#""one""#, "the answer can't be used: answer must be an object"),
    ("a bare list", r#"[{"metadata":{"name":"one"}}]"#, "the answer can't be used: answer must be an object"),
    ("no metadata", "{}", "the answer can't be used: answer must be the object that was asked for"),
    ("metadata is null", r#"{"metadata":null}"#, "the answer can't be used: "),
    ("metadata is a text", r#"{"metadata":"one"}"#, "the answer can't be used: metadata must be an object"),
    ("no name", r#"{"metadata":{}}"#, "the answer can't be used: answer must be the object that was asked for"),
    ("a number for a name", r#"{"metadata":{"name":1}}"#, "the answer can't be used: metadata.name must be a string"),
    (
        "another object",
        r#"{"metadata":{"name":"other"}}"#,
        "the answer can't be used: answer must be the object that was asked for",
    ),
    (
        "a list of objects",
        r#"{"kind":"SecretList","metadata":{},"items":[{"metadata":{"name":"one"}}]}"#,
        "the answer can't be used: answer must be the object that was asked for",
    ),
    ("two names", r#"{"metadata":{"name":"one","name":"other"}}"#, "the answer can't be used: "),
];

/// What a host says when it has no answer, and how a warning says it, after waPC's own `Host error: `.
const FAILURES: [(&str, &str, &str); 6] = [
    (
        "refused",
        r#"secrets "one" is forbidden: User "system:serviceaccount:kubewarden:policy-server" cannot get resource "secrets" in API group "" in the namespace "jobs""#,
        r#"secrets "one" is forbidden: User "system:serviceaccount:kubewarden:policy-server" cannot get"#,
    ),
    ("timeout", "timed out waiting for the API server", "timed out waiting for the API server"),
    (
        "not declared",
        "Policy has not been granted access to Kubernetes v1/Secret. The violation has been reported.",
        "Policy has not been granted access to Kubernetes v1/Secret. The violation has been reported.",
    ),
    (
        "another kind",
        "Cannot find v1/ConfigMap named 'one' inside of namespace 'Some(\"jobs\")'",
        "Cannot find v1/ConfigMap",
    ),
    ("nothing", "", ""),
    ("odd words", "a\n\u{1b}[31m`b`\u{e9}", "a[31mb"),
];

/// Under `Warn` the pod passes as if nothing had been looked up, and a warning says what was not checked; under `Deny` it
/// is denied with code 500. In neither case is the Secret said to be missing.
#[track_caller]
fn neither_yes_nor_no(what: &str, cluster: &Canned, told: &str) {
    let told = format!("Secret `one` of namespace `jobs` can't be looked up: {told}");
    for mode in ["mutate", "validate"] {
        let mut settings = settings();
        settings["mode"] = mode.into();
        let without = {
            let mut settings = settings.clone();
            settings["credentialInjection"]["verifySecrets"] = false.into();
            asking("one", &settings, cluster)
        };
        let warned = asking("one", &settings, cluster);
        assert_eq!((warned.accepted, &warned.message), (without.accepted, &without.message), "{what}, {mode}");
        assert_eq!(warned.mutated_object, without.mutated_object, "{what}, {mode}");
        if mode == "mutate" {
            assert_eq!((without.accepted, without.mutated_object.is_some()), (true, true));
        }
        let warnings: Vec<&String> = warned.warnings.iter().filter(|text| text.starts_with("not checked: ")).collect();
        let is_told = warnings.len() == 1 && warnings[0].starts_with(&format!("not checked: {told}"));
        assert!(is_told || mode == "validate", "{what}, {mode}: {:?} instead of {told}", warned.warnings);
        assert!(warned.warnings.iter().all(|text| text.chars().count() <= 256), "{what}: {:?}", warned.warnings);

        settings["onLookupError"] = "Deny".into();
        let denied = asking("one", &settings, cluster);
        assert!(!denied.accepted && denied.mutated_object.is_none(), "{what}, {mode}");
        let message = denied.message.unwrap_or_default();
        assert!(!message.contains("secret-missing"), "{what}, {mode}: {message}");
        if mode == "mutate" {
            let expected = format!("a lookup failed, and `onLookupError: Deny` lets nothing pass unchecked: {told}");
            assert_eq!(denied.code, Some(500), "{what}: {message}");
            assert!(message.starts_with(&expected), "{what}: {message}");
        }
    }
}

#[test]
fn what_is_no_answer_is_neither_a_yes_nor_a_no() {
    for (what, answer, told) in NO_ANSWERS {
        neither_yes_nor_no(what, &says(answer), told);
    }
    neither_yes_nor_no("not UTF-8", &says([b'{', 0xff, b'}']), "the answer can't be used: answer must be UTF-8");
    let deep = format!(r#"{{"x":{}{},"metadata":{{"name":"one"}}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    neither_yes_nor_no("nested deeply", &says(deep), "the answer can't be used: ");
    let huge = format!(r#"{{"metadata":{{"name":"{}"}}}}"#, "x".repeat(3_000_000));
    neither_yes_nor_no("huge, another object", &says(huge), "the answer can't be used: answer must be the object");
}

#[test]
fn a_host_that_fails_is_neither_a_yes_nor_a_no() {
    for (what, text, told) in FAILURES {
        neither_yes_nor_no(what, &fails(text), &format!("Host error: {told}"));
    }
    neither_yes_nor_no("many words", &fails(&"no ".repeat(100_000)), "Host error: no no no no");
}

#[test]
fn a_huge_answer_that_is_the_object_is_a_yes() {
    let more = json!({"metadata": {"name": "one", "labels": {"x": "y".repeat(3_000_000)}}});
    let verdict = asking("one", &settings(), &says(more.to_string()));
    assert_eq!((verdict.accepted, verdict.message, verdict.warnings), (true, None, vec![]));
    assert!(verdict.mutated_object.is_some());
}

#[test]
fn a_warning_about_long_names_keeps_to_its_length() {
    let mut settings = settings();
    let secret = ["x".repeat(62), "y".repeat(62), "z".repeat(62), "w".repeat(62)].join(".");
    settings["credentials"]["one"]["secretName"] = secret.clone().into();
    let verdict = asking("one", &settings, &fails(&"no ".repeat(1_000)));
    assert!(verdict.accepted);
    let lengths: Vec<usize> = verdict.warnings.iter().map(|text| text.chars().count()).collect();
    assert!(!lengths.is_empty() && lengths.iter().all(|length| *length <= 256), "{lengths:?}");
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
         iam.gke.io/gcp-service-account={EMAIL}`; or run the pod as the ServiceAccount that is"
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
