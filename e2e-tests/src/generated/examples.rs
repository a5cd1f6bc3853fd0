//! Examples of values, taken from the example settings: what is shown is in use.

use serde_json::Value;

use super::yaml;
use crate::testing::workspace;

/// How many examples a key has at most.
const MOST: usize = 2;

/// Every example of settings, by the names of the files.
pub(super) fn documents() -> Vec<Value> {
    let folder = workspace().join("examples/settings");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.iter().map(|path| yaml(path)).collect()
}

/// Notes the values of a document as examples of their keys.
pub(super) fn note(schema: &mut Value, document: &Value) {
    let mut found = Vec::new();
    visit(schema, "", document, &mut found);
    for (pointer, value) in found {
        let Some(key) = schema.pointer_mut(&pointer).and_then(Value::as_object_mut) else { continue };
        if key.get("default") == Some(&value) {
            continue;
        }
        let examples = key.entry("examples").or_insert_with(|| Value::Array(Vec::new()));
        let Some(list) = examples.as_array_mut() else { continue };
        if list.len() < MOST && !list.contains(&value) {
            list.push(value);
        }
    }
}

/// Gathers the pointers of the keys that hold a text, a number, or a list of such.
fn visit(root: &Value, pointer: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    let Some(schema) = root.pointer(pointer) else { return };
    if let Some(name) = schema["$ref"].as_str() {
        return visit(root, name.trim_start_matches('#'), value, found);
    }
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let of_key = format!("{pointer}/properties/{key}");
                if let Some(property) = root.pointer(&of_key) {
                    let plain = property["oneOf"].is_null() && property["type"] != "boolean" && property.is_object();
                    if plain && is_plain(value) {
                        found.push((of_key.clone(), value.clone()));
                    }
                    visit(root, &of_key, value, found);
                } else if let Some(kinds) = schema["additionalProperties"]["oneOf"].as_array() {
                    let is = |kind: &Value| kind["title"] == value["type"];
                    if let Some(index) = kinds.iter().position(is) {
                        visit(root, &format!("{pointer}/additionalProperties/oneOf/{index}"), value, found);
                    }
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| visit(root, &format!("{pointer}/items"), value, found)),
        _ => {}
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().all(|value| value.is_string()) && !list.is_empty(),
        value => value.is_string() || value.is_number(),
    }
}
