//! Differences, as tests and as people see them.

use e2e_tests::diff::{Paint, changes, unified};
use serde_json::{Value, json};

#[track_caller]
fn found(before: &Value, after: &Value, expected: &[&str]) {
    let found: Vec<String> = changes(before, after).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn equal_values_have_no_changes() {
    found(&json!({"a": [1, {"b": null}]}), &json!({"a": [1, {"b": null}]}), &[]);
}

#[test]
fn fields_are_added_removed_and_replaced() {
    found(
        &json!({"a": 1, "b": {"c": 1}, "d": null}),
        &json!({"a": 2, "b": {"c": 1, "e": []}}),
        &["~ a: 1 -> 2", "+ b.e: []", "- d: null"],
    );
}

#[test]
fn keys_with_dots_and_slashes_are_quoted() {
    found(
        &json!({"metadata": {"annotations": {}}}),
        &json!({"metadata": {"annotations": {"example.com/a": "b"}}}),
        &[r#"+ metadata.annotations["example.com/a"]: "b""#],
    );
}

#[test]
fn what_is_appended_is_one_addition() {
    let env = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    found(
        &json!({"spec": {"containers": [{"name": "base", "env": env(&["A", "B", "C"])}]}}),
        &json!({"spec": {"containers": [{"name": "base", "env": env(&["A", "B", "C", "D"])}]}}),
        &[r#"+ spec.containers[0].env[3]: {"name":"D"}"#],
    );
}

#[test]
fn what_is_taken_from_the_middle_is_one_removal() {
    found(
        &json!([{"name": "a"}, {"name": "token"}, {"name": "b", "x": 1}, {"name": "c"}]),
        &json!([{"name": "a"}, {"name": "b", "x": 2}, {"name": "c"}, {"name": "d"}]),
        &[r#"- [1]: {"name":"token"}"#, "~ [1].x: 1 -> 2", r#"+ [3]: {"name":"d"}"#],
    );
}

#[test]
fn different_names_are_different_elements() {
    found(
        &json!([{"name": "a", "value": "1"}]),
        &json!([{"name": "b", "value": "1"}]),
        &[r#"- [0]: {"name":"a","value":"1"}"#, r#"+ [0]: {"name":"b","value":"1"}"#],
    );
}

#[test]
fn scalars_of_a_list_are_compared_in_place() {
    found(&json!(["-c", "old", "x"]), &json!(["-c", "new", "x"]), &[r#"~ [1]: "old" -> "new""#]);
}

#[test]
fn a_change_of_order_shows() {
    assert_eq!(changes(&json!([1, 2, 3]), &json!([3, 1, 2])).len(), 2);
}

#[test]
fn a_change_of_type_is_a_replacement() {
    found(&json!({"a": {}}), &json!({"a": []}), &["~ a: {} -> []"]);
    found(&json!(1), &json!(null), &["~ : 1 -> null"]);
}

#[test]
fn the_text_has_three_lines_of_context() {
    let before = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9});
    let mut after = before.clone();
    after["e"] = json!([{"name": "x", "on": "yes"}]);
    let expected = "\
@@ -2,7 +2,9 @@
 b: 2
 c: 3
 d: 4
-e: 5
+e:
+- name: x
+  \"on\": \"yes\"
 f: 6
 g: 7
 h: 8
";
    assert_eq!(unified(&before, &after, Paint(false)), expected);
    assert_eq!(unified(&before, &before, Paint(false)), "");
}

#[test]
fn colours_are_added_only_when_asked_for() {
    let text = unified(&json!({"a": 1}), &json!({"a": 2}), Paint(true));
    assert!(text.contains("\u{1b}[31m-a: 1\u{1b}[0m") && text.contains("\u{1b}[32m+a: 2\u{1b}[0m"), "{text:?}");
}
