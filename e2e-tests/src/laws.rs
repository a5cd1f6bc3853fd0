//! The laws that hold for every input, as checks of whole answers.
//!
//! ```text
//!  Trial ──► mutate ──► result ──► validate: 1    mutate again: 2
//!    │         └─ compared with the input: 4, 5
//!    ├────► validate: 3
//!    └────► as an UPDATE of itself, of a pod that is being deleted, as a mirror pod: 6
//!  every call: no trap 7, twice the same bytes 8
//! ```
//!
//! The checks know nothing of the policy's code, and take any judge: the built module, or one that errs on purpose.

mod edits;
mod enforcing;
mod token;
mod tree;
mod update;

use std::fmt;

use serde_json::{Value, json};

pub use edits::{Edit, edits};
pub use enforcing::enforces_everything;
pub use token::{Held, OTHER_SERVICES, SECTIONS, api_tokens, is_injected};
pub use tree::Tree;

use crate::error::CallError;
use crate::verdict::Verdict;

/// What answers a payload: the module, as `|payload| policy().validate_raw(payload, &NoCluster)`.
pub type Judge<'j> = dyn Fn(&[u8]) -> Result<Vec<u8>, CallError> + 'j;

/// One input. The objects are text: numbers keep their spelling.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The AdmissionRequest; its own `object` and `oldObject` are not looked at.
    pub request: Value,
    /// The object's JSON.
    pub object: String,
    /// The JSON of the object before an update.
    pub old: Option<String>,
    /// The settings, whose `mode` the laws choose.
    pub settings: Value,
}

/// What came of a trial that broke no law.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The answer of the mutating policy.
    pub mutate: Verdict,
    /// The answer of the validating one.
    pub validate: Verdict,
    /// What `mutate` changed.
    pub edits: Vec<Edit>,
    /// The object that `mutate` let through.
    pub result: Option<String>,
    /// How many answers were looked at.
    pub answers: usize,
}

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number; 0 for the form of an answer.
    pub law: u8,
    /// What happened instead.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}: {}", self.law, self.what)
    }
}

impl Trial {
    /// A trial of a request as [`Request`](crate::request::Request) builds it.
    #[must_use]
    pub fn new(request: &Value, settings: &Value) -> Self {
        let text = |key: &str| request.get(key).filter(|object| !object.is_null()).map(Value::to_string);
        let object = text("object").unwrap_or_else(|| "null".to_owned());
        Self { request: request.clone(), object, old: text("oldObject"), settings: settings.clone() }
    }

    /// The bytes that policy-server would send.
    #[must_use]
    pub fn payload(&self, mode: &str) -> Vec<u8> {
        let (mut request, mut settings) = (self.request.clone(), self.settings.clone());
        for key in ["object", "oldObject"] {
            request.as_object_mut().map(|request| request.remove(key));
        }
        settings["mode"] = mode.into();
        let mut text = request.to_string();
        text.truncate(text.len() - 1);
        let old = self.old.as_deref().unwrap_or("null");
        let object = &self.object;
        format!("{{\"request\":{text},\"object\":{object},\"oldObject\":{old}}},\"settings\":{settings}}}").into_bytes()
    }

    /// The same trial of another object.
    #[must_use]
    pub fn with_object(&self, object: impl Into<String>) -> Self {
        Self { object: object.into(), ..self.clone() }
    }

    fn is_update(&self) -> bool {
        self.request["operation"] == "UPDATE"
    }
}

/// Holds a trial against all laws.
///
/// # Errors
/// The first law that is broken.
pub fn check(judge: &Judge<'_>, trial: &Trial) -> Result<Outcome, Violation> {
    let mut court = Court { judge, answers: 0 };
    let mutate = court.answer(trial, "mutate")?;
    let validate = court.answer(trial, "validate")?;
    let mut outcome = Outcome { mutate, validate, edits: Vec::new(), result: None, answers: 0 };
    if outcome.mutate.accepted {
        let (edits, result) = court.result(trial, &outcome.mutate)?;
        (outcome.edits, outcome.result) = (edits, Some(result));
    }
    if enforces_everything(&trial.settings) {
        let passes = outcome.mutate.accepted && outcome.mutate.mutated_object.is_none();
        rule(3, outcome.validate.accepted == passes, || {
            format!("mutate: {}; validate: {}", told(&outcome.mutate), told(&outcome.validate))
        })?;
    }
    if outcome.mutate.code == Some(422) {
        let same = outcome.validate.raw == outcome.mutate.raw;
        rule(3, same, || format!("unreadable for mutate, but validate: {}", told(&outcome.validate)))?;
    } else {
        court.updates(trial)?;
    }
    outcome.answers = court.answers;
    Ok(outcome)
}

