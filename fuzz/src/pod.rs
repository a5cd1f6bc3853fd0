//! Pods, settings, requesters and lookups made of the bytes; an update's old object is the new one, changed here and
//! there.

use airflow_pod_identity::validate_settings;
use e2e_tests::laws::{Outcome, Trial};
use e2e_tests::request::Request;
use serde_json::json;

use crate::draw::{Draw, Pick};
use crate::holders;
use crate::judge::hold;
use crate::mutate::change;
use crate::objects::Maker;
use crate::pool::SPACES;
use crate::rules::document;
use crate::tree::spaced;
use crate::world::World;

/// Who asks; nobody: an audit scan.
pub const REQUESTERS: [Option<&str>; 8] = [
    Some("system:serviceaccount:airflow:airflow-scheduler"),
    Some("system:serviceaccount:kube-system:replicaset-controller"),
    Some("system:serviceaccount:airflow:airflow-worker"),
    Some("system:kube-controller-manager"),
    Some("system:serviceaccount:kube-system:job-controller"),
    Some("system:serviceaccount:default:other"),
    Some("jane"),
    None,
];

/// Holds the laws.
///
/// # Errors
/// What does not hold.
pub fn check(data: &[u8]) -> Result<(), String> {
    outcome(data).map(drop)
}

/// Holds the laws, and says what came of it. Nothing comes of settings that are wrong.
///
/// # Errors
/// What does not hold.
pub fn outcome(data: &[u8]) -> Result<Option<Outcome>, String> {
    let draw = &mut Draw::new(data);
    let (update, requester, world) = (draw.once_in(4), draw.one(&REQUESTERS), draw.one(&World::ALL));
    let settings = document(draw);
    if validate_settings(settings.to_string().as_bytes()) != br#"{"valid":true}"# {
        return Ok(None);
    }
    let space = draw.one(&SPACES);
    let tame = draw.once_in(2);
    let pod = Maker { draw, tame }.pod();
    let stub = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "airflow"}});
    let mut request = Request::create(stub);
    if let Some(requester) = requester {
        request = request.user(requester);
    }
    if update {
        request = request.operation("UPDATE");
        if draw.once_in(3) {
            request = request.subresource("ephemeralcontainers");
        }
    }
    let mut trial = Trial::new(&request.build(), &settings).with_object(spaced(&pod, space));
    if update {
        let mut old = pod;
        for _ in 0..draw.below(5) {
            change(&mut old, draw);
        }
        trial.old = Some(old.to_string());
    }
    let outcome = hold(&trial, world, true).map_err(|complaint| complaint.to_string())?;
    // An update's pod may have been there before the policy.
    if let Some(result) = outcome.as_ref().and_then(|outcome| outcome.result.as_ref()).filter(|_| !update) {
        holders::check(result, &settings)?;
    }
    Ok(outcome)
}
