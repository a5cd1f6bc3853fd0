//! Reads what is to be judged, and makes AdmissionRequests of it.
//!
//! A file, or standard input (`-`), holds JSON or YAML: objects, lists of objects as kubectl prints them, AdmissionRequests
//! or AdmissionReviews, in one document or in several.

mod circumstances;

use std::fmt;
use std::io::Read;

use serde_json::{Map, Value};

pub use circumstances::Circumstances;

use crate::documents;

/// Something to judge.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it was found: `pods.yaml:12`, `-:1: items[3]`.
    pub origin: String,
    /// The AdmissionRequest.
    pub request: Value,
}

/// Why an input can't be used, with file, line and document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError(String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InputError {}

impl Item {
    /// The object that the request is about: on DELETE the one that goes.
    #[must_use]
    pub fn object(&self) -> &Value {
        match &self.request["object"] {
            Value::Null => &self.request["oldObject"],
            object => object,
        }
    }
}

/// Reads files, `-` being standard input, and wraps bare objects into requests.
///
/// # Errors
/// The first thing that can't be read, or can't be meant.
pub fn read(files: &[String], circumstances: &Circumstances) -> Result<Vec<Item>, InputError> {
    if files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(InputError("-: standard input can be read only once".to_owned()));
    }
    let mut items = Vec::new();
    for file in files {
        for (origin, value) in objects(file)? {
            let request = circumstances.request(value).map_err(|reason| InputError(format!("{origin}: {reason}")))?;
            items.push(Item { origin, request });
        }
    }
    Ok(items)
}

/// Reads the objects of one file, lists taken apart, each with the place where it stands.
///
/// # Errors
/// When the file can't be read, is empty, or holds something that is no object.
pub fn objects(file: &str) -> Result<Vec<(String, Value)>, InputError> {
    let bytes = bytes(file).map_err(|error| InputError(format!("{file}: {error}")))?;
    parse(file, &bytes)
}

/// Takes the objects out of a text; `name` is what errors call it.
///
/// # Errors
/// When the text is empty, or holds something that is no object.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Vec<(String, Value)>, InputError> {
    let documents = documents::parse::<Value>(bytes).map_err(|error| InputError(format!("{name}:{error}")))?;
    let several = documents.len() > 1;
    let mut found = Vec::new();
    let mut empty = true;
    for document in documents.into_iter().filter(|document| !document.value.is_null()) {
        empty = false;
        let mut origin = format!("{name}:{}", document.line);
        if several {
            origin = format!("{origin}: document {}", document.number);
        }
        unfold(&origin, document.value, &mut found)?;
    }
    if empty { Err(InputError(format!("{name}: it is empty"))) } else { Ok(found) }
}

fn bytes(file: &str) -> std::io::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes lists and reviews apart.
fn unfold(origin: &str, value: Value, found: &mut Vec<(String, Value)>) -> Result<(), InputError> {
    let fail = |reason: String| Err(InputError(format!("{origin}: {reason}")));
    let mut object = match value {
        Value::Object(object) => object,
        Value::Array(items) => return unfold_items(origin, "", items, None, found),
        other => return fail(format!("not a Kubernetes object, but {}", describe(&other))),
    };
    let kind = match object.get("kind") {
        Some(Value::String(kind)) => kind.clone(),
        _ if is_request(&object) => String::new(),
        _ => return fail("not a Kubernetes object: it has no `kind`".to_owned()),
    };
    if kind == "AdmissionReview" {
        if object.get("apiVersion").is_none_or(|version| version != "admission.k8s.io/v1") {
            return fail("an AdmissionReview of another version than `admission.k8s.io/v1`".to_owned());
        }
        return match object.remove("request") {
            Some(Value::Object(request)) if is_request(&request) => {
                found.push((origin.to_owned(), Value::Object(request)));
                Ok(())
            }
            _ => fail("an AdmissionReview without a `request`".to_owned()),
        };
    }
    if let (Some(of), Some(Value::Array(_))) = (kind.strip_suffix("List"), object.get("items")) {
        let Some(Value::Array(items)) = object.remove("items") else {
            return Ok(());
        };
        // The API leaves kind and version out of the items of a typed list.
        let of = (!of.is_empty()).then(|| (of.into(), object.remove("apiVersion").unwrap_or_default()));
        return unfold_items(origin, "items", items, of.as_ref(), found);
    }
    if !is_request(&object) && !object.get("apiVersion").is_some_and(Value::is_string) {
        return fail("not a Kubernetes object: it has no `apiVersion`".to_owned());
    }
    found.push((origin.to_owned(), Value::Object(object)));
    Ok(())
}

fn unfold_items(
    origin: &str,
    key: &str,
    items: Vec<Value>,
    of: Option<&(Value, Value)>,
    found: &mut Vec<(String, Value)>,
) -> Result<(), InputError> {
    for (index, mut item) in items.into_iter().enumerate() {
        if let (Some((kind, version)), Value::Object(object)) = (of, &mut item) {
            object.entry("kind").or_insert_with(|| kind.clone());
            object.entry("apiVersion").or_insert_with(|| version.clone());
        }
        unfold(&format!("{origin}: {key}[{index}]"), item, found)?;
    }
    Ok(())
}

/// An AdmissionRequest is told by its uid, its operation, and a kind that is an object.
fn is_request(object: &Map<String, Value>) -> bool {
    object.contains_key("uid") && object.contains_key("operation") && object.get("kind").is_some_and(Value::is_object)
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
