//! Requests that nobody sends by accident: unreadable ones are denied with code 422 and a reason, the others are judged
//! like any. Nothing makes the module trap.

#[path = "support/canary.rs"]
mod canary;
#[path = "support/large.rs"]
mod large;
#[path = "support/order.rs"]
mod order;

use e2e_tests::cluster::NoCluster;
use e2e_tests::testing::policy;
use e2e_tests::verdict::Verdict;

const KIND: &str = r#""kind":{"group":"","version":"v1","kind":"Pod"}"#;

/// The answer to a payload.
#[track_caller]
fn answer(payload: impl AsRef<[u8]>) -> Verdict {
    policy().validate_payload(payload.as_ref(), &NoCluster).expect("a verdict, not a trap")
}

/// A CREATE of a Pod whose JSON is given.
fn create(object: &str) -> String {
    format!(r#"{{"request":{{{KIND},"operation":"CREATE","namespace":"airflow","object":{object}}}}}"#)
}

/// A CREATE of a Pod that rule token-mounts judges, with this spec.
fn judged(spec: &str) -> String {
    create(&format!(r#"{{"metadata":{{"labels":{{"tier":"airflow"}}}},"spec":{spec}}}"#))
}

/// The payload is denied with code 422 in these words and no others.
#[track_caller]
fn refused(payload: impl AsRef<[u8]>, reason: &str) {
    let verdict = answer(&payload);
    let shown = String::from_utf8_lossy(payload.as_ref()).chars().take(200).collect::<String>();
    let expected = format!("the request can't be read and is denied: {reason}");
    assert_eq!((verdict.code, verdict.message.as_deref()), (Some(422), Some(&*expected)), "{shown}");
    assert!(!verdict.accepted && verdict.warnings.is_empty() && verdict.audit_annotations.is_empty(), "{shown}");
}

#[test]
fn what_is_no_request_is_refused() {
    let value = "not valid JSON: expected a value at byte 0";
    for (payload, reason) in [
        ("", value),
        ("not json", value),
        ("\u{feff}{}", value),
        ("[]", "`payload` must be an object"),
        ("null", "`payload` must be an object"),
        ("{}", "`request` must be an AdmissionRequest"),
        (r#"{"request":null}"#, "`request` must be an AdmissionRequest"),
        (r#"{"request":{}}"#, "`request.kind` must be a group, version and kind"),
        (r#"{"request":{"kind":"Pod"}}"#, "`request.kind` must be an object"),
        (r#"{"request":[]}"#, "`request` must be an object"),
    ] {
        refused(payload, reason);
    }
    refused(
        format!("{} x", create("{}")),
        &format!("not valid JSON: expected the end at byte {}", create("{}").len() + 1),
    );
    let operation = "`request.operation` must be CREATE, UPDATE, DELETE or CONNECT";
    refused(create("{}").replace("CREATE", "PATCH"), operation);
    refused(create("{}").replace(r#""operation":"CREATE","#, ""), operation);
}

#[test]
fn what_is_no_object_is_refused() {
    for (object, reason) in [
        ("null", "`request.object` must be an object"),
        ("[]", "`request.object` must be an object"),
        (r#""Pod""#, "`request.object` must be an object"),
        (r#"{"kind":"Job"}"#, "`request.object.kind` differs from `request.kind.kind`"),
        (r#"{"kind":"pod"}"#, "`request.object.kind` differs from `request.kind.kind`"),
        (r#"{"kind":"Pod","apiVersion":"v2"}"#, "`request.object.apiVersion` differs from `request.kind`"),
        (r#"{"metadata":[]}"#, "`metadata` must be an object"),
        (r#"{"metadata":{"labels":["a"]}}"#, "`metadata.labels` must be an object"),
        (r#"{"metadata":{"deletionTimestamp":5}}"#, "`metadata.deletionTimestamp` must be a string"),
        (r#"{"spec":"x"}"#, "`spec` must be an object"),
        (r#"{"spec":{"containers":{}}}"#, "`spec.containers` must be a list"),
        (r#"{"spec":{"containers":"x"}}"#, "`spec.containers` must be a list"),
        (r#"{"spec":{"initContainers":1}}"#, "`spec.initContainers` must be a list"),
        (r#"{"spec":{"volumes":{}}}"#, "`spec.volumes` must be a list"),
        (r#"{"spec":{"serviceAccountName":["a"]}}"#, "`spec.serviceAccountName` must be a string"),
        (
            r#"{"spec":{"automountServiceAccountToken":"false"}}"#,
            "`spec.automountServiceAccountToken` must be true or false",
        ),
    ] {
        refused(create(object), reason);
    }
    for (spec, reason) in [
        (r#"{"containers":[1]}"#, "`spec.containers[]` must be an object"),
        (r#"{"containers":[{"name":1}]}"#, "`spec.containers[].name` must be a string"),
        (r#"{"containers":[{"env":{}}]}"#, "`spec.containers[].env` must be a list"),
        (r#"{"containers":[{"volumeMounts":[null]}]}"#, "`spec.containers[].volumeMounts[]` must be an object"),
        (r#"{"volumes":[{"projected":[]}]}"#, "`spec.volumes[].projected` must be an object"),
    ] {
        refused(judged(spec), reason);
    }
}

#[test]
fn an_annotation_or_a_label_that_is_no_string_is_refused() {
    for value in ["1", "true", "{}", "[]"] {
        for key in ["airflow-pod-identity/credentials", "example.com/other"] {
            refused(
                create(&format!(r#"{{"metadata":{{"annotations":{{"{key}":{value}}}}}}}"#)),
                "`metadata.annotations[]` must be a string",
            );
        }
        refused(
            create(&format!(r#"{{"metadata":{{"labels":{{"a":{value}}}}}}}"#)),
            "`metadata.labels[]` must be a string",
        );
    }
}

#[test]
fn a_key_that_is_read_must_not_stand_there_twice() {
    let twice = |key: &str| format!("the key `{key}` stands twice in one object");
    let object = create("{}");
    for (payload, key) in [
        (object.replace(KIND, &format!("{KIND},{KIND}")), "kind"),
        (object.replace(KIND, &KIND.replace(r#""kind":"Pod""#, r#""kind":"Pod","kind":"Pod""#)), "kind"),
        (object.replace(r#""operation":"#, r#""operation":"DELETE","operation":"#), "operation"),
        (object.replace(r#""object":"#, r#""object":{},"object":"#), "object"),
        (object.replace(r#"{"request":"#, r#"{"request":null,"request":"#), "request"),
        (object.replace(r#"{"request":"#, r#"{"settings":{},"settings":{},"request":"#), "settings"),
        (create(r#"{"kind":"Pod","kind":"Pod"}"#), "kind"),
        (create(r#"{"metadata":{},"metadata":{}}"#), "metadata"),
        (create(r#"{"metadata":{"labels":{},"labels":{}}}"#), "labels"),
        (create(r#"{"spec":{},"spec":{}}"#), "spec"),
        (create(r#"{"spec":{"containers":[],"containers":[]}}"#), "containers"),
        (
            create(r#"{"spec":{"automountServiceAccountToken":false,"automountServiceAccountToken":true}}"#),
            "automountServiceAccountToken",
        ),
        (create(r#"{"spec":{"serviceAccountName":"a","serviceAccountName":"b"}}"#), "serviceAccountName"),
        (judged(r#"{"containers":[{"name":"a","name":"a"}]}"#), "name"),
        (judged(r#"{"containers":[{"env":[],"env":[]}]}"#), "env"),
        (judged(r#"{"containers":[{"env":[{"value":"a","value":"b"}]}]}"#), "value"),
        (judged(r#"{"containers":[{"volumeMounts":[],"volumeMounts":[]}]}"#), "volumeMounts"),
        (judged(r#"{"volumes":[{"projected":{"sources":[],"sources":[]}}]}"#), "sources"),
        (judged(r#"{"volumes":[{"secret":{"secretName":"a","secretName":"b"}}]}"#), "secretName"),
        (judged(r#"{"volumes":[{"secret":{"secretName":"","secretName":"b"}}]}"#), "secretName"),
    ] {
        refused(payload, &twice(key));
    }
    refused(create(r#"{"metadata":{"labels":{"a":"1","\u0061":"1"}}}"#), "a key stands twice in `metadata.labels`");
    refused(
        create(
            r#"{"metadata":{"annotations":{"airflow-pod-identity/containers":"a","airflow-pod-identity/containers":"a"}}}"#,
        ),
        "a key stands twice in `metadata.annotations`",
    );
    // What the policy does not read is none of its business.
    assert_eq!(answer(create(r#"{"x":1,"x":2,"metadata":{"annotations":{"a":"1","a":"2"}}}"#)).raw, ACCEPTED);
}

const ACCEPTED: &[u8] = br#"{"accepted":true}"#;

#[test]
fn nesting_has_an_end() {
    let reason = "nested deeper than 128 levels";
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        for levels in [129, 10_000] {
            let deep = deep(levels);
            refused(create(&format!(r#"{{"metadata":{{"managedFields":{deep}}}}}"#)), reason);
            refused(create(&format!(r#"{{"spec":{{"containers":[{{"x":{deep}}}]}}}}"#)), reason);
            refused(create("{}").replace(KIND, &format!(r#"{KIND},"options":{deep}"#)), reason);
            refused(create("{}").replace(r#"{"request":"#, &format!(r#"{{"settings":{deep},"request":"#)), reason);
            refused(create(&deep).replace("Pod", "ConfigMap"), reason);
        }
        // The payload, the request and the object come first.
        assert_eq!(answer(create(&format!(r#"{{"x":{}}}"#, deep(125)))).raw, ACCEPTED);
    }
    let annotations = r#"{"a":"#.repeat(10_000);
    refused(create(&format!(r#"{{"metadata":{{"annotations":{annotations}1{}}}}}"#, "}".repeat(10_000))), reason);
}

#[test]
fn text_that_is_no_text_is_refused() {
    let mut payload = create(r#"{"metadata":{"name":"N"}}"#).into_bytes();
    let at = payload.iter().position(|byte| *byte == b'N').expect("an N");
    payload[at] = 0xff;
    refused(&payload, "it is not valid UTF-8");
    for (text, reason) in [
        (r"\ud800", "expected the second half of a surrogate pair"),
        (r"\ud800\u0041", "expected the second half of a surrogate pair"),
        (r"\udc00", "expected a character"),
        (r"\q", "expected an escape sequence"),
        (r"\u12", "expected four hexadecimal digits"),
        ("\u{1}", "expected `\"`"),
    ] {
        let message = answer(create(&format!(r#"{{"x":"{text}"}}"#))).message.expect("a denial");
        assert!(message.contains(reason), "{text}: {message}");
    }
    assert_eq!(answer(create(r#"{"x":"\ud83d\ude00"}"#)).raw, ACCEPTED);
}

#[test]
fn numbers_are_read_where_they_matter_and_passed_on_elsewhere() {
    let huge = "123456789012345678901234567890";
    for number in ["1e999999", "-0.0", huge, "1E+2"] {
        assert_eq!(answer(create(&format!(r#"{{"x":{number}}}"#))).raw, ACCEPTED, "{number}");
    }
    for number in ["01", "1.", ".5", "NaN", "+1", "1e", "0x1"] {
        let verdict = answer(create(&format!(r#"{{"x":{number}}}"#)));
        let message = verdict.message.unwrap_or_default();
        assert!(verdict.code == Some(422) && message.contains("not valid JSON"), "{number}: {message}");
    }
    let field = "spec.volumes[].projected.sources[].serviceAccountToken.expirationSeconds";
    for number in ["1e3", "3600.0", huge] {
        let source = format!(r#"{{"serviceAccountToken":{{"expirationSeconds":{number}}}}}"#);
        let spec = format!(r#"{{"volumes":[{{"projected":{{"sources":[{source}]}}}}]}}"#);
        refused(judged(&spec), &format!("`{field}` must be an integer"));
    }
}

#[test]
fn what_no_rule_concerns_passes_unread() {
    let broken = r#"{"spec":{"containers":7}}"#;
    let kind = |text: &str| create(broken).replace(KIND, &format!(r#""kind":{text}"#));
    for payload in [
        kind(r#"{"group":"example.com","version":"v1","kind":"Pod"}"#),
        kind(r#"{"group":"","version":"v2","kind":"Pod"}"#),
        kind(r#"{"group":"apps","version":"v1","kind":"Deployment"}"#),
        kind(r#"{"group":"example.com","version":"v1","kind":"Unheard"}"#),
        create("{}").replace("CREATE", "DELETE"),
        create("null").replace("CREATE", "DELETE"),
        create("{}").replace("CREATE", "CONNECT"),
        create("null").replace("CREATE", "CONNECT"),
    ] {
        assert_eq!(answer(&payload).raw, ACCEPTED, "{payload}");
    }
    let declared = r#"{"containers":[{"name":"a","volumeMounts":[{"name":"v","mountPath":"/v"}]}],
        "volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]}"#;
    let payload =
        judged(declared).replace(r#"{"request""#, r#"{"settings":{"tokenMounts":{"airflowPods":"Enforce"}},"request""#);
    assert_eq!(answer(&payload).code, Some(403), "the pod itself is denied");
    let update = payload.replace("CREATE", "UPDATE");
    for subresource in ["status", "resize", "binding", "eviction", "log"] {
        let payload = update.replace(KIND, &format!(r#"{KIND},"subResource":"{subresource}""#));
        assert_eq!(answer(&payload).raw, ACCEPTED, "{subresource}");
    }
}
