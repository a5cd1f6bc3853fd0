//! questions-ui.yml: Rancher's form, with every setting that a form can hold. What is a list of sections, or a map of them,
//! it can't: those are written as YAML.

use serde::Serialize;
use serde_json::Value;

use super::{keys, resolve};

const HEAD: &str = "# Rancher's form. Made of the settings' types: `make generate`.\n";

#[derive(Serialize)]
struct Form {
    questions: Vec<Question>,
}

#[derive(Serialize)]
struct Question {
    variable: String,
    label: String,
    description: String,
    group: String,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    default: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Value>,
    #[serde(skip_serializing_if = "Value::is_null")]
    min: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    max: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_if: Option<String>,
}

/// The groups of the form, by section.
const GROUPS: [(&str, &str); 10] = [
    ("", "General"),
    ("airflow", "General"),
    ("tokenMounts", "Kubernetes API tokens"),
    ("nodeAccess", "Access to the node"),
    ("credentials", "Credentials"),
    ("credentialInjection", "Credentials"),
    ("secretAccess", "Secrets"),
    ("serviceAccounts", "ServiceAccounts"),
    ("podOperator", "403 foretold"),
    ("rbac", "403 foretold"),
];

/// Sections that turn a rule on by being there: `Off` is what their absence means.
const OFF_WHEN_ABSENT: [&str; 3] = ["serviceAccounts", "podOperator", "rbac"];

/// The form.
pub(super) fn questions(schema: &Value) -> String {
    let mut questions = Vec::new();
    ask(schema, schema, &[], None, &mut questions);
    let form = serde_saphyr::to_string(&Form { questions }).unwrap_or_default();
    format!("{HEAD}{form}")
}

fn ask(root: &Value, section: &Value, path: &[&str], condition: Option<&str>, questions: &mut Vec<Question>) {
    let switch = keys(section).find(|(key, _)| *key == "enabled").map(|_| format!("{}.enabled=true", path.join(".")));
    for (key, property) in keys(section) {
        let path = [path, &[key]].concat();
        let below = resolve(root, property);
        let top = path.first().copied().unwrap_or_default();
        let optional = OFF_WHEN_ABSENT.contains(&top);
        let turned_on = format!("{top}.failureAction=Audit||{top}.failureAction=Enforce");
        let is_switch = key == "enabled" || optional && key == "failureAction" && path.len() == 2;
        let own =
            if optional && !is_switch { Some(turned_on.as_str()) } else { switch.as_deref().filter(|_| !is_switch) };
        let condition = condition.or(own);
        if below["properties"].is_object() {
            ask(root, below, &path, condition, questions);
        } else if let Some(mut question) = question(property) {
            question.variable = path.join(".");
            question.label = label(&path);
            let group = GROUPS.iter().find(|(section, _)| path.len() > 1 && *section == top);
            question.group = group.unwrap_or(&GROUPS[0]).1.to_owned();
            question.show_if = condition.map(str::to_owned);
            if optional && is_switch {
                question.default = "Off".into();
                question.description += " `Off` unless it is asked for.";
            }
            questions.push(question);
        }
    }
}

/// A key as a question, where a form can hold its value.
fn question(property: &Value) -> Option<Question> {
    let choices = || property["oneOf"].as_array().into_iter().flatten().filter(|choice| choice["const"].is_string());
    let words: Vec<Value> = choices().map(|word| word["const"].clone()).collect();
    let kind = match property["type"].as_str() {
        _ if !words.is_empty() => "enum",
        Some("boolean") => "boolean",
        Some("integer") => "int",
        Some("string") => "string",
        Some("array") if property["items"]["type"] == "string" => "array[",
        Some("object") => "map[",
        _ => return None,
    };
    let mut description = property["description"].as_str().unwrap_or_default().to_owned();
    for word in choices() {
        let (word, meaning) =
            (word["const"].as_str().unwrap_or_default(), word["description"].as_str().unwrap_or_default());
        description += &format!(" {word}: {meaning}");
    }
    Some(Question {
        variable: String::new(),
        label: String::new(),
        description,
        group: String::new(),
        kind,
        required: false,
        default: property["default"].clone(),
        options: words,
        min: property["minimum"].clone(),
        max: property["maximum"].clone(),
        show_if: None,
    })
}

/// `tokenMounts.airflowPods` as "Airflow pods".
fn label(path: &[&str]) -> String {
    let of_section = match path {
        [section, "failureAction"] => format!("failureAction of {section}"),
        [_, .., section, "enabled"] => (*section).to_owned(),
        path => (*path.last().unwrap_or(&"")).to_owned(),
    };
    let mut label = String::new();
    for char in of_section.chars() {
        if char.is_ascii_uppercase() && !label.is_empty() && !label.ends_with(' ') {
            label.push(' ');
        }
        label.push(if label.is_empty() { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() });
    }
    label
}
