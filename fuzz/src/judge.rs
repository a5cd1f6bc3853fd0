//! Holds one trial against the laws, and every answer on the way against what holds for all answers.

use std::fmt;

use e2e_tests::error::CallError;
use e2e_tests::laws::{self, Outcome, Trial};
use serde_json::Value;

use crate::world::World;

/// Stands in what must not be told: values of env variables, args, commands, other annotations. In capitals, so that it
/// is no credential's name either.
pub const CANARY: &str = "CANARY";

/// The audit annotations that there are.
const NOTES: [&str; 6] = ["credentials", "containers", "token-mounts", "exceptions", "findings", "not-checked"];

/// What is wrong, and the payload that shows it.
#[derive(Debug)]
pub struct Complaint {
    what: String,
    payload: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nas a find of target request: {}", self.what, self.payload)
    }
}

/// The laws, for a trial whose answers a world's lookups decide. `secret`: the canary stands only where it must not be
/// told from. Nothing comes of a request that is no law's business.
///
/// # Errors
/// The law that is broken.
pub fn hold(trial: &Trial, world: World, secret: bool) -> Result<Option<Outcome>, Complaint> {
    if !known_roles(&trial.settings) {
        return Ok(None);
    }
    let judge = |payload: &[u8]| {
        let answer = airflow_pod_identity::validate(payload, &world);
        sound(&answer, secret).map_err(CallError::Trap)?;
        Ok(answer)
    };
    match laws::check(&judge, trial) {
        Ok(outcome) => Ok(Some(outcome)),
        // The API server stores nothing that can't be read: that an update of it is denied breaks no law.
        Err(violation) if violation.law == 6 && violation.what.contains("\"code\":422") => Ok(None),
        Err(violation) => Err(Complaint { what: violation.to_string(), payload: payload(trial, world) }),
    }
}

/// The laws take the annotations of three clouds for roles, the policy any that its settings name.
fn known_roles(settings: &Value) -> bool {
    let clouds = ["eks.amazonaws.com/", "iam.gke.io/", "azure.workload.identity/"];
    let roles = settings["serviceAccounts"]["roles"].as_array();
    let mut annotations = roles.into_iter().flatten().filter_map(|role| role["annotation"].as_str());
    annotations.all(|annotation| clouds.iter().any(|cloud| annotation.starts_with(cloud)))
}

/// The trial as a payload of target `request`.
fn payload(trial: &Trial, world: World) -> String {
    let payload = String::from_utf8_lossy(&trial.payload("mutate")).into_owned();
    payload.replacen('{', &format!("{{\"world\":\"{}\",", world.name()), 1)
}

/// What holds for every answer: it is JSON of the known form, a denial says why, and the canary is not told.
///
/// # Errors
/// What does not hold.
pub fn sound(answer: &[u8], secret: bool) -> Result<(), String> {
    let text = String::from_utf8_lossy(answer);
    let mut value: Value = serde_json::from_slice(answer).map_err(|error| format!("no JSON: {error}: {text}"))?;
    let fields = value.as_object_mut().ok_or_else(|| format!("no object: {text}"))?;
    // What the pod says may stand in the pod.
    fields.remove("mutated_object");
    let denied = fields.get("accepted") != Some(&Value::Bool(true));
    let message = fields.get("message").and_then(Value::as_str).unwrap_or_default();
    let code = fields.get("code").and_then(Value::as_u64);
    if denied == message.is_empty() || denied && !matches!(code, Some(403 | 422 | 500)) {
        return Err(format!("a denial without a reason, or a reason without a denial: {text}"));
    }
    let notes = fields.get("audit_annotations").and_then(Value::as_object);
    if let Some((key, _)) = notes
        .into_iter()
        .flatten()
        .find(|(key, value)| !NOTES.contains(&key.as_str()) || value.as_str().is_none_or(str::is_empty))
    {
        return Err(format!("audit annotation {key}: {text}"));
    }
    if secret && value.to_string().contains(CANARY) {
        return Err(format!("it tells the canary: {value}"));
    }
    Ok(())
}
