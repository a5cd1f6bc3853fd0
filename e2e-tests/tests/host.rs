//! The host against modules that do one thing each, most of them wrong.

#![cfg(feature = "engine")]

use std::cell::Cell;

use e2e_tests::cluster::NoCluster;
use e2e_tests::fuel;
use e2e_tests::host::{CallError, LoadError, Policy};
use serde_json::{Value, json};

/// A module whose every operation runs `body`, with `text` in memory from address 1024 on.
fn module(text: &str, body: &str) -> String {
    let data = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!(
        r#"(module
            (import "wapc" "__guest_response" (func $respond (param i32 i32)))
            (import "wapc" "__guest_error" (func $fail (param i32 i32)))
            (import "wapc" "__host_call" (func $ask (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wapc" "__host_response" (func $answer (param i32)))
            (import "wapc" "__host_response_len" (func $answer_len (result i32)))
            (import "wapc" "__host_error" (func $refusal (param i32)))
            (import "wapc" "__host_error_len" (func $refusal_len (result i32)))
            (memory (export "memory") 1)
            (global $calls (mut i32) (i32.const 0))
            (data (i32.const 0) "kubewarden")
            (data (i32.const 16) "kubernetes")
            (data (i32.const 32) "can_i")
            (data (i32.const 48) "tracing")
            (data (i32.const 64) "log")
            (data (i32.const 1024) "{data}")
            (func (export "__guest_call") (param i32 i32) (result i32) {body}))"#
    )
}

/// Answers with `text`.
fn answering(text: &str) -> Policy {
    let len = text.len();
    let body = format!("(call $respond (i32.const 1024) (i32.const {len})) (i32.const 1)");
    load(&module(text, &body))
}

#[track_caller]
fn load(module: &str) -> Policy {
    Policy::from_bytes(module.as_bytes()).expect("the module compiles")
}

#[track_caller]
fn error(policy: &Policy) -> CallError {
    let verdict = policy.validate(&json!({}), &json!({}), &NoCluster);
    verdict.expect_err("the call fails")
}

#[test]
fn a_response_is_read_field_by_field() {
    let policy = answering(
        r#"{"accepted": false, "message": "no", "code": 403, "mutated_object": null,
            "warnings": ["w"], "audit_annotations": {"a": "b"}}"#,
    );
    let verdict = policy.validate(&json!({}), &json!({}), &NoCluster).expect("a verdict");
    assert!(!verdict.accepted);
    assert_eq!((verdict.message.as_deref(), verdict.code), (Some("no"), Some(403)));
    assert_eq!(verdict.warnings, ["w"]);
    assert_eq!(verdict.audit_annotations["a"], "b");
    assert_eq!(verdict.mutated_object, None);
}

#[test]
fn what_is_unset_may_be_null_or_absent() {
    for text in [r#"{"accepted": true}"#, r#"{"accepted": true, "warnings": null, "audit_annotations": null}"#] {
        let verdict = answering(text).validate(&json!({}), &json!({}), &NoCluster).expect("a verdict");
        assert!(verdict.accepted && verdict.warnings.is_empty() && verdict.audit_annotations.is_empty());
    }
}

#[test]
fn a_response_with_an_unknown_field_is_refused() {
    let error = error(&answering(r#"{"accepted": true, "warning": []}"#));
    assert!(matches!(error, CallError::Response { .. }));
    assert!(error.to_string().contains("unknown field `warning`"), "{error}");
}

#[test]
fn settings_and_protocol_have_answers_of_their_own() {
    let verdict = answering(r#"{"valid": false, "message": "m"}"#).validate_settings(&json!({})).expect("an answer");
    assert_eq!((verdict.valid, verdict.message.as_deref()), (false, Some("m")));
    assert_eq!(answering(r#""v1""#).protocol_version().expect("an answer"), "v1");
}

#[test]
fn a_trap_is_an_error_that_says_so() {
    let error = error(&load(&module("", "unreachable")));
    assert!(matches!(error, CallError::Trap(_)), "{error:?}");
    assert_eq!(error.to_string(), "the module trapped: wasm `unreachable` instruction executed");
}

#[test]
fn an_address_outside_the_memory_is_a_trap() {
    let body = "(call $respond (i32.const 65530) (i32.const 100)) (i32.const 1)";
    assert!(matches!(error(&load(&module("", body))), CallError::Trap(_)));
}

#[test]
fn the_guests_own_error_is_passed_on() {
    let body = "(call $fail (i32.const 1024) (i32.const 4)) (i32.const 0)";
    let error = error(&load(&module("oops", body)));
    assert_eq!(error.to_string(), "the module answered with an error: oops");
}

#[test]
fn a_module_that_does_not_end_is_stopped() {
    assert!(matches!(error(&load(&module("", "(loop (br 0)) unreachable"))), CallError::Timeout));
}

#[test]
fn every_call_gets_a_fresh_instance() {
    // The second call within one instance traps.
    let body = "(if (global.get $calls) (then unreachable))
        (global.set $calls (i32.const 1))
        (call $respond (i32.const 1024) (i32.const 17)) (i32.const 1)";
    let policy = load(&module(r#"{"accepted":true}"#, body));
    for _ in 0..3 {
        assert!(policy.validate(&json!({}), &json!({}), &NoCluster).expect("a verdict").accepted);
    }
}

/// Asks `can_i` with the text as payload, and answers with what it is told.
fn asking(payload: &str) -> Policy {
    let len = payload.len();
    let body = format!(
        "(drop (call $ask (i32.const 0) (i32.const 10) (i32.const 48) (i32.const 7)
                          (i32.const 64) (i32.const 3) (i32.const 1024) (i32.const {len})))
         (if (call $ask (i32.const 0) (i32.const 10) (i32.const 16) (i32.const 10)
                        (i32.const 32) (i32.const 5) (i32.const 1024) (i32.const {len}))
           (then (call $answer (i32.const 4096))
                 (call $respond (i32.const 4096) (call $answer_len)))
           (else (call $refusal (i32.const 4096))
                 (call $respond (i32.const 4096) (call $refusal_len))))
         (i32.const 1)"
    );
    load(&module(payload, &body))
}

#[test]
fn host_calls_are_answered_and_recorded_and_logs_kept_apart() {
    let asked = Cell::new(0);
    let cluster = |operation: &str, question: &Value| {
        asked.set(asked.get() + 1);
        assert_eq!((operation, question), ("can_i", &json!({"q": 1})));
        Ok(json!({"accepted": true}))
    };
    let verdict = asking(r#"{"q":1}"#).validate(&json!({}), &json!({}), &cluster).expect("a verdict");
    assert_eq!(asked.get(), 1);
    assert_eq!(verdict.logs, [r#"{"q":1}"#]);
    let [call] = &verdict.host_calls[..] else { panic!("{:?}", verdict.host_calls) };
    assert_eq!((&*call.namespace, &*call.operation), ("kubernetes", "can_i"));
    assert_eq!(call.payload, json!({"q": 1}));
    assert_eq!(call.answer, Ok(json!({"accepted": true})));
}

#[test]
fn a_failed_lookup_reaches_the_module_as_its_text() {
    let cluster = |_: &str, _: &Value| Err("forbidden".to_owned());
    let response = asking("{}").validate_raw(b"{}", &cluster).expect("a response");
    assert_eq!(response, b"forbidden");
}

#[test]
fn what_is_no_module_does_not_load() {
    for bytes in [&b"not wasm"[..], b"", b"\0asm\x01\0\0\0\xff", b"(module (import \"env\" \"f\" (func)))"] {
        assert!(matches!(Policy::from_bytes(bytes), Err(LoadError::Compile(_))));
    }
    assert!(matches!(Policy::load("no/such/file.wasm"), Err(LoadError::Read { .. })));
}

#[test]
fn measuring_counts_instructions_and_memory_and_repeats_exactly() {
    let text = r#"{"accepted":true}"#;
    let body = format!("(call $respond (i32.const 1024) (i32.const {})) (i32.const 1)", text.len());
    let module = module(text, &body);
    let meter = fuel::Meter::new(module.as_bytes()).expect("the module compiles");
    let first = meter.measure(b"{}").expect("a measurement");
    assert_eq!(first.response, text.as_bytes());
    assert_eq!(first.memory_bytes, 64 * 1024);
    assert!(first.fuel > 0);
    assert_eq!(meter.measure(b"{}").expect("a measurement"), first);
    assert_eq!(fuel::measure(module.as_bytes(), b"{}").expect("a measurement"), first);
}

#[test]
fn measuring_a_trap_is_an_error() {
    let measured = fuel::measure(module("", "unreachable").as_bytes(), b"{}");
    let error = measured.expect_err("a trap").to_string();
    assert!(error.contains("unreachable"), "{error}");
}
