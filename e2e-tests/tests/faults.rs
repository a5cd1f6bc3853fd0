//! Hosts that are slow, change their minds or contradict themselves, and settings of megabytes: every request gets the right
//! verdict, or the error that policy-server knows, in time.

#![cfg(feature = "engine")]

use std::cell::RefCell;
use std::time::{Duration, Instant};

use e2e_tests::cluster::{Cluster, NoCluster};
use e2e_tests::error::{CallError, TIME_LIMIT};
use e2e_tests::fuel::Meter;
use e2e_tests::host::payload;
use e2e_tests::request::Request;
use e2e_tests::testing::{module, policy};
use e2e_tests::verdict::Verdict;
use serde_json::{Map, Value, json};

const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";

/// A host that takes its time.
struct Slow(Duration);

impl Cluster for Slow {
    fn answer(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        std::thread::sleep(self.0);
        there(operation, &serde_json::from_slice(payload).map_err(|error| error.to_string())?)
            .map(|answer| answer.to_string().into_bytes())
    }
}

/// Everything is there, and everything is allowed.
fn there(operation: &str, question: &Value) -> Result<Value, String> {
    Ok(match operation {
        "can_i" => json!({"allowed": true}),
        _ => json!({"metadata": {"name": question["name"], "annotations": {}}}),
    })
}

fn missing(question: &Value) -> String {
    let text = |key: &str| question[key].as_str().unwrap_or_default().to_owned();
    format!("Cannot find v1/{} named '{}' inside of namespace 'Some(\"jobs\")'", text("kind"), text("name"))
}

/// A task pod that names credentials, in a namespace of its own.
fn task(names: &str) -> Value {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "namespace": "jobs", "labels": {"kubernetes_executor": "True"},
            "annotations": {"airflow-pod-identity/credentials": names}},
        "spec": {"serviceAccountName": "etl", "containers": [{"name": "base"}, {"name": "airflow-xcom-sidecar"}]}});
    Request::create(pod).user(SCHEDULER).build()
}

/// Settings under which a task pod of three credentials makes the policy ask as much as it ever asks.
fn curious(on_error: &str) -> Value {
    let key = |secret: &str| {
        json!({"type": "airflowConnection", "connectionId": secret, "secretName": secret,
        "allow": {"namespaces": ["jobs"]}})
    };
    json!({
        "credentialInjection": {"verifySecrets": true},
        "serviceAccounts": {"failureAction": "Enforce"},
        "rbac": {"failureAction": "Enforce"},
        "onLookupError": on_error,
        "credentials": {"one": key("one"), "two": key("two"), "three": key("three")},
    })
}

#[track_caller]
fn judge(request: &Value, settings: &Value, cluster: &dyn Cluster) -> Verdict {
    assert_eq!(policy().validate_settings(settings).expect("an answer").message, None);
    policy().validate(request, settings, cluster).expect("a verdict")
}

#[test]
fn a_slow_host_gets_few_questions_and_the_verdict_is_that_of_a_fast_one() {
    let (request, settings) = (task("one,two,three"), curious("Deny"));
    let fast = judge(&request, &settings, &there);
    assert_eq!((fast.accepted, fast.mutated_object.is_some()), (true, true), "{:?}", fast.message);
    let questions = u32::try_from(fast.host_calls.len()).expect("a few");
    assert!((8..=14).contains(&questions), "{questions} questions");
    let each = TIME_LIMIT / (questions + 4);
    let slow = judge(&request, &settings, &Slow(each));
    assert_eq!(slow.raw, fast.raw, "{each:?} for each of {questions} answers");
}

/// The policy server stops a call at its limit, host calls included; what becomes of the request is the webhook's
/// `failurePolicy`. The policy can't answer for a host that does not.
#[test]
fn a_host_that_does_not_answer_in_time_is_the_policy_servers_to_stop() {
    let policy = policy();
    let started = Instant::now();
    let stopped = policy.validate(&task("one"), &curious("Warn"), &Slow(TIME_LIMIT + Duration::from_millis(300)));
    assert!(matches!(stopped, Err(CallError::Timeout)), "{stopped:?}");
    assert!(started.elapsed() < TIME_LIMIT * 2, "one answer is waited for, not {:?}", started.elapsed());
}

