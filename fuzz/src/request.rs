//! Arbitrary bytes as the whole payload. What is JSON is held against the laws, what is not must be refused.

use airflow_pod_identity::{validate, validate_settings};
use e2e_tests::laws::{Tree, Trial};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::judge::{CANARY, hold, sound};
use crate::tree;
use crate::world::World;

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
        _ => match parsed.and_then(|payload| trial(&payload)) {
            Some(trial) => hold(&trial, world, secret).map(drop).map_err(|complaint| complaint.to_string()),
            None => Ok(()),
        },
    }
}

/// The trial in a payload, if the laws say anything of it.
fn trial(payload: &Tree) -> Option<Trial> {
    let value = |tree: &Tree| serde_json::from_str::<Value>(&tree.to_string()).ok();
    let inner = payload.get("request")?;
    let request = value(inner)?;
    let settings = payload.get("settings").map_or_else(|| Some(Value::Null), value)?;
    let settings = if settings.is_null() { Value::Object(serde_json::Map::new()) } else { settings };
    let writes = matches!(request["operation"].as_str(), Some("CREATE" | "UPDATE"));
    let object = inner.get("object").filter(|object| !object.is_null())?;
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
    let old = inner.get("oldObject").filter(|old| !old.is_null()).map(Tree::to_string);
    Some(Trial { object: object.to_string(), old, settings, request })
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
