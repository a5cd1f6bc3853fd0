//! docs/settings.md: every key with its type, its default and what it means.

use std::fmt::Write as _;

use serde_json::Value;

use super::{keys, resolve};

const HEAD: &str = "\
# Settings

Every key of the settings document. This page is made of the types that read the document (`make generate`), and so is
[settings.schema.json](../settings.schema.json): with the line

```yaml
# yaml-language-server: $schema=https://raw.githubusercontent.com/example/airflow-pod-identity/main/settings.schema.json
```

at the head of a settings file an editor completes and checks it. A key that is absent or null has its default; an unknown
key, a wrong type or a value out of range is refused when the policy is deployed, with every problem at once.
`review --settings FILE` tells them beforehand. What the settings are for, with examples, is told in the
[README](../README.md#settings), what each finding means in [findings.md](findings.md).

Patterns: `*` stands for any run of characters, `?` for one. A ServiceAccount is written `namespace/name`.
`Off` may be written `false`, which is what YAML 1.1 readers make of it.
";

/// The page.
pub(super) fn page(schema: &Value) -> String {
    let mut page = HEAD.to_owned();
    let mut todo = vec![(String::new(), schema)];
    let mut done = 0;
    while let Some((path, section)) = todo.get(done).cloned() {
        done += 1;
        if path.is_empty() {
            page += "\n## The document\n";
        } else {
            let level = if path.contains(['.', '[']) { "###" } else { "##" };
            let _ = write!(page, "\n{level} `{path}`\n\n");
            // The types of credentials are told in README.md.
            if !path.contains('`') {
                let _ = writeln!(page, "{}", section["description"].as_str().unwrap_or_default());
            }
        }
        page += "\n| key | type | default | |\n|---|---|---|---|\n";
        let required: Vec<&str> =
            section["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut below = Vec::new();
        for (key, property) in keys(section) {
            row(&mut page, schema, key, property, required.contains(&key));
            // Who may use something is told in one place.
            let path = match key {
                "allow" => "credentials.NAME.allow".to_owned(),
                key if path.is_empty() => key.to_owned(),
                key => format!("{}.{key}", path.split('`').next().unwrap_or_default()),
            };
            below.extend(sections(schema, path, property).into_iter().filter(|(_, section)| {
                // `allow` is the same everywhere.
                !todo.iter().any(|(_, known)| std::ptr::eq(*known, *section))
            }));
        }
        todo.splice(done..done, below);
    }
    page
}

fn row(page: &mut String, root: &Value, key: &str, property: &Value, required: bool) {
    let default = match &property["default"] {
        _ if required => "required".to_owned(),
        Value::Null => String::new(),
        value => format!("`{}`", compact(value)),
    };
    let mut meaning = property["description"].as_str().unwrap_or_default().to_owned();
    for choice in property["oneOf"].as_array().into_iter().flatten() {
        let Some(word) = choice["const"].as_str() else { continue };
        let _ = write!(meaning, "<br>`{word}`: {}", choice["description"].as_str().unwrap_or_default());
    }
    let example = property["examples"].as_array().filter(|_| property["const"].is_null());
    if let Some(example) = example.and_then(|examples| examples.first()) {
        let _ = write!(meaning, "<br>Example: `{}`", compact(example));
    }
    let kind = kind(root, property);
    let _ = writeln!(page, "| `{key}` | {} | {} | {} |", cell(&kind), cell(&default), cell(&meaning));
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// JSON as YAML's flow style writes it.
fn compact(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Object(object) => {
            let given = object.iter().filter(|(_, value)| !value.is_null() && **value != Value::Array(Vec::new()));
            let entries: Vec<String> = given.map(|(key, value)| format!("{key}: {}", compact(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::String(text) if text.contains(['*', '{', '#']) || text.contains(": ") => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A type in words.
fn kind(root: &Value, property: &Value) -> String {
    if property["$ref"].is_string() {
        let section = resolve(root, property);
        return if section["properties"].is_object() { "section" } else { "map" }.to_owned();
    }
    if property["oneOf"].is_array() {
        return "one of these words".to_owned();
    }
    if property["anyOf"].is_array() {
        return "a word or a section".to_owned();
    }
    if let Some(word) = property["const"].as_str() {
        return format!("`{word}`");
    }
    if property["enum"].is_array() {
        return "`true`, `false` or `null`".to_owned();
    }
    match property["type"].as_str() {
        Some("array") => {
            let what = kind(root, &property["items"]);
            let plural = match &*what {
                "text" => "texts".to_owned(),
                "section" => "sections".to_owned(),
                "one of these words" => "words".to_owned(),
                "a word or a section" => "words or sections".to_owned(),
                what => what.to_owned(),
            };
            format!("list of {plural}")
        }
        Some("integer") => format!("seconds, {} to {}", property["minimum"], property["maximum"]),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("object") => "map of texts".to_owned(),
        _ => "text".to_owned(),
    }
}

/// The sections below a key.
fn sections<'s>(root: &'s Value, path: String, property: &'s Value) -> Vec<(String, &'s Value)> {
    let schema = resolve(root, property);
    if schema["properties"].is_object() {
        return vec![(path, schema)];
    }
    if let Some(kinds) = schema["additionalProperties"]["oneOf"].as_array() {
        let named =
            |kind: &'s Value| (format!("{path}.NAME`, type `{}", kind["title"].as_str().unwrap_or_default()), kind);
        return kinds.iter().map(named).collect();
    }
    if schema["items"].is_object() {
        return sections(root, format!("{path}[]"), &schema["items"]);
    }
    let either = schema["anyOf"].as_array().into_iter().flatten();
    either.flat_map(|choice| sections(root, path.clone(), choice)).collect()
}