/// The object that an answer hands out, as the answer spells it.
#[must_use]
pub fn mutated(verdict: &Verdict) -> Option<String> {
    let answer = Tree::parse(&String::from_utf8_lossy(&verdict.raw));
    answer.get("mutated_object").filter(|object| !object.is_null()).map(Tree::to_string)
}

struct Court<'j> {
    judge: &'j Judge<'j>,
    answers: usize,
}

impl Court<'_> {
    /// The answer in a mode, its form checked.
    fn answer(&mut self, trial: &Trial, mode: &str) -> Result<Verdict, Violation> {
        let payload = trial.payload(mode);
        let call = || (self.judge)(&payload).map_err(|error| Violation { law: 7, what: format!("{mode}: {error}") });
        let (first, second) = (call()?, call()?);
        self.answers += 2;
        rule(8, first == second, || format!("{mode} answers twice, and not the same"))?;
        let text = String::from_utf8_lossy(&first).into_owned();
        let verdict = Verdict::new(first, Vec::new(), Vec::new());
        let verdict = verdict.map_err(|reason| Violation { law: 7, what: format!("{mode}: {reason}: {text}") })?;
        form(&verdict, &trial.settings, mode)?;
        let changes = verdict.mutated_object.is_some();
        // What `repair` mends of a ServiceAccount is mended on updates too.
        let fixed = trial.is_update() && trial.request["kind"]["kind"] == "Pod";
        rule(6, !(changes && fixed), || format!("an UPDATE is changed: {text}"))?;
        Ok(verdict)
    }

    /// What `mutate` changed and made, held against the laws on results.
    fn result(&mut self, trial: &Trial, verdict: &Verdict) -> Result<(Vec<Edit>, String), Violation> {
        let (found, result) = match mutated(verdict) {
            None => (Vec::new(), trial.object.clone()),
            Some(result) => {
                let found = edits(&trial.object, &result).map_err(|what| Violation { law: 4, what })?;
                rule(2, !found.is_empty(), || "a changed object equals the given one".to_owned())?;
                (found, result)
            }
        };
        let next = trial.with_object(result);
        let again = self.answer(&next, "validate")?;
        rule(1, again.accepted, || format!("validate says of the result: {}", told(&again)))?;
        let again = self.answer(&next, "mutate")?;
        let same = again.accepted && again.mutated_object.is_none();
        rule(2, same, || format!("mutate says of the result: {}", told(&again)))?;
        Ok((found, next.object))
    }
}

/// What every answer looks like.
fn form(verdict: &Verdict, settings: &Value, mode: &str) -> Result<(), Violation> {
    let complain = |what: &str| Err(Violation { law: 0, what: format!("{mode}: {what}: {}", told(verdict)) });
    match (verdict.accepted, &verdict.message, verdict.code) {
        (true, None, None) => {}
        (true, ..) => return complain("accepted with a message or a code"),
        (false, Some(message), Some(403 | 422)) if !message.is_empty() => {}
        // A lookup that failed.
        (false, Some(message), Some(500)) if !message.is_empty() && settings["onLookupError"] == "Deny" => {}
        (false, ..) => return complain("denied without a message, or with an odd code"),
    }
    if verdict.mutated_object.is_some() && (mode == "validate" || !verdict.accepted) {
        return complain("an object is handed out");
    }
    match verdict.warnings.iter().find(|warning| warning.is_empty() || warning.chars().count() > 256) {
        Some(_) => complain("a warning is empty or longer than 256 characters"),
        None => Ok(()),
    }
}

fn rule(law: u8, holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { law, what: what() }) }
}

fn told(verdict: &Verdict) -> String {
    let Verdict { accepted, code, message, mutated_object, warnings, .. } = verdict;
    json!({"accepted": accepted, "code": code, "message": message, "mutated": mutated_object, "warnings": warnings})
        .to_string()
}
