//! From a request to the answer: reads the object, runs the rules, compares, and says what comes of it.

use crate::cluster::Cluster;
use crate::json::Unreadable;
use crate::request::{Object, Payload, Request};
use crate::response::Response;
use crate::settings::Settings;
use crate::verdict;
use std::fmt;

/// Judges what the host sent.
#[must_use]
pub fn judge(payload: &[u8], cluster: &dyn Cluster) -> Response {
    let Ok(text) = std::str::from_utf8(payload) else {
        return Response::unreadable("it is not valid UTF-8");
    };
    let answered = read(text).and_then(|(request, settings)| {
        let answered = answer(request, &settings, cluster);
        // In the policy server an instance lives for one call, and its memory goes with it.
        if cfg!(target_os = "wasi") {
            std::mem::forget(settings);
        }
        answered
    });
    match answered {
        Ok(response) => response,
        Err(Trouble::Settings(problem)) => Response::misconfigured(&problem),
        Err(why) => Response::unreadable(&why.to_string()),
    }
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum Trouble {
    Unreadable(Box<Unreadable>),
    Settings(String),
    Mismatch(&'static str),
}

impl From<Box<Unreadable>> for Trouble {
    fn from(why: Box<Unreadable>) -> Self {
        Self::Unreadable(why)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => why.fmt(f),
            Self::Settings(problem) => write!(f, "the policy's settings are wrong: {problem}"),
            Self::Mismatch(what) => f.write_str(what),
        }
    }
}

/// Reads the request and the settings.
pub(crate) fn read(text: &str) -> Result<(Request<'_>, Settings<'_>), Trouble> {
    let payload = Payload::read(text)?;
    match payload.problems.into_vec().into_iter().next() {
        Some(problem) => Err(Trouble::Settings(problem)),
        None => Ok((payload.request, payload.settings)),
    }
}

fn answer(mut request: Request<'_>, settings: &Settings<'_>, cluster: &dyn Cluster) -> Result<Response, Trouble> {
    if !request.writes() {
        return Ok(Response::default());
    }
    let update = match &*request.operation {
        "CREATE" => false,
        "UPDATE" => true,
        _ => return Err(Trouble::Mismatch("`request.operation` must be CREATE, UPDATE, DELETE or CONNECT")),
    };
    let object = std::mem::replace(&mut request.object, Ok(None))?;
    let old = std::mem::replace(&mut request.old_object, Ok(None))?;
    let object = object.ok_or(Trouble::Mismatch("`request.object` must be an object"))?;
    // Rules would be run for another kind than the object's if these differed.
    let (version, kind) = object.identity();
    if kind.is_some_and(|kind| kind != request.kind) {
        return Err(Trouble::Mismatch("`request.object.kind` differs from `request.kind.kind`"));
    }
    if version.is_some_and(|version| !is_version(version, &request.group, &request.version)) {
        return Err(Trouble::Mismatch("`request.object.apiVersion` differs from `request.kind`"));
    }
    let (Object::Pod(pod) | Object::Account(pod)) = object else { return Ok(Response::default()) };
    if !request.is_whole() {
        return Ok(Response::default());
    }
    let old = match old {
        Some(Object::Pod(old) | Object::Account(old)) if update => Some(old),
        _ => None,
    };
    if old.as_ref().is_some_and(|old| old.metadata.deleted) {
        return Ok(Response::default());
    }
    // Who updates a pod, or writes a template, is not who makes the pod: conditions on the creator count as met.
    request.requester.exempt = update && request.kind == "Pod" || pod.is_template();
    Ok(verdict::respond(&request, settings, cluster, *pod, old.map(|old| *old))?)
}

/// Whether an `apiVersion` is that of a group and version.
fn is_version(api_version: &str, group: &str, version: &str) -> bool {
    match api_version.split_once('/') {
        Some(found) => found == (group, version),
        None => group.is_empty() && api_version == version,
    }
}
