//! `review` as people call it, with the built module.

#![cfg(feature = "engine")]

mod explain;
mod setup;
mod usage;

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use e2e_tests::documents;
use serde_json::Value;

use crate::setup::{Files, OTHER_POD, POLICY, SETTINGS, denied, granted, stdout};

#[test]
fn an_object_that_no_rule_concerns_is_allowed() {
    let files = Files::new(&[("pod.yaml", OTHER_POD)]);
    let text = stdout(&files.review(&["pod.yaml"]), 0);
    assert!(text.starts_with("Pod shop/web (pod.yaml:1)\n  allowed\n"), "{text}");
    assert!(!text.contains("denied"), "there is one object and no summary: {text}");
}

#[test]
fn a_change_is_shown_as_a_diff() {
    let files = Files::new(&[("settings.yaml", SETTINGS), ("pod.yaml", &granted())]);
    let text = stdout(&files.review(&["--settings", "settings.yaml", "pod.yaml"]), 0);
    assert!(text.contains("\n  allowed, changed\n"), "{text}");
    assert!(text.contains("\n  @@ ") && text.contains("\n  +  volumes:\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "standard output is no terminal: {text:?}");
    let arguments = ["--settings", "settings.yaml", "--color", "always", "pod.yaml"];
    assert!(stdout(&files.review(&arguments), 0).contains("\u{1b}[32m+"));
}

#[test]
fn a_denial_is_shown_with_its_code_and_reason() {
    let files = Files::new(&[("policy.yaml", POLICY), ("pod.yaml", &denied())]);
    let text = stdout(&files.review(&["--settings", "policy.yaml", "pod.yaml"]), 1);
    assert!(text.contains("\n  denied 403\n"), "{text}");
    assert!(text.contains("airflow-pod-identity/credentials"), "{text}");
}

#[test]
fn several_objects_end_in_a_summary() {
    let pods = [OTHER_POD, &granted(), &denied()].join("\n---\n");
    let files = Files::new(&[("settings.yaml", SETTINGS), ("pods.yaml", &pods)]);
    let text = stdout(&files.review(&["--settings", "settings.yaml", "pods.yaml"]), 1);
    assert!(text.ends_with("\n\n1 allowed, 1 changed, 1 denied\n"), "{text}");
    assert!(text.contains("Pod airflow/etl (pods.yaml:5: document 3)"), "{text}");
}

#[test]
fn programs_get_json_or_yaml() {
    let pods = [&granted(), &denied()[..]].join("\n---\n");
    let files = Files::new(&[("settings.yaml", SETTINGS), ("pods.yaml", &pods)]);
    let arguments = ["--settings", "settings.yaml", "--explain", "pods.yaml", "-o"];
    let json = stdout(&files.review(&[&arguments[..], &["json"]].concat()), 1);
    let list: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(list[0]["object"], serde_json::json!({"kind": "Pod", "namespace": "airflow", "name": "etl"}));
    assert_eq!((&list[0]["allowed"], &list[0]["changed"]), (&true.into(), &true.into()));
    assert!(list[0]["patched"]["spec"]["volumes"].is_array() && list[0]["explain"].is_array(), "{list}");
    assert_eq!((&list[1]["allowed"], &list[1]["code"]), (&false.into(), &403.into()));
    assert!(list[1]["message"].is_string() && list[1].get("patched").is_none(), "{list}");

    let yaml = stdout(&files.review(&[&arguments[..], &["yaml"]].concat()), 1);
    let read = documents::parse::<Value>(yaml.as_bytes()).expect("YAML").remove(0).value;
    assert_eq!(read, list);
}

#[test]
fn standard_input_is_read() {
    let files = Files::new(&[]);
    let mut child = files.command(&["-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(OTHER_POD.as_bytes()).expect("it takes the input");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(stdout(&output, 0).starts_with("Pod shop/web (-:1)\n"));
}

#[test]
fn an_update_and_a_deletion_are_judged() {
    let files = Files::new(&[("pod.yaml", OTHER_POD)]);
    stdout(&files.review(&["--old", "pod.yaml", "pod.yaml"]), 0);
    stdout(&files.review(&["--operation", "delete", "pod.yaml"]), 0);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let pods = vec![OTHER_POD; 2000].join("\n---\n");
    let files = Files::new(&[("pods.yaml", &pods)]);
    let mut command = files.command(&["-o", "json", "pods.yaml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut output = child.stdout.take().expect("its output");
    output.read_exact(&mut [0; 1]).expect("it prints");
    drop(output);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn names_cannot_steer_the_terminal() {
    let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a\u001b[2Jb", "namespace": "shop"}}"#;
    let files = Files::new(&[("pod.json", pod)]);
    let output = files.review(&["pod.json"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains('\u{1b}'));
}