/// Each question is asked once: a host that would answer it in another way next time is not noticed, and a verdict does not
/// contradict itself.
#[test]
fn a_host_that_changes_its_mind_gives_one_of_two_verdicts() {
    let settings = curious("Deny");
    let verdict = |first: bool| {
        let turn = RefCell::new(first);
        let fickle = move |operation: &str, question: &Value| {
            let yes = *turn.borrow();
            if operation == "can_i" || question["kind"] != "Secret" {
                return there(operation, question);
            }
            turn.replace(!yes);
            if yes { there(operation, question) } else { Err(missing(question)) }
        };
        judge(&task("one"), &settings, &fickle)
    };
    let (yes, no) = (verdict(true), verdict(false));
    assert!(yes.accepted, "{:?}", yes.message);
    assert_eq!(no.code, Some(403));
    assert!(no.message.is_some_and(|message| message.starts_with("credentials/secret-missing: ")));
}

#[test]
fn answers_that_contradict_themselves_are_neither_a_yes_nor_a_no() {
    let told = "a lookup failed, and `onLookupError: Deny` lets nothing pass unchecked: whether ServiceAccount \
        `airflow/airflow-scheduler` may `get pods` in namespace `jobs` is not known: the answer can't be used: ";
    for (answer, why) in [
        (json!({"allowed": true, "denied": true}), "answer.allowed must be false beside denied: true"),
        (json!({"denied": true}), "answer.allowed must be true or false"),
        (json!({"allowed": "true", "denied": false}), "answer.allowed must be true or false"),
    ] {
        let host = |operation: &str, question: &Value| match operation {
            "can_i" => Ok(answer.clone()),
            _ => there(operation, question),
        };
        let verdict = judge(&task("one"), &curious("Deny"), &host);
        let message = verdict.message.unwrap_or_default();
        assert_eq!((verdict.code, message.lines().next().unwrap_or_default()), (Some(500), &*format!("{told}{why}")));
    }
    for (answer, code) in [
        (json!({"allowed": true, "denied": false}), None),
        (json!({"allowed": true, "denied": null, "reason": "RBAC: allowed"}), None),
        (json!({"allowed": false, "denied": true}), Some(403)),
    ] {
        let host = |operation: &str, question: &Value| match operation {
            "can_i" => Ok(answer.clone()),
            _ => there(operation, question),
        };
        assert_eq!(judge(&task("one"), &curious("Deny"), &host).code, code, "{answer}");
    }
}

/// Settings of five megabytes, which policy-server sends along with every request: valid ones.
fn huge() -> Value {
    let entry = |index: usize| {
        (
            format!("credential-{index}"),
            json!({"type": "gcpServiceAccountKey", "secretName": format!("secret-{index}"),
            "allow": {"namespaces": ["airflow", format!("team-{index}")]}}),
        )
    };
    let settings = json!({"credentials": (0..40_000).map(entry).collect::<Map<_, _>>()});
    assert!(settings.to_string().len() > 5_000_000, "{} bytes", settings.to_string().len());
    settings
}

#[test]
fn settings_of_five_megabytes_are_read_in_time_and_judge_as_they_say() {
    let settings = huge();
    assert_eq!(policy().validate_settings(&settings).expect("an answer in time").message, None);
    let request = |name: &str| {
        let mut request = task(name);
        request["namespace"] = "team-39999".into();
        request["object"]["metadata"]["namespace"] = "team-39999".into();
        request
    };
    for mode in ["mutate", "validate"] {
        let mut settings = settings.clone();
        settings["mode"] = mode.into();
        let judge = |name: &str| policy().validate(&request(name), &settings, &NoCluster).expect("a verdict in time");
        let last = judge("credential-39999");
        assert_eq!(last.accepted && last.mutated_object.is_some(), mode == "mutate", "{:?}", last.message);
        let other = judge("credential-39998");
        let message = other.message.unwrap_or_default();
        assert!(!other.accepted && message.contains("credentials/not-allowed: "), "{message}");
    }
}

/// Makes an entry of the catalogue wrong.
type Spoil<'s> = dyn Fn(&mut Value) + 's;

