//! Task pods of the corpora, and what is made of them, under default settings. Only what isolates one is not the default,
//! under which tokens of task pods are reported.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, REPLICASETS, SCHEDULER};
use crate::fuel::Meter;
use crate::host::payload;
use crate::ordered::{Ordered, ordered_request};
use crate::request::Request;

/// A task pod that is changed: it gets the credential that it asks for.
pub(super) const TASK: &str = "ke-annotation-team-a.json";
/// A task pod as it was answered, sent again.
pub(super) const ISOLATED: &str = "ke-plain.json, isolated already";
/// The first, with everything about it that is Airflow's called otherwise, and as many bytes.
pub(super) const OTHERS: &str = "ke-annotation-team-a.json, another application's";

/// The calls, of which one is made of the module's own answer.
pub(super) fn calls(corpora: &Path, meter: &Meter) -> Result<Vec<Call>, String> {
    let folder = corpora.join("task-pods-admitted/airflow3");
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let task = read(TASK)?;
    let enforcing = json!({"tokenMounts": {"airflowPods": "Enforce"}});
    let plain = created(&parse(&read("ke-plain.json")?)?, SCHEDULER, &enforcing)?;
    let answer = meter.measure(&plain).map_err(|error| error.to_string())?.response;
    let call = |name: &str, object: &Ordered, user: &str| -> Result<Call, String> {
        Ok(Call { name: name.to_owned(), payload: created(object, user, &json!({}))? })
    };
    Ok(vec![
        call(TASK, &parse(&task)?, SCHEDULER)?,
        call(ISOLATED, &mutated(&answer)?, SCHEDULER)?,
        call(OTHERS, &another_applications(&task)?, REPLICASETS)?,
    ])
}

/// The payload of an object's creation, with its keys in the order given.
///
/// # Errors
/// When the object is no JSON.
pub fn created(object: &Ordered, user: &str, settings: &Value) -> Result<Vec<u8>, String> {
    let tree = serde_json::to_value(object).map_err(|error| error.to_string())?;
    let request = Request::create(tree).user(user).build();
    Ok(payload(&ordered_request(&request, object.clone()), settings))
}

fn parse(text: &str) -> Result<Ordered, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn mutated(answer: &[u8]) -> Result<Ordered, String> {
    #[derive(Deserialize)]
    struct Answer {
        mutated_object: Ordered,
    }
    let answer: Answer = serde_json::from_slice(answer).map_err(|error| format!("it is not changed: {error}"))?;
    Ok(answer.mutated_object)
}

/// A pod of the same shape and size that nothing marks as Airflow's.
fn another_applications(task: &str) -> Result<Ordered, String> {
    let renamed = task.replace("airflow", "library").replace("AIRFLOW", "LIBRARY").replace("dag", "job");
    let mut pod = parse(&renamed)?;
    let text = |text: &str| Ordered::Scalar(text.into());
    set(&mut pod, &["metadata", "name"], text("shop-7c9d8-x7k2p"));
    set(&mut pod, &["metadata", "labels"], Ordered::Object(vec![("app".to_owned(), text("shop"))]));
    set(&mut pod, &["spec", "serviceAccountName"], text("shop"));
    set(&mut pod, &["spec", "serviceAccount"], text("shop"));
    let noted = |note: &str| Ordered::Object(vec![("note".to_owned(), text(note))]);
    set(&mut pod, &["metadata", "annotations"], noted(""));
    let length = |pod: &Ordered| serde_json::to_string(pod).map_or(0, |text| text.len());
    let missing = length(&parse(task)?).saturating_sub(length(&pod));
    set(&mut pod, &["metadata", "annotations"], noted(&"x".repeat(missing)));
    Ok(pod)
}

/// Replaces what lies at a path.
fn set(object: &mut Ordered, path: &[&str], value: Ordered) {
    match (path, object) {
        ([], object) => *object = value,
        ([key, rest @ ..], Ordered::Object(pairs)) => {
            if let Some((_, inner)) = pairs.iter_mut().find(|(name, _)| name == key) {
                set(inner, rest, value);
            }
        }
        _ => {}
    }
}
