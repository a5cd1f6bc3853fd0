//! The objects of a fixture, and the lookups that find them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Fixture;

/// A ServiceAccount of a fixture.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are the object's own")]
pub struct ServiceAccount {
    pub namespace: String,
    pub name: String,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    pub automount_service_account_token: Option<bool>,
}

/// A Secret of a fixture: never its values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are the object's own")]
pub struct Secret {
    pub namespace: String,
    pub name: String,
    #[serde(rename = "type", default = "opaque")]
    pub kind: String,
    /// The names of its keys. All of them hold the word `redacted`.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// What `get_resource` and the two lists ask; `name` and the selectors are each in one of them only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lookup {
    api_version: String,
    kind: String,
    name: Option<String>,
    namespace: Option<String>,
    label_selector: Option<String>,
    field_selector: Option<String>,
    #[serde(default)]
    field_masks: Option<Vec<String>>,
    #[serde(rename = "disable_cache", default)]
    _disable_cache: bool,
}

fn opaque() -> String {
    "Opaque".to_owned()
}

impl Fixture {
    fn objects(&self, lookup: &Lookup) -> Vec<Value> {
        let kind = (&*lookup.api_version, &*lookup.kind);
        let objects: Vec<Value> = match kind {
            ("v1", "ServiceAccount") => self.service_accounts.iter().map(ServiceAccount::object).collect(),
            ("v1", "Secret") => self.secrets.iter().map(Secret::object).collect(),
            _ => Vec::new(),
        };
        let here = |object: &Value| {
            let namespace = lookup.namespace.as_deref();
            namespace.is_none_or(|wanted| object["metadata"]["namespace"] == wanted)
        };
        objects.into_iter().filter(here).collect()
    }

    /// Answers `get_resource`.
    pub(super) fn get(&self, lookup: &Lookup) -> Result<Value, String> {
        let name = lookup.name.as_deref().ok_or("get_resource: `name` is missing")?;
        let mut objects = self.objects(lookup).into_iter();
        let found = objects.find(|object| object["metadata"]["name"] == name);
        // The text is policy-server's own.
        let missing = || {
            let Lookup { api_version, kind, namespace, .. } = lookup;
            format!("Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'")
        };
        found.map(|object| lookup.prune(object)).ok_or_else(missing)
    }

    /// Answers the two lists.
    pub(super) fn list(&self, lookup: &Lookup) -> Result<Value, String> {
        if lookup.label_selector.is_some() || lookup.field_selector.is_some() {
            return Err("this cluster is a file, which knows no selectors".to_owned());
        }
        let items: Vec<_> = self.objects(lookup).into_iter().map(|object| lookup.prune(object)).collect();
        let kind = format!("{}List", lookup.kind);
        Ok(json!({ "apiVersion": lookup.api_version, "kind": kind, "metadata": {}, "items": items }))
    }
}

impl ServiceAccount {
    fn object(&self) -> Value {
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "namespace": self.namespace,
                "name": self.name,
                "annotations": self.annotations,
                "labels": self.labels,
            },
        });
        if let Some(automount) = self.automount_service_account_token {
            object["automountServiceAccountToken"] = automount.into();
        }
        object
    }
}

impl Secret {
    fn object(&self) -> Value {
        let redacted = |key: &String| (key.clone(), json!("cmVkYWN0ZWQ="));
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "namespace": self.namespace, "name": self.name },
            "type": self.kind,
            "data": self.keys.iter().map(redacted).collect::<Map<_, _>>(),
        })
    }
}

impl Lookup {
    /// Leaves of an object what the field masks name; without masks, all of it. As policy-server does it: the masks concern
    /// what is neither type nor metadata, and those always come whole.
    fn prune(&self, object: Value) -> Value {
        match self.field_masks.as_deref() {
            None | Some([]) => object,
            Some(masks) => {
                let mut paths: Vec<Vec<&str>> = masks.iter().map(|mask| mask.split('.').collect()).collect();
                paths.extend(["apiVersion", "kind", "metadata"].map(|key| vec![key]));
                prune(object, &paths.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
        }
    }
}

fn prune(value: Value, paths: &[&[&str]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value;
    }
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter_map(|(key, field)| {
                let below: Vec<&[&str]> = paths
                    .iter()
                    .filter_map(|path| path.split_first().filter(|(first, _)| **first == key))
                    .map(|(_, rest)| rest)
                    .collect();
                (!below.is_empty()).then(|| (key, prune(field, &below)))
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(|item| prune(item, paths)).collect(),
        scalar => scalar,
    }
}