#[test]
fn settings_of_five_megabytes_that_are_wrong_are_refused_in_time_and_not_at_length() {
    let misspell = |entry: &mut Value| entry["secretNam"] = entry["secretName"].take();
    let incomplete = json!({"type": "awsWebIdentity", "allow": {"namespaces": ["x".repeat(80)]}});
    let spoils: [(&Spoil<'_>, &str); 2] = [
        (&misspell, "`credentials.credential-0.secretNam` is no setting: did you mean `secretName`?"),
        (&|entry| *entry = incomplete.clone(), "`credentials.credential-0.roleArn` is required"),
    ];
    for (spoil, first) in spoils {
        let mut wrong = huge();
        wrong["credentials"].as_object_mut().expect("an object").values_mut().for_each(spoil);
        let answer = policy().validate_settings(&wrong).expect("an answer in time");
        let message = answer.message.unwrap_or_default();
        let lines: Vec<&str> = message.lines().collect();
        assert!(!answer.valid);
        assert_eq!(lines.len(), 102);
        assert_eq!(lines[1], format!("- {first}"));
        let told = lines[0].strip_suffix(" problems in the settings").and_then(|count| count.parse::<usize>().ok());
        let more = lines[101].strip_prefix("- and ").and_then(|rest| rest.strip_suffix(" more")?.parse::<usize>().ok());
        assert_eq!(told, more.map(|more| more + 100), "{} {}", lines[0], lines[101]);
        let denied = policy().validate(&task("credential-1"), &wrong, &NoCluster).expect("a verdict in time");
        assert!(denied.message.is_some_and(|message| message.len() < 1_000) && !denied.accepted);
    }
}

/// What the policy server lets through at most: a body of 2 MiB.
#[test]
fn the_largest_request_is_judged_within_a_fifth_of_the_time_and_little_memory() {
    let mut request = task("one");
    let settings = json!({"tokenMounts": {"airflowPods": "Enforce"}, "credentialInjection": {"verifySecrets": false},
        "credentials": {"one": {"type": "gcpServiceAccountKey", "allow": {"namespaces": ["jobs"]}}}});
    let fill = |request: &mut Value, size: usize| {
        let missing = size - payload(request, &settings).len();
        request["object"]["metadata"]["annotations"]["example.com/notes"] = "n".repeat(missing - 25).into();
        assert!((size - 30..=size).contains(&payload(request, &settings).len()));
    };
    let meter = Meter::new(&std::fs::read(module()).expect("a readable module")).expect("a module");
    // What is said of the pod without the notes is said of it with them, and the notes stay as they are.
    let mut expected = policy().validate_payload(&payload(&request, &settings), &NoCluster).expect("a verdict in time");
    let injected = expected.mutated_object.as_ref().map(|pod| &pod["spec"]["volumes"][0]["secret"]["secretName"]);
    assert_eq!(injected, Some(&json!("one")));
    for (size, memory) in [(1_000_000, 8_000_000), (2_097_152, 12_000_000)] {
        request["object"]["metadata"]["annotations"].as_object_mut().map(|notes| notes.remove("example.com/notes"));
        fill(&mut request, size);
        let payload = payload(&request, &settings);
        let measured = meter.measure(&payload).expect("a verdict");
        assert!(measured.memory_bytes < memory, "{} bytes of memory for {size}", measured.memory_bytes);
        let started = Instant::now();
        let verdict = policy().validate_payload(&payload, &NoCluster).expect("a verdict in time");
        assert!(started.elapsed() < TIME_LIMIT / 5, "{:?} for {size} bytes", started.elapsed());
        if let Some(pod) = &mut expected.mutated_object {
            pod["metadata"]["annotations"]["example.com/notes"] =
                request["object"]["metadata"]["annotations"]["example.com/notes"].clone();
        }
        assert_eq!((&verdict.message, &verdict.warnings), (&expected.message, &expected.warnings), "{size}");
        assert_eq!((verdict.accepted, verdict.code), (true, None), "{size}");
        assert_eq!(verdict.audit_annotations, expected.audit_annotations, "{size}");
        assert!(verdict.mutated_object == expected.mutated_object, "another object for {size} bytes");
    }
}
