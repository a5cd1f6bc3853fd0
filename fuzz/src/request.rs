//! Arbitrary bytes as the whole payload. What is JSON is held against the laws, what is not must be refused.

use std::collections::BTreeMap;

use airflow_pod_identity::{validate, validate_settings};
use e2e_tests::laws::{Tree, Trial};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::judge::{CANARY, hold, sound};
use crate::tree;
use crate::world::World;

/// The fields of an object, each as it is spelled.
type Parts<'p> = BTreeMap<String, &'p RawValue>;

/// Holds what there is to hold.
///
/// # Errors
/// What does not hold.
pub fn check(data: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(data).unwrap_or_default();
    let parsed = tree::parse(text);
    let world = World::named(parsed.as_ref().and_then(|tree| tree.get("world")).map(Tree::text).as_deref());
    let secret = parsed.as_ref().is_some_and(|tree| is_hidden(tree, false));
    let answer = validate(data, &world);
    sound(&answer, secret)?;
    let told = String::from_utf8_lossy(&answer);
    match &parsed {
        None if serde_json::from_slice::<IgnoredAny>(data).is_err() && !told.contains("\"code\":422") => {
            Err(format!("another parser takes this for no JSON: {told}"))
        }
        Some(_) if told.contains("not valid JSON") => Err(format!("another parser takes this for JSON: {told}")),
        _ => match trial(text) {
            Some(trial) => hold(&trial, world, secret).map(drop).map_err(|complaint| complaint.to_string()),
            None => Ok(()),
        },
    }
}

/// The trial in a payload, if the laws say anything of it. The objects stay as they are spelled.
fn trial(payload: &str) -> Option<Trial> {
    let parts: Parts<'_> = serde_json::from_str(payload).ok()?;
    let inner = parts.get("request")?.get();
    let (request, fields): (Value, Parts<'_>) = (serde_json::from_str(inner).ok()?, serde_json::from_str(inner).ok()?);
    let settings = parts.get("settings").map_or("{}", |settings| settings.get());
    let settings = if settings == "null" { json!({}) } else { serde_json::from_str(settings).ok()? };
    let object = |key: &str| fields.get(key).map(|object| object.get().to_owned()).filter(|text| text != "null");
    let writes = matches!(request["operation"].as_str(), Some("CREATE" | "UPDATE"));
    if !writes || !settings.is_object() || !request["kind"].is_object() {
        return None;
    }
    // No policy runs with others.
    if validate_settings(settings.to_string().as_bytes()) != br#"{"valid":true}"# {
        return None;
    }
    match request["kind"]["kind"].as_str()? {
        "Pod" => {}
        // The laws know a ServiceAccount by what it says of itself.
        "ServiceAccount" if request["object"]["kind"] == "ServiceAccount" => {}
        "ServiceAccount" => return None,
        // `validate` asks for more than `mutate` gives.
        _ if settings["tokenMounts"]["templates"] == "Strict" => return None,
        _ => {}
    }
    Some(Trial { object: object("object")?, old: object("oldObject"), settings, request })
}

/// Whether the canary stands nowhere but in what must not be told.
fn is_hidden(tree: &Tree, hidden: bool) -> bool {
    match tree {
        Tree::Scalar(scalar) => hidden || !scalar.contains(CANARY),
        Tree::List(items) => items.iter().all(|item| is_hidden(item, hidden)),
        Tree::Object(pairs) => pairs.iter().all(|(key, value)| {
            let secret = matches!(key.as_str(), "\"value\"" | "\"args\"" | "\"command\"");
            !key.contains(CANARY) && is_hidden(value, hidden || secret)
        }),
    }
}
