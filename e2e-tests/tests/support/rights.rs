//! Questions about rights, and what comes of answers to them.

use e2e_tests::request::Request;
use serde_json::{Value, json};

use crate::{Canned, SCHEDULER, fails, judge, says};

const TASK: &str = "kubernetes_executor";

fn settings(on_error: &str) -> Value {
    json!({"rbac": {"failureAction": "Enforce"}, "onLookupError": on_error})
}

fn task(xcom: bool) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "namespace": "jobs", "labels": {TASK: "True"}},
        "spec": {"containers": [{"name": "base"}]}});
    if xcom {
        pod["spec"]["containers"] = json!([{"name": "base"}, {"name": "airflow-xcom-sidecar"}]);
    }
    pod
}

fn create(pod: Value) -> Value {
    Request::create(pod).user(SCHEDULER).build()
}

/// Verb and resource of every question, in order.
fn asked(cluster: &Canned) -> Vec<String> {
    let right = |(operation, question): &(String, String)| {
        assert_eq!(operation, "can_i");
        let question: Value = serde_json::from_str(question).expect("JSON");
        let wanted = &question["subject_access_review"]["resource_attributes"];
        let text = |key: &str| wanted[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}/{}", text("verb"), text("resource"), text("subresource"))
    };
    cluster.asked.borrow().iter().map(right).collect()
}

const FOLLOWS: [&str; 7] =
    ["get pods/", "list pods/", "watch pods/", "patch pods/", "delete pods/", "get pods/log", "list events/"];

#[test]
fn every_right_is_asked_for_once_in_these_words() {
    for (xcom, more) in [(false, &[][..]), (true, &["create pods/exec", "get pods/exec"][..])] {
        let yes = says(r#"{"allowed":true}"#);
        let verdict = judge(&create(task(xcom)), &settings("Deny"), &yes);
        assert_eq!((verdict.accepted, verdict.message, verdict.warnings), (true, None, vec![]));
        assert_eq!(asked(&yes), [&FOLLOWS[..], more].concat());
        let first = r#"{"subject_access_review":{"groups":["system:serviceaccounts","system:serviceaccounts:airflow","system:authenticated"],"user":"system:serviceaccount:airflow:airflow-scheduler","resource_attributes":{"group":"","namespace":"jobs","resource":"pods","verb":"get"}},"disable_cache":false}"#;
        assert_eq!(yes.asked.borrow()[0].1, first);
    }
}

#[test]
fn no_right_is_asked_for_where_nobody_follows_the_pod() {
    let mut other = task(false);
    other["metadata"]["labels"] = json!({});
    let enforced = settings("Deny");
    let mut off = settings("Deny");
    off["rbac"]["launchers"] = false.into();
    for (what, request, settings) in [
        ("no rule", create(task(true)), json!({"onLookupError": "Deny"})),
        ("launchers are not looked at", create(task(true)), off),
        ("made by a human", Request::create(task(true)).user("jane").build(), enforced.clone()),
        ("an audit scan", Request::create(task(true)).build(), enforced.clone()),
        ("no task", Request::create(other).user("system:serviceaccount:default:other").build(), enforced.clone()),
        ("an update", Request::update(task(true), task(true)).user(SCHEDULER).build(), enforced.clone()),
    ] {
        let yes = says(r#"{"allowed":true}"#);
        judge(&request, &settings, &yes);
        assert_eq!(asked(&yes), [] as [&str; 0], "{what}");
    }
}

#[test]
fn what_does_not_say_whether_somebody_may_is_neither_a_yes_nor_a_no_and_is_not_asked_again() {
    for (answer, told) in [
        ("", "the answer can't be used: not valid JSON"),
        ("yes", "the answer can't be used: not valid JSON"),
        ("true", "the answer can't be used: answer must be an object"),
        ("{}", "the answer can't be used: answer.allowed must be true or false"),
        (r#"{"allowed":null}"#, "the answer can't be used: answer.allowed must be true or false"),
        (r#"{"allowed":"true"}"#, "the answer can't be used: answer.allowed must be true or false"),
        (r#"{"allowed":1}"#, "the answer can't be used: answer.allowed must be true or false"),
        (r#"{"status":{"allowed":true}}"#, "the answer can't be used: answer.allowed must be true or false"),
        (r#"{"allowed":false,"allowed":true}"#, "the answer can't be used: the key allowed stands twice"),
        (r#"[{"allowed":true}]"#, "the answer can't be used: answer must be an object"),
    ] {
        unknown(answer, &|| says(answer), told);
    }
    unknown("not UTF-8", &|| says([b'{', 0xff, b'}']), "the answer can't be used: answer.allowed must be UTF-8");
    unknown("time-out", &|| fails("request timed out after 2s"), "request timed out after 2s");
    unknown("nothing", &|| fails(""), "no reason given");
    let long =
        "Callback evaluation failure: error trying to connect\nCaused by:\n    0: refused\n\nStack backtrace:\n 0: x";
    unknown("a backtrace", &|| fails(long), "error trying to connect Caused by: 0: refused");
    unknown("many words", &|| fails(&"no ".repeat(100_000)), "no no no no");
    unknown("refused", &|| fails("subjectaccessreviews is forbidden"), "subjectaccessreviews is forbidden");
    unknown("missing", &|| fails("Cannot find v1/Pod named 'x'"), "Cannot find v1/Pod named");
}

#[track_caller]
fn unknown(what: &str, cluster: &dyn Fn() -> Canned, told: &str) {
    let told = format!(
        "whether ServiceAccount `airflow/airflow-scheduler` may `get pods` in namespace `jobs` is not known: {told}"
    );
    let host = cluster();
    let warned = judge(&create(task(true)), &settings("Warn"), &host);
    assert!(warned.accepted && warned.mutated_object.is_none(), "{what}: {:?}", warned.message);
    let is_told = warned.warnings.iter().filter(|text| text.starts_with(&format!("not checked: {told}"))).count();
    assert_eq!((is_told, warned.warnings.len()), (1, 1), "{what}: {:?}", warned.warnings);
    assert_eq!(asked(&host), ["get pods/"], "{what}");

    let host = cluster();
    let denied = judge(&create(task(true)), &settings("Deny"), &host);
    let message = denied.message.unwrap_or_default();
    let expected = format!("a lookup failed, and `onLookupError: Deny` lets nothing pass unchecked: {told}");
    assert_eq!((denied.accepted, denied.code), (false, Some(500)), "{what}: {message}");
    assert!(message.starts_with(&expected), "{what}: {message}");
    assert_eq!(asked(&host), ["get pods/"], "{what}");
}
