//! What becomes of the files that a user hands over.

use e2e_tests::documents;
use e2e_tests::input::{self, Circumstances, Item};
use e2e_tests::request::Request;
use serde_json::{Value, json};

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: etl, namespace: team}}";

fn read(text: &str, circumstances: &Circumstances) -> Result<Vec<Item>, String> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("it can be written");
    let name = file.path().display().to_string();
    input::read(std::slice::from_ref(&name), circumstances).map_err(|error| error.to_string().replace(&name, "FILE"))
}

#[track_caller]
fn requests(text: &str) -> Vec<Value> {
    let items = read(text, &Circumstances::default()).expect("it is read");
    items.into_iter().map(|item| item.request).collect()
}

#[track_caller]
fn request(text: &str, circumstances: &Circumstances) -> Value {
    read(text, circumstances).expect("it is read").remove(0).request
}

#[track_caller]
fn names(text: &str) -> Vec<String> {
    requests(text).iter().map(|request| request["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn fails(text: &str, expected: &str) {
    let error = read(text, &Circumstances::default()).expect_err("it is refused");
    assert!(error.contains(expected), "{error:?} does not contain {expected:?}");
}

#[track_caller]
fn value(text: &str) -> Value {
    documents::parse::<Value>(text.as_bytes()).expect("YAML").remove(0).value
}

#[test]
fn a_bare_object_without_user_is_posted_as_by_an_audit_scan() {
    let request = request(POD, &Circumstances::default());
    assert_eq!(request["kind"], json!({"group": "", "version": "v1", "kind": "Pod"}));
    assert_eq!(request["resource"], json!({"group": "", "version": "v1", "resource": "pods"}));
    assert_eq!((&request["name"], &request["namespace"]), (&json!("etl"), &json!("team")));
    assert_eq!(request["operation"], "CREATE");
    for absent in ["userInfo", "options", "dryRun", "oldObject", "subResource"] {
        assert!(request.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn a_service_accounts_groups_follow_from_its_name() {
    let with = |user: &str, groups: Option<Vec<String>>| {
        let circumstances = Circumstances { user: Some(user.into()), groups, ..Circumstances::default() };
        request(POD, &circumstances)["userInfo"]["groups"].clone()
    };
    let own = ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"];
    assert_eq!(with("system:serviceaccount:ns:name", None), json!(own));
    assert_eq!(with("jane", None), json!(["system:authenticated"]));
    assert_eq!(with("jane", Some(vec!["a".into()])), json!(["a"]));
}

#[test]
fn kinds_have_their_group_version_and_plural() {
    let resource = |version: &str, kind: &str| {
        let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}});
        Request::create(object).build()["resource"].clone()
    };
    let expected =
        |group: &str, version: &str, plural: &str| json!({"group": group, "version": version, "resource": plural});
    assert_eq!(resource("apps/v1", "StatefulSet"), expected("apps", "v1", "statefulsets"));
    assert_eq!(resource("batch/v1", "CronJob"), expected("batch", "v1", "cronjobs"));
    assert_eq!(resource("v1", "ServiceAccount"), expected("", "v1", "serviceaccounts"));
    assert_eq!(resource("example.com/v1beta1", "Widget"), expected("example.com", "v1beta1", "widgets"));
}

#[test]
fn documents_lists_and_typed_lists_are_taken_apart() {
    assert_eq!(names(&format!("{POD}\n---\n---\n{POD}")), ["etl", "etl"]);
    assert_eq!(names(&format!("{{apiVersion: v1, kind: List, items: [{POD}, {POD}]}}")), ["etl", "etl"]);
    let list = r#"{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}]}"#;
    assert_eq!(requests(list)[0]["kind"]["kind"], "Pod");
    assert_eq!(requests(list)[0]["object"]["apiVersion"], "v1");
    let lines = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}\n";
    assert_eq!(requests(lines).len(), 2);
    assert_eq!(requests(r#"{"apiVersion": "v1", "kind": "List", "items": []}"#), Vec::<Value>::new());
}

#[test]
fn admission_requests_and_reviews_pass_unchanged() {
    let request = json!({"uid": "u", "kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {}});
    assert_eq!(requests(&request.to_string()), std::slice::from_ref(&request));
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    assert_eq!(requests(&review.to_string()), std::slice::from_ref(&request));

    let user = Circumstances { user: Some("jane".into()), ..Circumstances::default() };
    assert_eq!(self::request(&review.to_string(), &user)["userInfo"]["username"], "jane");
    let operation = Circumstances { operation: Some("CREATE".into()), ..Circumstances::default() };
    let error = read(&request.to_string(), &operation).expect_err("said twice");
    assert_eq!(error, "FILE:1: this is an AdmissionRequest already: `--operation` is for bare objects");
}

#[test]
fn an_update_finds_the_object_before_it() {
    let old = value("{apiVersion: v1, kind: Pod, metadata: {name: etl, namespace: team}, spec: {}}");
    let circumstances = Circumstances { old: Some(vec![old.clone()]), ..Circumstances::default() };
    let request = request(POD, &circumstances);
    assert_eq!((&request["operation"], &request["oldObject"]), (&json!("UPDATE"), &old));
    let error = read(&POD.replace("etl", "other"), &circumstances).expect_err("there is none");
    assert!(error.contains("has no Pod `other`"), "{error}");
    let update = Circumstances { operation: Some("UPDATE".into()), ..Circumstances::default() };
    assert!(read(POD, &update).expect_err("nothing before it").contains("`--old`"));
}

#[test]
fn a_deleted_object_is_the_old_one() {
    let circumstances = Circumstances { operation: Some("DELETE".into()), ..Circumstances::default() };
    let request = request(POD, &circumstances);
    assert_eq!((&request["object"], &request["oldObject"]["kind"]), (&Value::Null, &json!("Pod")));
}

#[test]
fn a_namespace_is_given_to_objects_that_name_none() {
    let circumstances = Circumstances { namespace: Some("given".into()), ..Circumstances::default() };
    assert_eq!(request(POD, &circumstances)["namespace"], "team");
    let bare = "{apiVersion: v1, kind: Pod, metadata: {generateName: etl-}}";
    assert_eq!(request(bare, &circumstances)["namespace"], "given");
    assert_eq!(request(bare, &Circumstances::default())["namespace"], "airflow");
}

#[test]
fn errors_name_file_line_and_document() {
    fails("a: [\n", "FILE:");
    fails("kind: Pod\napiVersion: v1\n---\na: {b: 1\nc: 2\n", "document 2: not valid YAML");
    fails("a: 1\na: 2\n", "FILE:2:1: not valid YAML: duplicate mapping key");
    fails("{\"kind\": \"Pod\",\n \"x\" 1}", "FILE:2:6: not valid JSON");
    fails("{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}\n{\"kind\":]", "FILE:2:9: document 2: not valid JSON");
    fails(&format!("{POD}\n---\na: 1\n"), "FILE:3: document 2: not a Kubernetes object: it has no `kind`");
    fails("kind: Pod", "it has no `apiVersion`");
    fails("- {apiVersion: v1, kind: Pod}\n- text\n", "FILE:1: [1]: not a Kubernetes object, but a string");
    fails("{apiVersion: v1, kind: List, items: [{}]}", "items[0]: not a Kubernetes object");
    fails("{apiVersion: admission.k8s.io/v1beta1, kind: AdmissionReview}", "another version");
    fails("{apiVersion: admission.k8s.io/v1, kind: AdmissionReview}", "without a `request`");
    fails("", "FILE: it is empty");
    fails("---\n# nothing\n", "FILE: it is empty");
}

#[test]
fn what_nests_too_deep_is_refused() {
    let json = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    fails(&json, "not valid JSON: recursion limit exceeded");
    let yaml: String = (0..150).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    fails(&yaml, "not valid YAML: nested deeper than 64");
    fails(&format!("a: {}", "[".repeat(100_000)), "not valid YAML");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = input::parse("FILE", b"kind: Pod\nname: a\xff").expect_err("no UTF-8");
    assert_eq!(error.to_string(), "FILE:2:8: not valid UTF-8");
}
