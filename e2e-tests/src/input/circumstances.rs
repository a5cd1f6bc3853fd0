//! The circumstances that make a request of a bare object.

use serde_json::Value;

use super::is_request;
use crate::request::{self, Request};

/// What a request says that an object does not.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// Who makes the request. Without one the objects are judged as an audit scan posts them.
    pub user: Option<String>,
    /// The requester's groups; absent: those that follow from the name.
    pub groups: Option<Vec<String>>,
    /// The operation; absent: `UPDATE` where there is an old object or a subresource, else `CREATE`.
    pub operation: Option<String>,
    /// The objects before an update, found again by kind, namespace and name.
    pub old: Option<Vec<Value>>,
    /// The subresource, such as `ephemeralcontainers`.
    pub subresource: Option<String>,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
}

impl Circumstances {
    /// Makes a request of an object; what is a request already keeps its own circumstances, the user excepted.
    pub(super) fn request(&self, value: Value) -> Result<Value, String> {
        match value {
            Value::Object(mut request) if is_request(&request) => {
                self.check_unused()?;
                if let Some(user) = &self.user {
                    request::set_user(&mut request, user, self.groups.as_deref());
                }
                Ok(Value::Object(request))
            }
            object => self.wrap(object),
        }
    }

    /// What an AdmissionRequest already says can't be said again.
    fn check_unused(&self) -> Result<(), String> {
        let given = [
            ("--operation", self.operation.is_some()),
            ("--old", self.old.is_some()),
            ("--subresource", self.subresource.is_some()),
            ("--namespace", self.namespace.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((option, _)) => Err(format!("this is an AdmissionRequest already: `{option}` is for bare objects")),
        }
    }

    fn wrap(&self, object: Value) -> Result<Value, String> {
        let old = self.old.as_ref().map(|all| find_old(&object, all)).transpose()?;
        let changes = old.is_some() || self.subresource.is_some();
        let operation = self.operation.clone().unwrap_or_else(|| if changes { "UPDATE" } else { "CREATE" }.to_owned());
        if operation == "UPDATE" && old.is_none() {
            return Err("an UPDATE is judged against the object before it: give that with `--old`".to_owned());
        }
        let bare = object["metadata"]["namespace"].as_str().is_none_or(str::is_empty);
        let mut request = Request::create(object).operation(operation);
        if let Some(old) = old {
            request = request.old(old);
        }
        if let Some(user) = &self.user {
            request = request.user(user);
        }
        if let Some(groups) = &self.groups {
            request = request.groups(groups);
        }
        if let Some(namespace) = self.namespace.as_ref().filter(|_| bare) {
            request = request.namespace(namespace);
        }
        if let Some(subresource) = &self.subresource {
            request = request.subresource(subresource);
        }
        Ok(request.build())
    }
}

fn find_old(object: &Value, all: &[Value]) -> Result<Value, String> {
    let key = |object: &Value| {
        let metadata = &object["metadata"];
        (object["kind"].clone(), metadata["namespace"].clone(), metadata["name"].clone())
    };
    let wanted = key(object);
    let name = wanted.2.as_str().unwrap_or_default();
    let found = all.iter().find(|old| key(old) == wanted).cloned();
    found.ok_or_else(|| {
        let kind = wanted.0.as_str().unwrap_or_default();
        format!("the file given with `--old` has no {kind} `{name}` of the same namespace")
    })
}
