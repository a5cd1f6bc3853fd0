//! Who holds a token of the Kubernetes API in what passes, told without the policy's code.

use e2e_tests::laws::{OTHER_SERVICES, api_tokens};
use serde_json::Value;

/// Where every pod is held to it, no container holds a token but those that a component's entry names.
///
/// # Errors
/// The container that holds one.
pub fn check(result: &str, settings: &Value) -> Result<(), String> {
    if !is_strict(settings) {
        return Ok(());
    }
    let mounts = &settings["tokenMounts"];
    let others: Vec<&str> = OTHER_SERVICES
        .into_iter()
        .chain(texts(&mounts["audiences"]["allowed"]))
        // What the catalogue's credentials bring, on whose account an audience is no API server's.
        .chain(["vault", "api.example.com"])
        .filter(|audience| !texts(&mounts["audiences"]["api"]).any(|api| api == *audience))
        .collect();
    let pod: Value = serde_json::from_str(result).map_err(|error| error.to_string())?;
    if is_ambiguous(&pod) {
        return Ok(());
    }
    let may = |section: &str, container: &str| match mounts["components"].as_array() {
        Some(components) => components.iter().any(|entry| texts(&entry[section]).any(|name| name == container)),
        None => section == "containers" && container == "scheduler",
    };
    match api_tokens(&pod, &others).iter().find(|held| !may(held.section, &held.container)) {
        Some(held) => Err(format!("{held:?} in {result}\nunder {settings}")),
        None => Ok(()),
    }
}

/// Whether a volume's name stands there twice, which no API server stores: whose mounts are meant nobody knows.
fn is_ambiguous(pod: &Value) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().map_or(&[][..], Vec::as_slice);
    let named =
        |(index, volume): (usize, &Value)| volumes.iter().take(index).any(|other| other["name"] == volume["name"]);
    volumes.iter().enumerate().any(named)
}

/// Whether no pod, no namespace and nobody is excused from the rule.
fn is_strict(settings: &Value) -> bool {
    let mounts = &settings["tokenMounts"];
    let enforced = |action: &Value| action.is_null() || action == "Enforce";
    mounts["airflowPods"] == "Enforce"
        && mounts["otherPods"] == "NoToken"
        && enforced(&mounts["failureAction"])
        && enforced(&settings["failureAction"])
        && settings["failureActionOverrides"].is_null()
        && settings["exceptions"].is_null()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
